import { v7 as uuid } from 'uuid';
import type { PaymentsConfig } from '../../config/config.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
import type { LockedOrder } from '../orders/order.service.ts';
import type { Folded } from './fold.ts';
import { nextStep } from './next-step.ts';
import { insertOperation, settleOperation, type NewOperation } from './operation.repository.ts';
import { addPendingRefund, writeProblem } from './payment.repository.ts';
import type { OperationRow, PaymentRow } from './payment.types.ts';
import { insertRefund } from './refund.repository.ts';

/** Writes the operations that follow from the state of a payment. The caller has its locks. */
export interface NextOperations {
  /** An order was placed: withdraws a cancellation that has not been sent yet. */
  withdraw(tx: Transaction, at: Date, operations: OperationRow[]): Promise<void>;
  /** Queues the next step, or informs staff that there is none left. */
  decide(
    tx: Transaction,
    at: Date,
    of: {
      payment: PaymentRow;
      order: LockedOrder | null;
      operations: OperationRow[];
      folded: Folded;
      wantsCancel: boolean;
    },
  ): Promise<void>;
}

/** Makes it. */
export function createNextOperations({
  config,
  onOperation,
}: {
  config: Pick<PaymentsConfig, 'capture'>;
  onOperation: (operationId: string) => void;
}): NextOperations {
  /** An order was placed: withdraws a cancellation that has not been sent yet. */
  async function withdraw(tx: Transaction, at: Date, operations: OperationRow[]): Promise<void> {
    for (const operation of operations) {
      if (operation.kind !== 'CANCEL' || operation.state !== 'QUEUED') continue;
      const reason = 'The payment succeeded before it was cancelled.';
      await settleOperation(tx, at, { id: operation.id, state: 'REFUSED', reason });
      operation.state = 'REFUSED';
    }
  }

  /** Queues the next step, or informs staff that there is none left. */
  async function decide(
    tx: Transaction,
    at: Date,
    of: {
      payment: PaymentRow;
      order: LockedOrder | null;
      operations: OperationRow[];
      folded: Folded;
      wantsCancel: boolean;
    },
  ): Promise<void> {
    const { payment, order, operations, folded, wantsCancel } = of;
    const step = nextStep({
      ...payment,
      ...folded.books,
      state: payment.state,
      order: order === null ? null : { isCancelled: order.status === 'CANCELLED' },
      operations,
      failedRefunds: folded.books.refunds.filter(({ state }) => state === 'FAILED').length,
      capture: config.capture,
    });
    const isOpen = operations.some(
      ({ kind, state }) => kind === 'CANCEL' && ['QUEUED', 'SENT', 'UNKNOWN'].includes(state),
    );
    if (step?.kind === 'STUCK') await writeProblem(tx, payment.id, step.problem);
    else if (step !== null) await queue(tx, at, { payment: { ...payment, ...folded.books }, step });
    else if (wantsCancel && order === null && payment.state === 'PENDING' && !isOpen) {
      await queue(tx, at, { payment, step: { kind: 'CANCEL' } });
    }
  }

  /** Writes an operation of the shop's own accord. A refund has a row of its own, and counts as pending at once. */
  async function queue(
    tx: Transaction,
    at: Date,
    {
      payment,
      step,
    }: { payment: PaymentRow; step: { kind: 'CAPTURE' | 'REFUND'; amountMinor: bigint } | { kind: 'CANCEL' } },
  ): Promise<void> {
    const { id: paymentId, orderId } = payment;
    const operation: NewOperation = {
      id: uuid(),
      paymentId,
      kind: step.kind,
      amountMinor: step.kind === 'CANCEL' ? null : step.amountMinor,
      refundId: step.kind === 'REFUND' ? uuid() : null,
      parameters: step.kind === 'CAPTURE' ? { capturedBefore: payment.capturedMinor.toString() } : {},
    };
    if (step.kind === 'REFUND' && operation.refundId !== null) {
      const reason = orderId === null ? 'No order was placed.' : 'The order was cancelled.';
      const { amountMinor } = step;
      await insertRefund(tx, at, {
        ...{ id: operation.refundId, paymentId, orderId, state: 'PENDING', amountMinor, shippingMinor: 0n, reason },
        ...{ key: null, actorId: null, lines: [] },
      });
      await addPendingRefund(tx, paymentId, amountMinor);
    }
    await insertOperation(tx, at, operation);
    tx.afterCommit(() => onOperation(operation.id));
  }

  return { withdraw, decide };
}
