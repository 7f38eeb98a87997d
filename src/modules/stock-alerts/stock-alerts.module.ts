import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import { createStockAlertConsumer } from './stock-alert-chains.ts';
import type { StockAlertPayload } from './stock-alert.jobs.ts';
import { stockAlertRetention } from './stock-alert.retention.ts';
import { createStockAlertService, type StockAlertService } from './stock-alert.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    stockAlerts: StockAlertService;
  }
  interface Nudges {
    /** A batch of the people who wait for a variant is due in `delayMs` milliseconds. */
    stockAlerts(variantId: string, delayMs: number): void;
  }
  interface ShopJobs {
    stockAlerts: Job<StockAlertPayload>;
  }
}

/** People who wait for a variant that is sold out. */
export const stockAlertsModule: ShopModule = {
  name: 'stock-alerts',
  services({ config, db, nudges, services, logger }) {
    const { catalog, inventory, mails } = services;
    const { secrets, stockAlertBatchSeconds: batchSeconds } = config;
    return {
      stockAlerts: createStockAlertService({ db, catalog, inventory, mails, nudges, secrets, batchSeconds, logger }),
    };
  },
  nudges: ['stockAlerts'],
  consumers: ({ services }) => [createStockAlertConsumer(services.stockAlerts)],
  async work({ services, logger }) {
    const { createStockAlertJob, startStockAlertSweep } = await import('./stock-alert.jobs.ts');
    const { stockAlerts: chains } = services;
    return {
      jobs: { stockAlerts: createStockAlertJob(chains) },
      nudges: ({ stockAlerts }, enqueue) => ({
        stockAlerts: (variantId, delayMs) => void enqueue(stockAlerts, { variantId }, { delayMs }),
      }),
      upkeep: () => [startStockAlertSweep({ chains, logger })],
    };
  },
  retention: ({ retention }) => [stockAlertRetention(retention.stockAlertDays)],
  graphql: () =>
    Promise.all([
      import('./stock-alert.loaders.graphql.ts'),
      import('./stock-alert.graphql.ts'),
      import('./stock-alert-mutations.graphql.ts'),
    ]),
};
