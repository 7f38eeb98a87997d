import type { Config } from '../../../config/config.ts';
import type { Database } from '../../../infra/postgres/database.ts';
import type { PaymentProvider } from './provider.types.ts';
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
  config: Pick<Config, 'production' | 'secrets'>;
  db: Database;
}): Providers {
  // Payments that move no money must not exist in production, whatever the setting says.
  const test = config.production ? null : createTestProvider({ db, secrets: config.secrets });
  const all: readonly PaymentProvider[] = [...(test === null ? [] : [test])];
  return { byId: new Map(all.map((provider) => [provider.id, provider])), test };
}
