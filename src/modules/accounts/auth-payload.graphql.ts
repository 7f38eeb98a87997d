import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { payloadType } from '../../graphql/payload.ts';
import { UserErrorRef } from '../../graphql/user-errors.ts';
import { setViewer } from '../../graphql/viewer.ts';
import { CartRef } from '../cart/cart.refs.graphql.ts';
import type { UserError } from '../user-error.ts';
import type { Entered, Entry } from './account.service.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import type { Identity, IssuedTokens } from './session.service.ts';

/*
 * Two ways to hand tokens over, which never mix: as cookies that no script can read, or in the body. What came by cookie is
 * never answered in the body, or a script could ask for it there.
 */

/** How tokens are handed over. */
export type Delivery = 'COOKIE' | 'BODY';

/** The same for clients. */
export const TokenDeliveryRef = builder.enumType('TokenDelivery', {
  description: 'How tokens are handed over.',
  values: {
    COOKIE: { description: 'As HTTP-only cookies; the token fields are null.' },
    BODY: {
      description:
        'In the payload; no cookie is set. For clients that are no browsers, and front ends on another site.',
    },
  },
});

/** The answer to a log-in. */
export interface AuthResult {
  userId: string;
  /** Null where the tokens went out as cookies. */
  tokens: IssuedTokens | null;
  /** Null where it went out as a cookie, or stays as it is. */
  deviceToken?: string | null;
  /** When the access token ends, however it was handed over. */
  accessTokenExpiresAt: Date;
  cartNotices: readonly UserError[];
}

/** The same for clients. */
export const AuthPayloadRef = payloadType<AuthResult>('AuthPayload', 'Who is logged in now, and what to stay so with.');

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
    description: 'When the access token ends: refresh the session before. Null where the log-in was refused.',
    resolve: ({ accessTokenExpiresAt }) => accessTokenExpiresAt ?? null,
  }),
  refreshToken: t.string({
    nullable: true,
    description: 'Good for one refresh, within 30 days. Keep it where no script of others can read it. With BODY only.',
    resolve: ({ tokens }) => tokens?.refreshToken ?? null,
  }),
  deviceToken: t.string({
    nullable: true,
    description: `Send it with the next log-in on this device (\`LoginInput.deviceToken\`): then wrong passwords that others try do not
keep the user out. Grants nothing by itself. With BODY only; null after a refresh.`,
    resolve: ({ deviceToken }) => deviceToken ?? null,
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

/** The input field that asks for it. */
export const tokensField = { defaultValue: 'COOKIE', description: 'How the tokens are handed over.' } as const;

/** Who comes in, as the request tells. */
export function entryOf({ userAgent, entering, accessToken, services }: Context): Entry {
  const sessionId = accessToken === null ? null : services.sessions.sessionOf(accessToken);
  return { userAgent, guestId: entering?.id ?? null, sessionId };
}

/** Makes the user the viewer, for the fields that follow, and hands the tokens over. */
export function admit(
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

/**
 * The guest has become a user: the guest's token has done its work.
 * @param device the device token that came in the body
 */
export function welcome(
  ctx: Context,
  { user, tokens, cartNotices }: Entered,
  delivery: Delivery,
  device?: string | null,
): AuthResult {
  ctx.cookies.clearCart();
  ctx.entering = null;
  const identity = { userId: user.id, role: user.role, sessionId: tokens.sessionId };
  const { accounts } = ctx.services;
  const admitted = admit(ctx, identity, tokens, delivery);
  const known = accounts.knownDevice(device ?? ctx.cookies.deviceToken, user.email);
  const deviceToken = accounts.deviceToken(user.email, known);
  if (delivery === 'COOKIE') ctx.cookies.setDevice(deviceToken);
  return {
    userId: user.id,
    tokens: admitted,
    accessTokenExpiresAt: tokens.accessTokenExpiresAt,
    deviceToken: delivery === 'COOKIE' ? null : deviceToken,
    cartNotices,
  };
}
