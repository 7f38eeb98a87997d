import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** A cart became an order. */
export const orderPlaced = defineEvent('order_placed', z.object({ orderId: z.uuid() }));
