import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** The level of a variant changed. Written with the change, in inventory's own statement. */
export const stockChanged = defineEvent(
  'stock_changed',
  z.object({
    variantId: z.uuid(),
    productId: z.uuid(),
    available: z.int(),
    previousAvailable: z.int(),
  }),
);
