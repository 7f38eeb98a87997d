import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import type { Batch } from './cart-batch.ts';
import type { CartDue } from './cart.due.ts';
import type { CartExpiryPayload } from './cart.jobs.ts';
import { cartRetention } from './cart.retention.ts';
import { createCartService, type CartService } from './cart.service.ts';
import { createLowStockNotices } from './low-stock.consumer.ts';

declare module '../module.ts' {
  interface ShopServices {
    cart: CartService;
  }
  interface ServiceOverrides {
    cartBatch?: Batch;
  }
  interface Nudges {
    /** The deadline of a cart was set. */
    cart(due: CartDue): void;
  }
  interface ShopJobs {
    cartExpiry: Job<CartExpiryPayload>;
  }
}

/** Carts, and the units that they hold. */
export const cartModule: ShopModule = {
  name: 'cart',
  services({ config, db, eventLog, nudges, services, logger, overrides }) {
    const { catalog, inventory, guests } = services;
    const cart = createCartService({
      ...{ db, catalog, inventory, guests, eventLog, logger },
      config: config.cart,
      secrets: config.secrets,
      onDue: (due) => nudges.cart(due),
      batch: overrides.cartBatch,
    });
    return { cart };
  },
  nudges: ['cart'],
  consumers: ({ eventLog }) => [createLowStockNotices({ eventLog })],
  async work({ services }) {
    const [{ createCartExpiryJob, cartExpiryId }, { createDueNudges }] = await Promise.all([
      import('./cart.jobs.ts'),
      import('./cart.due.ts'),
    ]);
    return {
      jobs: { cartExpiry: createCartExpiryJob(services.cart) },
      nudges: ({ cartExpiry }, enqueue) => ({
        cart: createDueNudges((second, delayMs) =>
          enqueue(cartExpiry, { second }, { id: cartExpiryId(second), delayMs }),
        ),
      }),
    };
  },
  // Subscribers who come back to an event of a cart are shown the cart.
  retention: ({ retention, eventRetentionDays }) => cartRetention(Math.max(retention.cartDays, eventRetentionDays + 1)),
  graphql: () =>
    Promise.all([
      import('./cart.loaders.graphql.ts'),
      import('./cart.graphql.ts'),
      import('./cart-changed.graphql.ts'),
      import('./cart-mutations.graphql.ts'),
      import('./cart-prices.graphql.ts'),
      import('./cart-prices-mutations.graphql.ts'),
    ]),
};
