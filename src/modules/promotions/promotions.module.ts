import type { ShopModule } from '../module.ts';
import { createPromotionService, type PromotionService } from './promotion.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    promotions: PromotionService;
  }
}

/** Promotions and their codes, as staff keep them. */
export const promotionsModule: ShopModule = {
  name: 'promotions',
  services({ config, db, eventLog, services }) {
    const { accounts, catalog, staff } = services;
    return {
      promotions: createPromotionService({
        ...{ db, accounts, catalog, staff, eventLog },
        prices: () => services.pricing,
        shop: config.shop,
      }),
    };
  },
  graphql: () =>
    Promise.all([
      import('./promotion.loaders.graphql.ts'),
      import('./promotion.graphql.ts'),
      import('./promotion-usage.graphql.ts'),
      import('./promotion-preview.graphql.ts'),
      import('./promotions.graphql.ts'),
      import('./promotion-mutations.graphql.ts'),
      import('./promotion-code-mutations.graphql.ts'),
    ]),
};
