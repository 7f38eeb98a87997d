import type { ShopModule } from '../module.ts';
import type { CheckoutBatch } from './checkout-batch.ts';
import { createOrderService, type OrderService } from './order.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    orders: OrderService;
  }
  interface ServiceOverrides {
    checkoutBatch?: CheckoutBatch;
  }
}

/** Checkouts that share a transaction at most. */
const MOST_TOGETHER = 32;

/** Checkout, and orders from then on. */
export const ordersModule: ShopModule = {
  name: 'orders',
  services({ config, db, eventLog, services, logger, overrides }) {
    const { catalog, inventory, cart, guests, staff, pricing: prices } = services;
    const { secrets, shop } = config;
    return {
      orders: createOrderService({
        ...{ db, catalog, inventory, cart, guests, staff, prices, eventLog, secrets, shop, logger },
        batch: overrides.checkoutBatch,
        // A transaction belongs to one trace, and so do its events and the emails that follow from them.
        mostTogether: config.tracing === null ? MOST_TOGETHER : 1,
        takesUnpaid: config.payments.providers.includes('manual'),
      }),
    };
  },
  graphql: () =>
    Promise.all([
      import('./order.loaders.graphql.ts'),
      import('./order.errors.graphql.ts'),
      import('./order.graphql.ts'),
      import('./order-prices.graphql.ts'),
      import('./order-lookup.graphql.ts'),
      import('./checkout.graphql.ts'),
      import('./order-mutations.graphql.ts'),
      import('./orders.graphql.ts'),
      import('./order-placed.graphql.ts'),
      import('./order-payment-status-changed.graphql.ts'),
      import('./order-status-changed.graphql.ts'),
      import('./user-orders.graphql.ts'),
    ]),
};
