import type { Overrides } from '../../src/app.ts';
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
 * @param overrides parts that take the place of the real ones, or are looked at
 */
export async function openQuietShop(
  env: NodeJS.ProcessEnv = {},
  overrides: Omit<Overrides, 'quiet'> = {},
): Promise<QuietShop> {
  const shop = await createTestShop({ env, overrides: { ...overrides, quiet: true } });
  const { cart } = shop.app.services;
  return { ...shop, eventLog: shop.app.eventLog, expireOverdue: (signal) => cart.expireOverdue(signal) };
}
