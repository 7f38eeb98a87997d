import { z } from 'zod';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { PaymentService } from './payment.service.ts';

const payload = z.object({ operationId: z.guid() });

export type PaymentOperationPayload = z.infer<typeof payload>;

/** The job that asks a provider for something. One that runs twice, or late, finds from the row that there is nothing left to do. */
export function createPaymentOperationJob(
  payments: Pick<PaymentService, 'runOperation'>,
): Job<PaymentOperationPayload> {
  return defineJob({
    name: 'payment-operation',
    schema: payload,
    // Each waits for a provider most of the time.
    concurrency: 8,
    async run({ operationId }) {
      await payments.runOperation(operationId);
    },
  });
}
