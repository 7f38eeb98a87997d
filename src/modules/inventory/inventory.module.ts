import type { ShopModule } from '../module.ts';
import { createInventoryService, type InventoryService } from './inventory.service.ts';
import { createOutsideStockService, type OutsideStockService } from './outside-stock.service.ts';
import { createShortfallConsumer } from './shortfall.consumer.ts';
import { createStockService, type StockService } from './stock.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    inventory: InventoryService;
    stock: StockService;
    outsideStock: OutsideStockService;
  }
}

/** Units of variants: on hand, held and available, with their ledger. */
export const inventoryModule: ShopModule = {
  name: 'inventory',
  services({ db, eventLog, services }) {
    const inventory = createInventoryService({ eventLog });
    return {
      inventory,
      stock: createStockService({ db, inventory, services }),
      outsideStock: createOutsideStockService({ db, inventory, services }),
    };
  },
  consumers: ({ services }) => [createShortfallConsumer(services.outsideStock)],
  graphql: () =>
    Promise.all([
      import('./inventory.loaders.graphql.ts'),
      import('./inventory.errors.graphql.ts'),
      import('./stock-subscriptions.graphql.ts'),
      import('./stock-movement.graphql.ts'),
      import('./stock-mutations.graphql.ts'),
      import('./inventory-audit.graphql.ts'),
      import('./outside-stock.graphql.ts'),
    ]),
};
