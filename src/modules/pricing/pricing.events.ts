import { z } from 'zod';
import { defineEvent, type NewEvent } from '../../events/event.ts';

/** The one subject of all these events: the terms of prices. A subscriber to carts can come back to them as to its own carts. */
export const TERMS_SUBJECT = '0f7d3d3e-5b5c-4b7a-9a5e-7072696365a0';

const payload = z.object({
  what: z.enum(['PROMOTION', 'SHIPPING', 'TAX']),
  /** The row that changed; left out where a window opened or closed. */
  rowId: z.guid().optional(),
});

/**
 * The terms by which carts are priced changed: a promotion (also one that began, ended or is used up), or the tables of shipping or
 * tax. Appended in the transaction of the change.
 */
export const pricingChanged = defineEvent('pricing_changed', payload);

/**
 * The event of changed terms.
 * @param rowId the row that changed; left out where a window opened or closed
 */
export function termsChanged(what: z.infer<typeof payload>['what'], rowId?: string): NewEvent {
  return pricingChanged.of(TERMS_SUBJECT, { what, rowId });
}
