import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { StockAlertChains } from './stock-alert-chains.ts';

const payload = z.object({ variantId: z.guid() });

export type StockAlertPayload = z.infer<typeof payload>;

/** A queue whose clock is ahead delivers the job early. One that is earlier than this is left to the sweep. */
const EARLY_MS = 1000;

/** The job that sends a batch of alerts for a variant. Only rows decide what is due and who receives an email. */
export function createStockAlertJob(chains: Pick<StockAlertChains, 'notifyNext'>): Job<StockAlertPayload> {
  return defineJob({
    name: 'stock-alerts',
    ownTrace: true,
    schema: payload,
    // A large batch must not keep those of other variants waiting.
    concurrency: 4,
    async run({ variantId }, { signal, logger }) {
      let total = 0;
      for (let again = true; again;) {
        signal.throwIfAborted();
        const result = await chains.notifyNext(variantId);
        total += result.notified;
        again = result.state === 'MORE';
        if (result.state === 'NOT_NOW' && result.dueInMs !== null && result.dueInMs <= EARLY_MS) {
          await delay(result.dueInMs, undefined, { signal }).catch(() => {});
          again = true;
        }
      }
      if (total > 0) logger.info({ variantId, people: total }, 'sent back-in-stock emails');
    },
  });
}

const INTERVAL_MS = 5000;

/** Does the batches that are due, at the start and every five seconds: the queue may have lost their jobs, or rejected them. */
export function startStockAlertSweep(options: {
  chains: Pick<StockAlertChains, 'notifyDue'>;
  logger: Logger;
  intervalMs?: number;
}): AsyncDisposable {
  const { chains, logger, intervalMs = INTERVAL_MS } = options;
  return every({
    ms: intervalMs,
    atOnce: true,
    failed: 'stock alerts of a variant could not be sent; retrying in five seconds',
    logger,
    async run(signal) {
      const people = await chains.notifyDue(signal);
      if (people > 0) logger.info({ people }, 'sent back-in-stock emails found by the sweep');
    },
  });
}
