import { byEmail, byNetwork, type FieldAsk, type RateLimit } from '../../graphql/limits/rate-limits.ts';
import { limitedBy } from '../../graphql/schema/limited-fields.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { ownerIdOf } from '../cart/cart.service.ts';
import type { Context } from '../../graphql/context/context.ts';

const MINUTE = 60;

/** Each holds units, and may be charged for by the provider. Many shoppers may share a network. */
const startsByClient: RateLimit = {
  name: 'paymentStartsByClient',
  points: 60,
  seconds: 15 * MINUTE,
  tooMany: 'payments from your network',
};
const startsByOwner: RateLimit = {
  name: 'paymentStartsByOwner',
  points: 20,
  seconds: 15 * MINUTE,
  tooMany: 'payments for your carts',
};
/** Each asks the provider. */
const syncsByOwner: RateLimit = {
  name: 'paymentSyncsByOwner',
  points: 30,
  seconds: MINUTE,
  tooMany: 'requests about your payments',
};
const syncsByClient: RateLimit = {
  name: 'paymentSyncsByClient',
  points: 120,
  seconds: MINUTE,
  tooMany: 'requests about payments from your network',
};

function byOwner(limit: RateLimit, ctx: Context): FieldAsk[] {
  const owner = ownerOf(ctx.viewer);
  if (owner === null) return [];
  return [{ limit, key: ownerIdOf(owner) }];
}

/** Letters about the payment and its order go to an address that anyone can type. */
const startsByEmail: RateLimit = {
  name: 'paymentStartsByEmail',
  points: 20,
  seconds: 60 * MINUTE,
  tooMany: 'payments with this email address',
};

/** `paymentStart` pins a cart, asks a provider, and has letters sent. */
export const startLimits = limitedBy<{ input: { email?: string | null } }>(
  [startsByClient, startsByOwner, startsByEmail],
  async ({ input }, ctx): Promise<FieldAsk[]> => {
    const { guest, user } = ctx.viewer;
    const ofCart = user === null && guest !== null ? await ctx.services.cart.find({ guestId: guest.id }) : null;
    const email = input.email ?? ofCart?.email;
    return [
      byNetwork(startsByClient, ctx),
      ...byOwner(startsByOwner, ctx),
      ...(email == null ? [] : [byEmail(startsByEmail, email)]),
    ];
  },
);

/** `paymentSync` and `paymentCancel` ask a provider. */
export const syncLimits = limitedBy([syncsByOwner, syncsByClient], (_args: object, ctx) => [
  byNetwork(syncsByClient, ctx),
  ...byOwner(syncsByOwner, ctx),
]);
