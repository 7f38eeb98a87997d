import {
  OPEN_STATES,
  type OperationRow,
  type PaymentAmounts,
  type PaymentState,
  type ReturnReason,
} from './payment.types.ts';

/** A payment as far as the next step depends on it. */
export interface Standing extends PaymentAmounts {
  state: PaymentState;
  returnReason: ReturnReason | null;
  /** Null: no order was placed. */
  order: { isCancelled: boolean } | null;
  operations: readonly Pick<OperationRow, 'kind' | 'state'>[];
  /** Refunds of the shop's own that failed. */
  failedRefunds: number;
  capture: 'automatic' | 'manual';
}

/** What the shop asks the provider next, without being asked by anybody. STUCK: staff must see to it. */
export type NextStep =
  { kind: 'CAPTURE' | 'REFUND'; amountMinor: bigint } | { kind: 'CANCEL' } | { kind: 'STUCK'; problem: string } | null;

/** How often the shop asks for a thing that is refused each time. */
const MAX_REFUSED = 3;

/**
 * Decides the next step of a payment. Money without an order, or of an order that is cancelled, goes back; money of an order is
 * captured if the shop captures by itself. One step at a time: the answer to it leads here again.
 */
export function nextStep(payment: Standing): NextStep {
  const { order, returnReason, state, operations, capture } = payment;
  const isOpen = (kind: OperationRow['kind']) =>
    operations.some((operation) => operation.kind === kind && OPEN_STATES.includes(operation.state));
  const refused = (kind: OperationRow['kind']) =>
    operations.filter((operation) => operation.kind === kind && operation.state === 'REFUSED').length;

  if (order?.isCancelled === true || (order === null && returnReason !== null)) {
    const left = payment.capturedMinor - payment.refundedMinor - payment.refundPendingMinor - payment.disputedMinor;
    if (payment.capturedMinor > 0n) {
      if (left <= 0n) return null;
      if (payment.failedRefunds >= MAX_REFUSED) {
        return { kind: 'STUCK', problem: 'The refund has failed several times. Refund the customer by other means.' };
      }
      return { kind: 'REFUND', amountMinor: left };
    }
    if (!['PENDING', 'PROCESSING', 'AUTHORIZED'].includes(state) || isOpen('CANCEL') || isOpen('CAPTURE')) return null;
    // Many providers cancel nothing that they are processing. What comes of it decides: a refund, or a cancellation then.
    if (state === 'PROCESSING' && refused('CANCEL') > 0) return null;
    if (refused('CANCEL') >= MAX_REFUSED) {
      return { kind: 'STUCK', problem: 'The provider refuses to cancel the payment. Cancel it at the provider.' };
    }
    return { kind: 'CANCEL' };
  }
  if (order !== null && (state === 'CANCELLED' || state === 'FAILED')) {
    return {
      kind: 'STUCK',
      problem: 'The payment was voided or has lapsed before it was captured. The order is not paid.',
    };
  }
  if (order === null || state !== 'AUTHORIZED' || capture !== 'automatic' || payment.capturedMinor > 0n) return null;
  if (isOpen('CAPTURE') || isOpen('CANCEL')) return null;
  if (refused('CAPTURE') >= MAX_REFUSED) {
    return {
      kind: 'STUCK',
      problem: 'The provider refuses to capture the payment. See the operations of the payment.',
    };
  }
  return { kind: 'CAPTURE', amountMinor: payment.authorizedMinor };
}
