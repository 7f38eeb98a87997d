import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { emailAddress, parseInput, plainText } from '../input.ts';
import { Refusal, refuse } from '../user-error.ts';
import {
  admit,
  AuthPayloadRef,
  entryOf,
  TokenDeliveryRef,
  tokensField,
  welcome,
  type AuthResult,
} from './auth-payload.graphql.ts';
import { MOST, newPassword } from './password.ts';
import { loginLimits, refreshLimits, registerLimits } from './account.limits.graphql.ts';

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
    deviceToken: t.string({
      description: 'The device token of an earlier log-in on this device, where it is no cookie.',
    }),
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

async function refresh(ctx: Context, given: string | null | undefined): Promise<AuthResult> {
  const byCookie = given == null;
  try {
    const refreshToken = given ?? ctx.cookies.refreshToken;
    if (refreshToken === undefined) refuse('TOKEN_INVALID', 'There is no refresh token: log in.');
    const refreshed = await ctx.services.sessions.refresh(refreshToken, byCookie ? null : ['refreshToken']);
    const { tokens, ...identity } = refreshed;
    const body = admit(ctx, identity, tokens, byCookie ? 'COOKIE' : 'BODY');
    const { accessTokenExpiresAt } = tokens;
    return { userId: identity.userId, tokens: body, accessTokenExpiresAt, cartNotices: [] };
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
    extensions: registerLimits,
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
    extensions: loginLimits,
    description: "Logs in. The guest's cart joins the user's; a second log-in is a session of its own.",
    args: { input: t.arg({ type: LoginInputRef, required: true, description: 'Who.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const credentials = parseInput(loginInput, input);
        const entered = await ctx.services.accounts.login(credentials, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE', input.deviceToken);
      }),
  }),

  refreshSession: t.field({
    type: AuthPayloadRef,
    nullable: true,
    extensions: refreshLimits,
    description: `Gives new tokens for a refresh token, which can be used once: within ten seconds another tab may come with the
same; later that ends the session.`,
    args: { input: t.arg({ type: RefreshSessionInputRef, description: 'The refresh token, where it is no cookie.' }) },
    resolve: (_root, { input }, ctx) => orErrors(() => refresh(ctx, input?.refreshToken)),
  }),
}));
