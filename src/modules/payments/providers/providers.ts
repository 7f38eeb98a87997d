import type { Config } from '../../../config/config.ts';
import type { Database } from '../../../infra/postgres/database.ts';
import type { PaymentProvider } from './provider.types.ts';
import { createStripeProvider } from './stripe/stripe-provider.ts';
import type { TestProvider } from './test/test-provider.types.ts';
import { createTestProvider } from './test/test-provider.ts';

/** The payment providers of a shop. */
export interface Providers {
  /** By ID: those that are offered, and those that may still have open payments. */
  byId: ReadonlyMap<string, PaymentProvider>;
  /** Null in production. */
  test: TestProvider | null;
}

/**
 * Creates all providers that the shop can reach, whether or not they are offered: switching a provider off leaves its open payments
 * running. `manual` is none of them, because nobody outside of the shop is asked.
 */
export function createProviders({
  config,
  db,
}: {
  config: Pick<Config, 'production' | 'secrets' | 'payments'> & { shop: Pick<Config['shop'], 'currency'> };
  db: Database;
}): Providers {
  // Payments that move no money must not exist in production, whatever the setting says.
  const test = config.production ? null : createTestProvider({ db, secrets: config.secrets });
  const { stripe: stripeConfig } = config.payments;
  const stripe =
    stripeConfig === null ? null : createStripeProvider({ config: stripeConfig, currency: config.shop.currency });
  const all = [test, stripe].filter((provider) => provider !== null);
  return { byId: new Map(all.map((provider) => [provider.id, provider])), test };
}
