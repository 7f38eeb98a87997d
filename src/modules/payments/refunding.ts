import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { LockedOrder, OrderService } from '../orders/order.service.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { toDecimal } from '../money.ts';
import { refuse } from '../user-error.ts';
import type { OrderBooks } from './order-books.ts';
import { insertOperation } from './operation.repository.ts';
import { paymentChanged, refundSucceeded } from './payment.events.ts';
import { addPendingRefund, findPaymentsOfOrders, lockPaymentsOf } from './payment.repository.ts';
import type { PaymentRow } from './payment.types.ts';
import { planRefund, type RefundPlan, type RefundRequest } from './refund-plan.ts';
import { findRefundableLines, findRefundableShipping, findRefundByKey, insertRefund } from './refund.repository.ts';

/** What `orderRefund` asks for. */
export interface OrderRefundRequest extends RefundRequest {
  orderId: string;
  idempotencyKey: string;
  reason: string | null;
  actorId: string;
}

/** Refunds orders. */
export interface Refunding {
  /**
   * Writes a refund down, and has the provider pay it. The same key and request give the same refund.
   * @returns the operation that pays it; null for a payment outside of the shop, whose refund is done by hand
   * @throws Refusal: NOT_FOUND, INVALID_INPUT, LIMIT_EXCEEDED, CONFLICT, IDEMPOTENCY_KEY_REUSED
   */
  refund(request: OrderRefundRequest): Promise<{ refundId: string; operationId: string | null }>;
}

/** Makes it. */
export function createRefunding(deps: {
  db: Database;
  orders: Pick<OrderService, 'steps'>;
  staff: Pick<StaffService, 'record'>;
  books: OrderBooks;
  eventLog: EventLog;
  currency: string;
  onOperation: (operationId: string) => void;
}): Refunding {
  const { db, orders, staff, books, eventLog, currency, onOperation } = deps;

  async function refund(
    tx: Transaction,
    request: OrderRefundRequest,
  ): Promise<{ refundId: string; operationId: string | null }> {
    const { orderId, idempotencyKey, reason, actorId } = request;
    await lockPaymentsOf(tx, orderId);
    const order = await orders.steps.lock(tx, orderId);
    if (order === null) return refuse('NOT_FOUND', 'Order not found.', ['orderId']);
    const requestHash = hashOf(request);
    const earlier = await findRefundByKey(tx, orderId, idempotencyKey);
    if (earlier !== null) {
      if (earlier.requestHash.equals(requestHash)) return { refundId: earlier.id, operationId: null };
      refuse('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used before for a different refund.', [
        'idempotencyKey',
      ]);
    }
    const payments = await findPaymentsOfOrders(tx, [orderId]);
    const plan = planRefund(request, await findRefundableLines(tx, orderId), {
      shippingMinor: await findRefundableShipping(tx, orderId),
      amountMinor: payments.reduce((sum, payment) => sum + leftOf(payment), 0n),
      currency,
    });
    const payment = payments.find((candidate) => leftOf(candidate) >= plan.amountMinor);
    if (payment === undefined) {
      refuse('CONFLICT', 'No single payment of the order covers the amount. Refund it in parts, one for each payment.');
    }
    const restocked = plan.lines.filter(({ isRestocked }) => isRestocked);
    // A cancelled order has given all of its units back.
    if (restocked.length > 0 && order.status === 'CANCELLED') {
      refuse('CONFLICT', 'The order is cancelled, and its units have returned to stock already.', ['lines']);
    }
    const at = restocked.length > 0 ? await orders.steps.restock(tx, orderId, restocked) : await readClock(tx);
    const refundId = uuid();
    const isOutside = payment.provider === 'manual';
    await insertRefund(tx, at, {
      ...{ id: refundId, paymentId: payment.id, orderId, state: isOutside ? 'SUCCEEDED' : 'PENDING' },
      ...{ amountMinor: plan.amountMinor, shippingMinor: plan.shippingMinor, reason, actorId },
      ...{ key: { idempotencyKey, requestHash }, lines: plan.lines },
    });
    await record(tx, at, { order, plan, request });
    const of = { paymentId: payment.id, guestId: order.guestId, userId: order.userId, orderId };
    await eventLog.append(tx, at, [
      paymentChanged.of(payment.id, of),
      ...(isOutside ? [refundSucceeded.of(payment.id, { ...of, refundId })] : []),
    ]);
    if (isOutside) {
      await books.addUp(tx, at, payment, order);
      return { refundId, operationId: null };
    }
    await addPendingRefund(tx, payment.id, plan.amountMinor);
    const operationId = uuid();
    const { amountMinor } = plan;
    await insertOperation(tx, at, {
      ...{ id: operationId, paymentId: payment.id, kind: 'REFUND', amountMinor, refundId, parameters: {}, actorId },
    });
    tx.afterCommit(() => onOperation(operationId));
    return { refundId, operationId };
  }

  async function record(
    tx: Transaction,
    at: Date,
    { order, plan, request }: { order: LockedOrder; plan: RefundPlan; request: OrderRefundRequest },
  ): Promise<void> {
    const { actorId, reason: note } = request;
    const after = toDecimal({ minor: plan.amountMinor, currency });
    const changes = [{ field: 'refunded', before: null, after }];
    await staff.record(tx, at, {
      actorId,
      kind: 'ORDER_REFUNDED',
      subject: { type: 'Order', id: order.id },
      changes,
      note,
    });
  }

  return { refund: (request) => db.transaction((tx) => refund(tx, request)) };
}

/** What can still be refunded of a payment, in minor units. */
export function leftOf({ capturedMinor, refundedMinor, refundPendingMinor }: PaymentRow): bigint {
  return capturedMinor - refundedMinor - refundPendingMinor;
}

function hashOf({ lines, shippingMinor, amountMinor, reason }: OrderRefundRequest): Buffer {
  const canonical = [
    lines.map(({ lineId, quantity, restock }) => [lineId, quantity, restock]),
    ...[shippingMinor?.toString() ?? null, amountMinor?.toString() ?? null, reason],
  ];
  return createHash('sha256').update(JSON.stringify(canonical)).digest();
}
