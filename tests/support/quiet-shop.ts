import type { CartService } from '../../src/modules/cart/cart.service.ts';
import type { World } from './fixtures.ts';
import { createTestShop, type TestShop } from './shop.ts';

/** A shop in which nothing happens by itself. */
export interface QuietShop extends TestShop, World {
  /** What the timer would do: expires every overdue cart. */
  expireOverdue: CartService['expireOverdue'];
}

/**
 * Opens a shop without jobs and consumers, whose timer expires no carts, so that a test sees what callers see before it does.
 * @param env environment variables over the test's own
 */
export async function openQuietShop(env: NodeJS.ProcessEnv = {}): Promise<QuietShop> {
  let expireOverdue: CartService['expireOverdue'] = () => Promise.reject(new Error('the shop is not open'));
  const shop = await createTestShop({
    env,
    overrides: {
      quiet: true,
      services: (real) => {
        ({ expireOverdue } = real.cart);
        return { ...real, cart: { ...real.cart, expireOverdue: () => Promise.resolve({ carts: 0, units: 0 }) } };
      },
    },
  });
  return { ...shop, eventLog: shop.app.eventLog, expireOverdue };
}
