import type { Note } from '../module.ts';
import { pricingChanged } from '../pricing/pricing.events.ts';
import type { TaxService } from './tax.service.ts';

/** The events after which a tax category may be another. */
export const TAX_EVENTS = [pricingChanged.type] as const;

/** Tax categories for answers that are kept. They change so rarely that each depends on every change of terms. */
export function notingTax(tax: TaxService, note: Note): Pick<TaxService, 'categoriesByIds'> {
  return {
    async categoriesByIds(ids) {
      note(pricingChanged.type);
      return tax.categoriesByIds(ids);
    },
  };
}
