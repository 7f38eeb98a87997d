import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import type { WebhookDeliveryPayload } from './webhook.jobs.ts';
import { createWebhookService, type WebhookService } from './webhook.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    webhooks: WebhookService;
  }
  interface Nudges {
    /** A delivery of a webhook is to be applied. */
    webhookDelivery(deliveryId: string): void;
  }
  interface ShopJobs {
    webhookDelivery: Job<WebhookDeliveryPayload>;
  }
}

/** Calls of other systems: stored when they come, applied by a job. Other modules register their sources here. */
export const webhooksModule: ShopModule = {
  name: 'webhooks',
  services: ({ db, eventLog, nudges, services: { staff } }) => ({
    webhooks: createWebhookService({ db, staff, eventLog, nudges }),
  }),
  nudges: ['webhookDelivery'],
  async work({ services: { webhooks }, logger, tracer }) {
    const [{ createWebhookDeliveryJob }, { startDeliveryUpkeep }] = await Promise.all([
      import('./webhook.jobs.ts'),
      import('./webhook-upkeep.ts'),
    ]);
    return {
      jobs: { webhookDelivery: createWebhookDeliveryJob(webhooks) },
      nudges: ({ webhookDelivery }, enqueue) => ({
        webhookDelivery: (deliveryId) => void enqueue(webhookDelivery, { deliveryId }),
      }),
      upkeep: () => [startDeliveryUpkeep({ webhooks, logger, tracer })],
    };
  },
  graphql: () => import('./webhook-delivery.graphql.ts'),
};
