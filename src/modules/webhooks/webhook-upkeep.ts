import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { WebhookService } from './webhook.service.ts';

const SWEEP_MS = 10_000;
const PRUNE_MS = 600_000;
const BATCH = 100;

/** Applies deliveries whose jobs were lost, also where there is no queue, and deletes old ones. */
export function startDeliveryUpkeep({
  webhooks,
  logger,
}: {
  webhooks: Pick<WebhookService, 'findLost' | 'apply' | 'prune'>;
  logger: Logger;
}): AsyncDisposable {
  let prunedAt = -Infinity;

  async function sweep(signal: AbortSignal): Promise<void> {
    for (const id of await webhooks.findLost(BATCH)) {
      if (signal.aborted) return;
      await webhooks.apply(id, signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error, deliveryId: id }, 'delivery could not be applied; retrying');
      });
    }
  }

  return every({
    ms: SWEEP_MS,
    atOnce: true,
    failed: 'the sweep of webhook deliveries failed; retrying',
    logger,
    async run(signal) {
      await sweep(signal);
      if (performance.now() - prunedAt < PRUNE_MS) return;
      prunedAt = performance.now();
      const deliveries = await webhooks.prune(signal);
      if (deliveries > 0) logger.info({ deliveries }, 'old deliveries deleted');
    },
  });
}
