import type { ShopModule } from '../module.ts';
import { CATALOG_EVENTS, notingCatalog } from './catalog.memory.ts';
import { createCatalogService, type CatalogService } from './catalog.service.ts';
import { createCatalogWritingService, type CatalogWritingService } from './catalog-writing.service.ts';
import { createProductImportService, type ProductImportService } from './product-import.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    catalog: CatalogService;
    catalogWriting: CatalogWritingService;
    productImport: ProductImportService;
  }
}

/** Products, variants and categories. */
export const catalogModule: ShopModule = {
  name: 'catalog',
  services({ config, db, eventLog, services }) {
    const { inventory, staff } = services;
    const { shop, lowStockThreshold } = config;
    const writing = { db, inventory, staff, eventLog, currency: shop.currency, lowStockThreshold };
    return {
      catalog: createCatalogService({ db }),
      catalogWriting: createCatalogWritingService(writing),
      productImport: createProductImportService(writing),
    };
  },
  memory: {
    events: CATALOG_EVENTS,
    services: ({ catalog }, note) => ({ catalog: notingCatalog(catalog, note) }),
  },
  graphql: () =>
    Promise.all([
      import('./catalog.loaders.graphql.ts'),
      import('./limit-exceeded.graphql.ts'),
      import('./category.graphql.ts'),
      import('./product.graphql.ts'),
      import('./product-variant.graphql.ts'),
      import('./product-changed.graphql.ts'),
      import('./products.graphql.ts'),
      import('./product-facets.graphql.ts'),
      import('./variants.graphql.ts'),
      import('./product-mutations.graphql.ts'),
      import('./product-variant-mutations.graphql.ts'),
      import('./category-mutations.graphql.ts'),
    ]),
};
