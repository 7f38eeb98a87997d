import { z } from 'zod';
import { defineEvent, type NewEvent } from '../../events/event.ts';
import type { OwnerColumns } from './cart-owner.ts';

const kind = z.enum([
  'LINES',
  'EXPIRED',
  'CHECKED_OUT',
  'MERGED',
  'RECLAIMED',
  'EMAIL',
  'DISCOUNT_CODES',
  'SHIPPING',
  'PAYMENT',
  'LOW_STOCK',
]);

/**
 * Something happened to a cart: its lines or its address changed, its time ran out, it was bought or joined to another. LOW_STOCK: nothing
 * did, but something in it runs low.
 */
export const cartChanged = defineEvent(
  'cart_changed',
  z.object({
    cartId: z.guid(),
    /** Whose it is: one of the two. Events from before there were users have the guest alone. */
    guestId: z.guid().nullable(),
    userId: z.guid().nullable().default(null),
    kind,
    /** The cart's version after the change; LOW_STOCK leaves it as it is. */
    version: z.int(),
    /** What runs low; with LOW_STOCK only. */
    variantId: z.guid().optional(),
    /** The owner's cart from now on, to which the lines went; with MERGED only, and only where there is one. */
    intoCartId: z.guid().optional(),
  }),
);

/** The event of a change that raises the version of a cart, given as it was before. */
export function changeOf(
  cart: OwnerColumns & { id: string; version: number },
  what: Exclude<z.infer<typeof kind>, 'LOW_STOCK'>,
  more: { intoCartId?: string } = {},
): NewEvent {
  const { id: cartId, guestId, userId, version } = cart;
  return cartChanged.of(cartId, { cartId, guestId, userId, kind: what, version: version + 1, ...more });
}
