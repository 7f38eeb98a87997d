import type { ShopModule } from '../module.ts';
import { createProviders, type Providers } from './providers/providers.ts';

declare module '../module.ts' {
  interface ShopServices {
    paymentProviders: Providers;
  }
}

/** Those who move the money. They know nothing of carts and orders, so they come before the modules that do. */
export const paymentProvidersModule: ShopModule = {
  name: 'payments',
  services: ({ config, db }) => ({ paymentProviders: createProviders({ config, db }) }),
  async work({ services: { paymentProviders }, logger }) {
    const { test } = paymentProviders;
    const { startTestProvider } = await import('./providers/test/test-upkeep.ts');
    return {
      jobs: {},
      nudges: () => ({}),
      upkeep: () => (test === null ? [] : [startTestProvider({ provider: test, logger })]),
    };
  },
};
