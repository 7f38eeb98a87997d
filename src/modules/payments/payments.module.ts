import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import type { PaymentOperationPayload } from './payment.jobs.ts';
import type { Step } from './operations.ts';
import { createPaymentService, type PaymentService } from './payment.service.ts';
import type { PaymentProvider } from './providers/provider.types.ts';
import { createPaymentWebhookSource } from './webhook-source.ts';

declare module '../module.ts' {
  interface ShopServices {
    payments: PaymentService;
  }
  interface ServiceOverrides {
    /** Providers in place of the real ones. */
    paymentProviders?: ReadonlyMap<string, PaymentProvider>;
    /** Called between two steps of an operation. */
    betweenPaymentSteps?: (step: Step, operationId: string) => Promise<void>;
  }
  interface Nudges {
    /** A provider is to be asked for something. */
    paymentOperation(operationId: string): void;
  }
  interface ShopJobs {
    paymentOperation: Job<PaymentOperationPayload>;
  }
}

/** Payments with providers, refunds, and the books of money. */
export const paymentsModule: ShopModule = {
  name: 'payments',
  services({ config, db, eventLog, nudges, services, overrides, logger }) {
    const { cart, guests, catalog, inventory, orders, pricing: prices, staff, webhooks } = services;
    const providers = overrides.paymentProviders ?? services.paymentProviders.byId;
    const payments = createPaymentService({
      ...{ db, cart, guests, catalog, inventory, orders, prices, staff, eventLog, providers, logger },
      config: config.payments,
      shop: config.shop,
      corsOrigins: config.http.corsOrigins,
      between: overrides.betweenPaymentSteps,
      onOperation: (operationId) => nudges.paymentOperation(operationId),
    });
    for (const provider of providers.values())
      webhooks.register(createPaymentWebhookSource(provider, { db, payments }));
    return { payments };
  },
  nudges: ['paymentOperation'],
  async work({ services: { payments }, logger }) {
    const [{ createPaymentOperationJob }, { startPaymentUpkeep }] = await Promise.all([
      import('./payment.jobs.ts'),
      import('./payment-upkeep.ts'),
    ]);
    return {
      jobs: { paymentOperation: createPaymentOperationJob(payments) },
      nudges: ({ paymentOperation }, enqueue) => ({
        paymentOperation: (operationId) => void enqueue(paymentOperation, { operationId }),
      }),
      upkeep: () => [startPaymentUpkeep({ payments, logger })],
    };
  },
  graphql: () =>
    Promise.all([
      import('./payment.loaders.graphql.ts'),
      import('./payment.graphql.ts'),
      import('./payments.graphql.ts'),
      import('./payment-fields.graphql.ts'),
      import('./payment-start.graphql.ts'),
      import('./payment-mutations.graphql.ts'),
      import('./payment-changed.graphql.ts'),
      import('./ledger.graphql.ts'),
      import('./money-audit.graphql.ts'),
    ]),
};
