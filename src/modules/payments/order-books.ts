import { v7 as uuid } from 'uuid';
import type { Transaction } from '../../infra/postgres/database.ts';
import type { LockedOrder, OrderMoney, OrderService } from '../orders/order.service.ts';
import { refuse } from '../user-error.ts';
import { fold } from './fold.ts';
import type { Folding } from './folding.ts';
import { cancelledPosting, movedPostings, placedPosting, post } from './ledger.ts';
import { paymentStatusOf } from './payment-status.ts';
import {
  findOrderTotal,
  findPaymentsOfOrders,
  insertOutsidePayment,
  lockPaymentsOf,
  writePayment,
} from './payment.repository.ts';
import type { PaymentRow } from './payment.types.ts';
import { findDisputesOfPayments, findRefundsOfPayments, insertRefund } from './refund.repository.ts';

/** The books of money as orders and their refunds need them. */
export interface OrderBooks extends OrderMoney {
  /** Adds the refunds of a payment up, books what is new, and has the order's payment status follow; under their locks. */
  addUp(tx: Transaction, at: Date, payment: PaymentRow, order: LockedOrder): Promise<void>;
}

/** Makes them. */
export function createOrderBooks(deps: {
  orders: Pick<OrderService, 'steps'>;
  folding: Pick<Folding, 'settle'>;
}): OrderBooks {
  const { orders, folding } = deps;

  async function addUp(tx: Transaction, at: Date, payment: PaymentRow, order: LockedOrder): Promise<void> {
    const refunds = await findRefundsOfPayments(tx, [payment.id]);
    const disputes = await findDisputesOfPayments(tx, [payment.id]);
    const { books, moved } = fold({ ...payment, refunds, disputes }, null, () => uuid());
    await writePayment(tx, at, { ...payment, ...books });
    const isOwed = order.status !== 'CANCELLED';
    await post(tx, at, movedPostings({ paymentId: payment.id, orderId: order.id, isOwed }, moved));
    const payments = await findPaymentsOfOrders(tx, [order.id]);
    const total = await findOrderTotal(tx, order.id);
    await orders.steps.writePaymentStatus(tx, at, order, paymentStatusOf(payments, total));
  }

  return {
    addUp,
    placed: (tx, at, placed) => post(tx, at, placed.map(placedPosting)),
    lock: lockPaymentsOf,

    async cancelled(tx, at, order) {
      const payments = await findPaymentsOfOrders(tx, [order.id]);
      const refunded = payments.reduce((sum, payment) => sum + payment.refundedMinor, 0n);
      await post(tx, at, [cancelledPosting(order.id, await findOrderTotal(tx, order.id), refunded)]);
      // What was paid outside of the shop is given back there.
      for (const payment of payments) if (payment.provider !== 'manual') await folding.settle(tx, at, payment, order);
    },

    async paidOutside(tx, at, order) {
      const payments = await findPaymentsOfOrders(tx, [order.id]);
      if (payments.some(({ state }) => state !== 'FAILED' && state !== 'CANCELLED')) {
        refuse(
          'INVALID_TRANSITION',
          'A payment for the order is in progress; its outcome decides the payment status.',
          ['id'],
        );
      }
      const paymentId = uuid();
      const capturedMinor = await insertOutsidePayment(tx, at, paymentId, order.id);
      const moved = { capturedMinor, refundedMinor: 0n, disputedMinor: 0n };
      await post(tx, at, movedPostings({ paymentId, orderId: order.id, isOwed: true }, moved));
    },

    async refundedOutside(tx, at, order) {
      if ((await findOrderTotal(tx, order.id)) === 0n)
        refuse('INVALID_TRANSITION', 'The order costs nothing, so there is nothing to refund.', ['id']);
      for (const payment of await findPaymentsOfOrders(tx, [order.id])) {
        const amountMinor = payment.capturedMinor - payment.refundedMinor - payment.refundPendingMinor;
        if (amountMinor === 0n) continue;
        if (payment.provider !== 'manual') {
          refuse('INVALID_TRANSITION', `The order was paid with ${payment.provider}. Use orderRefund to refund it.`, [
            'id',
          ]);
        }
        await insertRefund(tx, at, {
          ...{
            id: uuid(),
            paymentId: payment.id,
            orderId: order.id,
            state: 'SUCCEEDED',
            amountMinor,
            shippingMinor: 0n,
          },
          ...{ reason: null, key: null, actorId: null, lines: [] },
        });
        await addUp(tx, at, payment, { ...order, paymentStatus: 'REFUNDED' });
      }
    },

    async assertMayFulfil(tx, orderId) {
      const payments = await findPaymentsOfOrders(tx, [orderId]);
      if (!payments.some(({ state }) => state === 'PROCESSING')) return;
      refuse('INVALID_TRANSITION', 'The payment of the order is still being processed by the provider.', ['status']);
    },
  };
}
