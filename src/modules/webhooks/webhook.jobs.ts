import { z } from 'zod';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { WebhookService } from './webhook.service.ts';

const payload = z.object({ deliveryId: z.guid() });

export type WebhookDeliveryPayload = z.infer<typeof payload>;

/** The job that applies a delivery. One that runs twice, or late, finds from its row that there is nothing left to do. */
export function createWebhookDeliveryJob(webhooks: Pick<WebhookService, 'apply'>): Job<WebhookDeliveryPayload> {
  return defineJob({
    name: 'webhook-delivery',
    schema: payload,
    concurrency: 2,
    run: ({ deliveryId }, { signal }) => webhooks.apply(deliveryId, signal),
  });
}
