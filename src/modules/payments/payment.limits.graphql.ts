import { byNetwork, type FieldAsk, type RateLimit } from '../../graphql/limits/rate-limits.ts';
import { limitedBy } from '../../graphql/schema/limited-fields.ts';
import { ownerOf } from '../../graphql/context/viewer.ts';
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
  return [{ limit, key: 'userId' in owner ? owner.userId : owner.guestId }];
}

/** `paymentStart` pins a cart and asks a provider. */
export const startLimits = limitedBy([startsByClient, startsByOwner], (_args: object, ctx) => [
  byNetwork(startsByClient, ctx),
  ...byOwner(startsByOwner, ctx),
]);

/** `paymentSync` and `paymentCancel` ask a provider. */
export const syncLimits = limitedBy([syncsByOwner, syncsByClient], (_args: object, ctx) => [
  byNetwork(syncsByClient, ctx),
  ...byOwner(syncsByOwner, ctx),
]);
