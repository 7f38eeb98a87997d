import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/**
 * The terms by which carts are priced changed: a promotion, or the tables of shipping or tax. Appended in the transaction of the
 * change; its subject is the row that changed.
 */
export const pricingChanged = defineEvent(
  'pricing_changed',
  z.object({ what: z.enum(['PROMOTION', 'SHIPPING', 'TAX']) }),
);
