import type { ShopModule } from '../module.ts';
import { notingTax, TAX_EVENTS } from './tax.memory.ts';
import { createTaxService, type TaxService } from './tax.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    tax: TaxService;
  }
}

/** Tax categories, tax rates, and users who are exempt from tax. */
export const taxModule: ShopModule = {
  name: 'tax',
  services: ({ db, eventLog, services }) => ({ tax: createTaxService({ db, eventLog, staff: services.staff }) }),
  memory: {
    events: TAX_EVENTS,
    services: ({ tax }, note) => ({ tax: notingTax(tax, note) as TaxService }),
  },
  graphql: () =>
    Promise.all([
      import('./tax.loaders.graphql.ts'),
      import('./tax-category.graphql.ts'),
      import('./tax-rate.graphql.ts'),
      import('./tax-exemption.graphql.ts'),
    ]),
};
