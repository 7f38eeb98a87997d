import type { Context } from '../../graphql/context/context.ts';
import { idOf } from '../../graphql/schema/global-id.ts';
import { limitedBy } from '../../graphql/schema/limited-fields.ts';
import { byEmail, byNetwork, type FieldAsk, type RateLimit } from '../../graphql/limits/rate-limits.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { isOwnedBy } from './cart-owner.ts';
import { MAX_DISCOUNT_CODES } from './cart.rules.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A guest is made by the first thing put in a cart, and each can hold as much as a cart takes. A campus is one network. */
const guestsByClient: RateLimit = {
  name: 'guestsByClient',
  points: 300,
  seconds: HOUR,
  tooMany: 'new carts from your network',
};

/**
 * Units put in carts, whether they stay there or not: so many can one client keep from all others. The networks around a /64 get
 * little more: with 4 or 16 times as many, one customer of a provider could hold a whole shop.
 */
const unitsByClient: RateLimit = {
  name: 'unitsByClient',
  points: ({ cart }) => Math.max(1000, 10 * cart.maxUnitsPerVariant),
  seconds: 15 * MINUTE,
  tooMany: 'units added to carts from your network',
  wider: { 56: 2, 48: 4 },
};

/** Anyone can type an address: a cart with one has mail sent to it. */
const cartEmailsByEmail: RateLimit = {
  name: 'cartEmailsByEmail',
  points: 20,
  seconds: HOUR,
  tooMany: 'carts with this email address',
};
const cartEmailsByClient: RateLimit = {
  name: 'cartEmailsByClient',
  points: 120,
  seconds: HOUR,
  tooMany: 'email addresses set from your network',
};

/** Guesses at discount codes: only codes that do not exist count. */
const unknownCodesByClient: RateLimit = {
  name: 'unknownCodesByClient',
  points: 30,
  seconds: 15 * MINUTE,
  tooMany: 'unknown discount codes from your network',
};

/** Counts a request that creates a guest. */
function newGuest(ctx: Context): FieldAsk[] {
  return ownerOf(ctx.viewer) === null ? [byNetwork(guestsByClient, ctx)] : [];
}

function units(points: number, ctx: Context): FieldAsk[] {
  return points === 0 ? [] : [byNetwork(unitsByClient, ctx, { points })];
}

/** More of a line than a cart may have is refused in any case: a slip of the finger does not use the limit up. */
function sumOf(quantities: readonly number[], ctx: Context): number {
  const most = ctx.services.cart.maxUnitsPerVariant;
  return quantities.reduce((sum, quantity) => sum + Math.min(Math.max(quantity, 0), most), 0);
}

interface LinesToAdd {
  input: { lines: readonly { quantity: number }[] };
}

interface LinesToUpdate {
  input: { lines: readonly { id: string; quantity: number }[] };
}

/** `cartCreate` makes guests. */
export const createLimits = limitedBy([guestsByClient], (_args, ctx) => newGuest(ctx));

/** `cartLinesAdd` makes guests and holds units. */
export const addLimits = limitedBy<LinesToAdd>([guestsByClient, unitsByClient], ({ input: { lines } }, ctx) => {
  const quantities = lines.map(({ quantity }) => quantity);
  return [...newGuest(ctx), ...units(sumOf(quantities, ctx), ctx)];
});

/** `cartLinesUpdate` holds the units by which lines grow. */
export const updateLimits = limitedBy<LinesToUpdate>([unitsByClient], async ({ input: { lines } }, ctx) => {
  const owner = ownerOf(ctx.viewer);
  const cart = owner === null ? null : await ctx.services.cart.find(owner);
  const present = new Map(cart?.lines.map(({ id, quantity }) => [id, quantity]));
  const raises = lines.map(({ id, quantity }) => {
    const before = present.get(idOf('CartLine', id) ?? '');
    // What is no line of the viewer's is not changed.
    return before === undefined ? 0 : quantity - before;
  });
  return units(sumOf(raises, ctx), ctx);
});

/** `cartReclaim` holds the units of an expired cart again. */
export const reclaimLimits = limitedBy<{ input: { cartId: string } }>([unitsByClient], async ({ input }, ctx) => {
  const [id, owner] = [idOf('Cart', input.cartId), ownerOf(ctx.viewer)];
  const [cart] = id === null ? [] : await ctx.services.cart.byIds([id]);
  if (cart?.status !== 'EXPIRED' || owner === null || !isOwnedBy(cart, owner)) return [];
  const quantities = cart.lines.map(({ quantity }) => quantity);
  // A cart may have been filled over an hour: it takes all there is, and is not kept out for ever.
  return units(Math.min(sumOf(quantities, ctx), ctx.throttle?.limits[unitsByClient.name]?.points ?? 0), ctx);
});

/** `cartEmailSet` has mail sent to an address of the caller's choice. */
export const emailLimits = limitedBy<{ input: { email: string } }>(
  [cartEmailsByEmail, cartEmailsByClient],
  ({ input }, ctx) => [
    byEmail(cartEmailsByEmail, input.email, { back: 'FAILURE' }),
    byNetwork(cartEmailsByClient, ctx, { back: 'FAILURE' }),
  ],
);

/** `cartDiscountCodesSet` confirms guesses at codes. */
export const codeLimits = limitedBy<{ input: { codes: readonly string[] } }>(
  [unknownCodesByClient],
  async ({ input }, ctx) => {
    const unknown = await ctx.services.pricing.countUnknownCodes(input.codes.slice(0, MAX_DISCOUNT_CODES));
    if (input.codes.length === 0) return [];
    // What is locked is locked for known codes, too, or guessing could go on.
    return [byNetwork(unknownCodesByClient, ctx, unknown === 0 ? { back: 'SUCCESS' } : { points: unknown })];
  },
);
