import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors, UserErrorRef } from '../../graphql/user-errors.ts';
import { setViewer } from '../../graphql/viewer.ts';
import { CartRef } from '../cart/cart.refs.graphql.ts';
import { emailAddress, parseInput, plainText } from '../input.ts';
import { Refusal, refuse, type UserError } from '../user-error.ts';
import type { Entered, Entry } from './account.service.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import { MOST, newPassword } from './password.ts';
import type { Identity, IssuedTokens } from './session.service.ts';

/*
 * Getting in and staying in. Two ways to hand tokens over, which never mix: as cookies that no script can read, or in the
 * body. What came by cookie is never answered in the body, or a script could ask for it there.
 */

type Delivery = 'COOKIE' | 'BODY';

const TokenDeliveryRef = builder.enumType('TokenDelivery', {
  description: 'How tokens are handed over.',
  values: {
    COOKIE: { description: 'As HTTP-only cookies; the token fields are null.' },
    BODY: {
      description:
        'In the payload; no cookie is set. For clients that are no browsers, and front ends on another site.',
    },
  },
});

interface AuthResult {
  userId: string;
  /** Null where they went out as cookies. */
  tokens: IssuedTokens | null;
  cartNotices: readonly UserError[];
}

const AuthPayloadRef = payloadType<AuthResult>('AuthPayload', 'Who is logged in now, and what to stay so with.');

builder.objectFields(AuthPayloadRef, (t) => ({
  user: t.field({
    type: UserRef,
    nullable: true,
    description: 'The user; null where it was refused.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
  accessToken: t.string({
    nullable: true,
    description: 'Send it as `Authorization: Bearer …`, or in `connectionParams.accessToken`. With BODY only.',
    resolve: ({ tokens }) => tokens?.accessToken ?? null,
  }),
  accessTokenExpiresAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When to have refreshed the session by. With BODY only.',
    resolve: ({ tokens }) => tokens?.accessTokenExpiresAt ?? null,
  }),
  refreshToken: t.string({
    nullable: true,
    description: 'Good for one refresh, within 30 days. Keep it where no script of others can read it. With BODY only.',
    resolve: ({ tokens }) => tokens?.refreshToken ?? null,
  }),
  cart: t.field({
    type: CartRef,
    nullable: true,
    description: "The user's cart, with what the guest had.",
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.services.cart.find({ userId })),
  }),
  cartNotices: t.field({
    type: [UserErrorRef],
    nullable: false,
    description: "What of the guest's cart did not fit. The log-in itself succeeded.",
    resolve: ({ cartNotices }) => cartNotices ?? [],
  }),
}));

const tokensField = { defaultValue: 'COOKIE', description: 'How the tokens are handed over.' } as const;

const RegisterInputRef = builder.inputType('RegisterInput', {
  description: 'A new account.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'An e-mail address that has no account yet.' }),
    password: t.string({ required: true, description: '10 to 200 characters, and not one that everybody uses.' }),
    name: t.string({ required: true, description: 'What to call the user.' }),
    tokens: t.field({ type: TokenDeliveryRef, ...tokensField }),
  }),
});

const LoginInputRef = builder.inputType('LoginInput', {
  description: 'Who says to be whom.',
  fields: (t) => ({
    email: t.string({ required: true, description: "The account's address." }),
    password: t.string({ required: true, description: 'The password.' }),
    tokens: t.field({ type: TokenDeliveryRef, ...tokensField }),
  }),
});

const RefreshSessionInputRef = builder.inputType('RefreshSessionInput', {
  description: 'Leave `refreshToken` out where the refresh cookie is sent. What came by cookie is answered by cookie.',
  fields: (t) => ({ refreshToken: t.string({ description: 'The refresh token, where it is no cookie.' }) }),
});

const registerInput = z.object({ email: emailAddress, password: newPassword, name: plainText(100) });

const loginInput = z.object({
  email: emailAddress,
  password: z
    .string()
    .min(1, 'must not be empty')
    .max(2 * MOST, `must have at most ${MOST} characters`),
});

function entryOf({ userAgent, entering }: Context): Entry {
  return { userAgent, guestId: entering?.id ?? null };
}

/** Makes the user the viewer, for the fields that follow, and hands the tokens over. */
function admit(
  ctx: Context,
  user: Omit<Identity, 'expiresInMs'>,
  tokens: IssuedTokens,
  delivery: Delivery,
): IssuedTokens | null {
  setViewer(ctx, { user, guest: null });
  // Read before, if at all, as what it was then.
  ctx.loaders.user.clear(user.userId);
  if (delivery === 'BODY') return tokens;
  ctx.cookies.setSession(tokens);
  return null;
}

/** The guest has become a user: the guest's token has done its work. */
function welcome(ctx: Context, { user, tokens, cartNotices }: Entered, delivery: Delivery): AuthResult {
  ctx.cookies.clearCart();
  ctx.entering = null;
  const identity = { userId: user.id, role: user.role, sessionId: tokens.sessionId };
  return { userId: user.id, tokens: admit(ctx, identity, tokens, delivery), cartNotices };
}

async function refresh(ctx: Context, given: string | null | undefined): Promise<AuthResult> {
  const byCookie = given == null;
  try {
    const refreshToken = given ?? ctx.cookies.refreshToken;
    if (refreshToken === undefined) refuse('TOKEN_INVALID', 'There is no refresh token: log in.');
    const refreshed = await ctx.services.sessions.refresh(refreshToken, byCookie ? null : ['refreshToken']);
    const { tokens, ...identity } = refreshed;
    const body = admit(ctx, identity, tokens, byCookie ? 'COOKIE' : 'BODY');
    return { userId: identity.userId, tokens: body, cartNotices: [] };
  } catch (error) {
    // Neither can be of use again, and no script can take them away: the browser goes on as a guest.
    if (byCookie && error instanceof Refusal) ctx.cookies.clearSession();
    throw error;
  }
}

builder.mutationFields((t) => ({
  register: t.field({
    type: AuthPayloadRef,
    nullable: true,
    description: "Makes an account and logs in. The guest's cart becomes the user's.",
    args: { input: t.arg({ type: RegisterInputRef, required: true, description: 'The account.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const account = parseInput(registerInput, input);
        const entered = await ctx.services.accounts.register(account, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE');
      }),
  }),

  login: t.field({
    type: AuthPayloadRef,
    nullable: true,
    description: "Logs in. The guest's cart joins the user's; a second log-in is a session of its own.",
    args: { input: t.arg({ type: LoginInputRef, required: true, description: 'Who.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const credentials = parseInput(loginInput, input);
        const entered = await ctx.services.accounts.login(credentials, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE');
      }),
  }),

  refreshSession: t.field({
    type: AuthPayloadRef,
    nullable: true,
    description: `Gives new tokens for a refresh token, which can be used once: within ten seconds another tab may come with the
same; later that ends the session.`,
    args: { input: t.arg({ type: RefreshSessionInputRef, description: 'The refresh token, where it is no cookie.' }) },
    resolve: (_root, { input }, ctx) => orErrors(() => refresh(ctx, input?.refreshToken)),
  }),
}));
