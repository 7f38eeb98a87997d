import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { PaymentService } from './payment.service.ts';

const SWEEP_MS = 5000;
const BATCH = 100;

/** Does operations whose jobs were lost or that wait for another attempt, and ends payments whose time is over. */
export function startPaymentUpkeep({
  payments,
  logger,
}: {
  payments: Pick<PaymentService, 'findWork' | 'runOperation' | 'expire'>;
  logger: Logger;
}): AsyncDisposable {
  return every({
    ms: SWEEP_MS,
    atOnce: true,
    failed: 'the sweep of payments failed; retrying',
    logger,
    async run(signal) {
      const { operationIds, overdueIds } = await payments.findWork(BATCH);
      const attempts = [
        ...overdueIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.expire(paymentId) })),
        ...operationIds.map((operationId) => ({ of: { operationId }, work: () => payments.runOperation(operationId) })),
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
