import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { PaymentService } from './payment.service.ts';

const SWEEP_MS = 5000;
const BATCH = 100;

/**
 * Does operations whose jobs were lost or that wait for another attempt, ends payments whose time is over, tells staff of authorizations
 * that lapse, and cancels orders that were not paid in time.
 */
export function startPaymentUpkeep({
  payments,
  logger,
}: {
  payments: Pick<PaymentService, 'findWork' | 'runOperation' | 'expire' | 'warnOfLapse' | 'cancelUnpaid'>;
  logger: Logger;
}): AsyncDisposable {
  return every({
    ms: SWEEP_MS,
    atOnce: true,
    failed: 'the sweep of payments failed; retrying',
    logger,
    async run(signal) {
      const { operationIds, overdueIds, lapsingIds, unpaidIds } = await payments.findWork(BATCH);
      const attempts = [
        ...overdueIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.expire(paymentId) })),
        ...operationIds.map((operationId) => ({ of: { operationId }, work: () => payments.runOperation(operationId) })),
        ...lapsingIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.warnOfLapse(paymentId) })),
        ...unpaidIds.map((orderId) => ({ of: { orderId }, work: () => payments.cancelUnpaid(orderId) })),
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
