import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Tracer } from '../../infra/tracing/tracer.ts';
import type { LostDelivery, WebhookService } from './webhook.service.ts';

const SWEEP_MS = 10_000;
const PRUNE_MS = 600_000;
const BATCH = 100;

/**
 * Applies deliveries whose jobs were lost, also where there is no queue, and deletes old ones.
 * @param deps.tracer null: nothing is traced
 */
export function startDeliveryUpkeep({
  webhooks,
  logger,
  tracer,
}: {
  webhooks: Pick<WebhookService, 'findLost' | 'apply' | 'prune'>;
  logger: Logger;
  tracer: Tracer | null;
}): AsyncDisposable {
  let prunedAt = -Infinity;

  /** Applies a delivery within the trace of the call that it came with. */
  function apply({ id, source, traceparent: parent }: LostDelivery, signal: AbortSignal): Promise<void> {
    const work = () => webhooks.apply(id, signal);
    if (tracer === null || parent === null) return work();
    return tracer.run(
      `webhook ${source}`,
      { kind: 'consumer', attributes: { 'vitrine.delivery.id': id }, parent },
      work,
    );
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    for (const delivery of await webhooks.findLost(BATCH)) {
      if (signal.aborted) return;
      await apply(delivery, signal).catch((error: unknown) => {
        if (!signal.aborted)
          logger.warn({ err: error, deliveryId: delivery.id }, 'delivery could not be applied; retrying');
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
