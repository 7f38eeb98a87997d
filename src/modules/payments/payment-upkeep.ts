import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { PaymentService } from './payment.service.ts';

const SWEEP_MS = 5000;
const BATCH = 100;

/** A payment of which nothing is heard is looked at after one minute, two, four and so on; at least once an hour. */
const FIRST_LOOK_MS = 60_000;
const LONGEST_LOOK_MS = 3_600_000;

/**
 * Chooses the payments to look at: webhooks may get lost, and some providers are slow to send them. How often a payment was looked at is
 * kept in memory, since looking once more does no harm.
 * @param now in milliseconds, by a clock that never goes back
 */
export function createLooks(): (ids: readonly string[], now: number) => string[] {
  let looks = new Map<string, { at: number; waitMs: number }>();
  return (ids, now) => {
    const due: string[] = [];
    const kept: typeof looks = new Map();
    for (const id of ids) {
      const look = looks.get(id);
      const isDue = look === undefined || look.at + look.waitMs <= now;
      if (isDue) due.push(id);
      const waitMs = look === undefined ? FIRST_LOOK_MS : Math.min(look.waitMs * 2, LONGEST_LOOK_MS);
      kept.set(id, isDue ? { at: now, waitMs } : look);
    }
    // Of payments that are over nothing is kept.
    looks = kept;
    return due;
  };
}

/**
 * Does operations whose jobs were lost or that wait for another attempt, ends payments whose time is over, tells staff of authorizations
 * that lapse, cancels orders that were not paid in time, and asks about payments of which nothing is heard.
 */
export function startPaymentUpkeep({
  payments,
  logger,
}: {
  payments: Pick<PaymentService, 'findWork' | 'runOperation' | 'expire' | 'warnOfLapse' | 'cancelUnpaid' | 'sync'>;
  logger: Logger;
}): AsyncDisposable {
  const looks = createLooks();
  return every({
    ms: SWEEP_MS,
    atOnce: true,
    failed: 'the sweep of payments failed; retrying',
    logger,
    async run(signal) {
      const { operationIds, overdueIds, lapsingIds, unpaidIds, unheardIds } = await payments.findWork(BATCH);
      const attempts = [
        ...overdueIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.expire(paymentId) })),
        ...operationIds.map((operationId) => ({ of: { operationId }, work: () => payments.runOperation(operationId) })),
        ...lapsingIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.warnOfLapse(paymentId) })),
        ...unpaidIds.map((orderId) => ({ of: { orderId }, work: () => payments.cancelUnpaid(orderId) })),
        ...looks(unheardIds, performance.now()).map((paymentId) => ({
          of: { paymentId },
          work: () => payments.sync(paymentId),
        })),
      ];
      for (const { of, work } of attempts) {
        if (signal.aborted) return;
        await work().catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ err: error, ...of }, 'a payment could not be carried on; retrying');
        });
      }
    },
  });
}
