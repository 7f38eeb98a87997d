import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { UserErrorRef } from '../../graphql/schema/user-errors.ts';
import { setViewer } from '../../graphql/context/viewer.ts';
import { CartRef } from '../cart/cart.refs.graphql.ts';
import type { UserError } from '../user-error.ts';
import type { Entered, Entry } from './account.service.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import type { Identity, IssuedTokens } from './session.service.ts';

/*
 * Two ways to hand tokens over, which never mix: as cookies that no script can read, or in the body. What came by cookie is
 * never answered in the body, or a script could ask for it there.
 */

/** How tokens are returned. */
export type Delivery = 'COOKIE' | 'BODY';

/** The same for clients. */
export const TokenDeliveryRef = builder.enumType('TokenDelivery', {
  description: 'How a mutation returns the tokens of a session.',
  values: {
    COOKIE: {
      description:
        'As HTTP-only cookies. The token fields of the payload are null. For browsers on the same site as the ' +
        'shop.',
    },
    BODY: {
      description:
        'In the payload, without setting cookies. For clients other than browsers, and for front ends on another ' +
        'site.',
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
export const AuthPayloadRef = payloadType<AuthResult>(
  'AuthPayload',
  'Result of a mutation that starts or renews a session.',
);

builder.objectFields(AuthPayloadRef, (t) => ({
  user: t.field({
    type: UserRef,
    nullable: true,
    description: 'User who is now logged in. Null if the mutation failed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
  accessToken: t.string({
    nullable: true,
    description:
      'Access token, valid for 15 minutes. Send it as `Authorization: Bearer …`, or as ' +
      '`connectionParams.accessToken` of a WebSocket. Null unless tokens are returned in the body.',
    resolve: ({ tokens }) => tokens?.accessToken ?? null,
  }),
  accessTokenExpiresAt: t.field({
    type: 'DateTime',
    nullable: true,
    description:
      'Time at which the access token expires; call `refreshSession` before then. Null if the mutation failed.',
    resolve: ({ accessTokenExpiresAt }) => accessTokenExpiresAt ?? null,
  }),
  refreshToken: t.string({
    nullable: true,
    description:
      'Refresh token, valid for 30 days and for one call of `refreshSession`. Store it where scripts from other ' +
      'sources cannot read it. Null unless tokens are returned in the body.',
    resolve: ({ tokens }) => tokens?.refreshToken ?? null,
  }),
  deviceToken: t.string({
    nullable: true,
    description:
      'Token that identifies this device. Pass it as `LoginInput.deviceToken` at the next login from this ' +
      'device, so that failed logins by strangers do not lock the user out. It grants no access. Null unless ' +
      'tokens are returned in the body, and null from `refreshSession`.',
    resolve: ({ deviceToken }) => deviceToken ?? null,
  }),
  cart: t.field({
    type: CartRef,
    nullable: true,
    description:
      "Cart of the user, including the lines of the guest's cart. Null if the user has no cart or the mutation " +
      'failed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.services.cart.find({ userId })),
  }),
  cartNotices: t.field({
    type: [UserErrorRef],
    nullable: false,
    description:
      "Lines of the guest's cart that could not be moved to the user's cart in full. The login itself succeeded.",
    resolve: ({ cartNotices }) => cartNotices ?? [],
  }),
}));

/** The input field that asks for it. */
export const tokensField = {
  defaultValue: 'COOKIE',
  description: 'How to return the tokens. Defaults to COOKIE.',
} as const;

/** Context of a login, taken from the request. */
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
