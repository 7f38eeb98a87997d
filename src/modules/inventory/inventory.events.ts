import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** The level of a variant changed. Written with the change, in inventory's own statement. */
export const stockChanged = defineEvent(
  'stock_changed',
  z.object({
    variantId: z.guid(),
    productId: z.guid(),
    available: z.int(),
    previousAvailable: z.int(),
  }),
);

const crossing = { variantId: z.guid(), productId: z.guid(), available: z.int() };

/** A step took the level from above the low-stock threshold to it or below. Written with the step, like the next two. */
export const lowStock = defineEvent(
  'low_stock',
  z.object({
    ...crossing,
    threshold: z.int(),
    /** The cart that took the units; null where it was no cart. */
    cartId: z.guid().nullable(),
  }),
);

/** A step took the level above the low-stock threshold again. */
export const stockRecovered = defineEvent('stock_recovered', z.object({ ...crossing, threshold: z.int() }));

/** A step left some where there was none. */
export const backInStock = defineEvent('back_in_stock', z.object(crossing));
