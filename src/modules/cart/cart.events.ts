import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** Something happened to a cart: its lines changed, its time ran out, it was bought or joined to another. */
export const cartChanged = defineEvent(
  'cart_changed',
  z.object({
    cartId: z.uuid(),
    guestId: z.uuid(),
    kind: z.enum(['LINES', 'EXPIRED', 'CHECKED_OUT', 'MERGED', 'RECLAIMED']),
    /** The cart's version after the change. */
    version: z.int(),
  }),
);
