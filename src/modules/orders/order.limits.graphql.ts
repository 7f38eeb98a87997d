import { limitedBy } from '../../graphql/schema/limited-fields.ts';
import {
  byEmail,
  byEmailAndNetwork,
  byNetwork,
  type FieldAsk,
  type RateLimit,
} from '../../graphql/limits/rate-limits.ts';
import { isStaff } from '../../graphql/context/viewer.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/*
 * Guesses at the number and address of somebody's order. Only what finds no order counts: people who have the confirmation before
 * them find it at once or after a slip or two. What is locked is locked for the right answer, too, or guessing could go on.
 */
const lookUpsByEmailAndClient: RateLimit = {
  name: 'lookUpsByEmailAndClient',
  points: 5,
  seconds: 15 * MINUTE,
  tooMany: 'failed order lookups with this email address',
};
/** From however many networks. Much higher than the limit for one network, or strangers could lock the owner out. */
const lookUpsByEmail: RateLimit = {
  name: 'lookUpsByEmail',
  points: 50,
  seconds: HOUR,
  tooMany: 'failed order lookups with this email address',
};
const lookUpsByClient: RateLimit = {
  name: 'lookUpsByClient',
  points: 30,
  seconds: 15 * MINUTE,
  tooMany: 'failed order lookups from your network',
};
/** Access tokens cannot be guessed: this spares the database. */
const orderTokensByClient: RateLimit = {
  name: 'orderTokensByClient',
  points: 100,
  seconds: 15 * MINUTE,
  tooMany: 'invalid order tokens from your network',
};

interface LookUp {
  accessToken?: string | null;
  number?: string | null;
  email?: string | null;
}

/** `order` confirms guesses at a number with an address, and at an access token. */
export const lookUpLimits = limitedBy<LookUp>(
  [lookUpsByEmailAndClient, lookUpsByEmail, lookUpsByClient, orderTokensByClient],
  ({ accessToken, number, email }, ctx) => {
    if (isStaff(ctx.viewer)) return [];
    const back = { back: 'SUCCESS' } as const;
    const byToken = accessToken == null ? [] : [byNetwork(orderTokensByClient, ctx, back)];
    if (number == null || email == null) return byToken;
    return [
      ...byToken,
      byEmailAndNetwork(lookUpsByEmailAndClient, email, ctx, back),
      byEmail(lookUpsByEmail, email, back),
      byNetwork(lookUpsByClient, ctx, back),
    ];
  },
);

/** `orderCancel` confirms guesses at an access token. */
export const cancelLimits = limitedBy<{ input: { accessToken?: string | null } }>(
  [orderTokensByClient],
  ({ input: { accessToken } }, ctx) =>
    accessToken == null ? [] : [byNetwork(orderTokensByClient, ctx, { back: 'SUCCESS' })],
);

/** Each order has a letter sent, to an address that anyone can type. What is not bought does not count. */
const checkoutsByEmail: RateLimit = {
  name: 'checkoutsByEmail',
  points: 10,
  seconds: HOUR,
  tooMany: 'orders with this email address',
};
/** Many shoppers may share a network, and all of them buy when a sale begins. */
const checkoutsByClient: RateLimit = {
  name: 'checkoutsByClient',
  points: 40,
  seconds: 15 * MINUTE,
  tooMany: 'orders from your network',
};
/** Orders of an account to its own address. */
const checkoutsByUser: RateLimit = {
  name: 'checkoutsByUser',
  points: 60,
  seconds: HOUR,
  tooMany: 'orders of this account',
};

/** `checkout` has a letter sent to the address that the order names, the cart's, or the account's. */
export const checkoutLimits = limitedBy<{ input: { email?: string | null } }>(
  [checkoutsByEmail, checkoutsByClient, checkoutsByUser],
  async ({ input }, ctx): Promise<FieldAsk[]> => {
    const back = { back: 'FAILURE' } as const;
    const { user, guest } = ctx.viewer;
    const byClient = byNetwork(checkoutsByClient, ctx, back);
    if (user !== null) {
      const own: FieldAsk = { limit: checkoutsByUser, key: user.userId, ...back };
      return input.email == null ? [own, byClient] : [own, byClient, byEmail(checkoutsByEmail, input.email, back)];
    }
    if (guest === null) return [byClient];
    const email = input.email ?? (await ctx.services.cart.find({ guestId: guest.id }))?.email;
    return email == null ? [byClient] : [byClient, byEmail(checkoutsByEmail, email, back)];
  },
);

/** Emails with a new link go only to the order's own address, no matter who requests them. */
const orderLinksByOrder: RateLimit = {
  name: 'orderLinksByOrder',
  points: 5,
  seconds: HOUR,
  tooMany: 'link requests for this order',
};
const orderLinksByClient: RateLimit = {
  name: 'orderLinksByClient',
  points: 20,
  seconds: HOUR,
  tooMany: 'order link requests from your network',
};

/** `orderLinkRequest` has a letter sent. */
export const linkLimits = limitedBy<{ input: LookUp }>(
  [orderLinksByOrder, orderLinksByClient],
  ({ input: { accessToken, number, email } }, ctx) => [
    byNetwork(orderLinksByClient, ctx),
    ...(accessToken == null ? [] : [{ limit: orderLinksByOrder, key: accessToken }]),
    ...(number == null || email == null ? [] : [byEmail(orderLinksByOrder, email)]),
  ],
);
