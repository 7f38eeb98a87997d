import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import type { WebhookDeliveryPayload } from './contentful.jobs.ts';
import { createContentfulService, type ContentfulService } from './contentful.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    contentful: ContentfulService;
  }
  interface Nudges {
    /** A delivery of a webhook is to be applied. */
    webhookDelivery(deliveryId: string): void;
  }
  interface ShopJobs {
    webhookDelivery: Job<WebhookDeliveryPayload>;
  }
}

/** Products and stock that a CMS keeps, received by webhooks. */
export const contentfulModule: ShopModule = {
  name: 'contentful',
  services({ config, db, eventLog, nudges, services }) {
    const { catalog, catalogWriting, outsideStock, staff } = services;
    const contentful = createContentfulService({
      ...{ db, catalog, catalogWriting, outsideStock, staff, eventLog, nudges },
      config: config.contentful,
      currency: config.shop.currency,
    });
    return { contentful };
  },
  nudges: ['webhookDelivery'],
  async work({ services: { contentful }, logger }) {
    const [{ createWebhookDeliveryJob }, { startDeliveryUpkeep }] = await Promise.all([
      import('./contentful.jobs.ts'),
      import('./upkeep.ts'),
    ]);
    return {
      jobs: { webhookDelivery: createWebhookDeliveryJob(contentful) },
      nudges: ({ webhookDelivery }, enqueue) => ({
        webhookDelivery: (deliveryId) => void enqueue(webhookDelivery, { deliveryId }),
      }),
      upkeep: () => [startDeliveryUpkeep({ contentful, logger })],
    };
  },
  graphql: () => import('./webhook-delivery.graphql.ts'),
};
