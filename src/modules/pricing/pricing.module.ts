import type { ShopModule } from '../module.ts';
import { createPricingService, type PricingService } from './pricing.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    pricing: PricingService;
  }
}

/** What carts cost: promotions, shipping and tax. */
export const pricingModule: ShopModule = {
  name: 'pricing',
  services: ({ config, db, eventLog }) => ({
    pricing: createPricingService({ db, eventLog, config: config.pricing, shop: config.shop }),
  }),
  work: async ({ services, logger }) => {
    const { startWindows } = await import('./windows.ts');
    return { jobs: {}, nudges: () => ({}), upkeep: () => [startWindows({ pricing: services.pricing, logger })] };
  },
  graphql: () => import('./pricing.refs.graphql.ts'),
};
