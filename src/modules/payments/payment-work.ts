import type { PaymentsConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { OrderService } from '../orders/order.service.ts';
import { findDueOperations } from './operation.repository.ts';
import { authorizationLapsing } from './payment.events.ts';
import * as work from './payment-work.repository.ts';
import * as payments from './payment.repository.ts';

/** What waits to be done about payments, as ids of rows. */
export interface PaymentWork {
  /** Operations that have been due for a while. */
  operationIds: string[];
  /** Payments whose time is over. */
  overdueIds: string[];
  /** Payments whose authorization lapses within two days, about which staff have no notice yet. */
  lapsingIds: string[];
  /** Orders that were not paid in time. */
  unpaidIds: string[];
  /** Payments under way of which nothing was heard for a minute. */
  unheardIds: string[];
}

/** A job has this long before the sweep takes over. */
const LOST_AFTER_S = 5;
const UNHEARD_AFTER_S = 60;

/** Finds what waits to be done, and does what needs no provider. */
export function createPaymentWork({
  db,
  orders,
  eventLog,
  config,
}: {
  db: Database;
  orders: Pick<OrderService, 'cancel'>;
  eventLog: EventLog;
  config: Pick<PaymentsConfig, 'unpaidOrdersExpireDays'>;
}) {
  const { unpaidOrdersExpireDays: days } = config;
  return {
    async findWork(limit: number): Promise<PaymentWork> {
      const [operationIds, overdueIds, lapsingIds, unpaidIds, unheardIds] = await Promise.all([
        findDueOperations(db, LOST_AFTER_S, limit),
        work.findOverdue(db, limit),
        work.findLapsing(db, limit),
        days === null ? [] : work.findUnpaidOrders(db, days, limit),
        work.findUnheard(db, UNHEARD_AFTER_S, limit),
      ]);
      return { operationIds, overdueIds, lapsingIds, unpaidIds, unheardIds };
    },

    warnOfLapse: (paymentId: string): Promise<void> =>
      db.transaction(async (tx) => {
        const payment = await payments.lockPayment(tx, paymentId);
        if (payment === null || payment.state !== 'AUTHORIZED' || payment.problem !== null) return;
        const [owners] = await payments.findPaymentOwners(tx, [paymentId]);
        const on = payment.lapsesAt?.toISOString().slice(0, 10) ?? 'soon';
        await payments.writeProblem(
          tx,
          paymentId,
          `The authorization lapses on ${on}. Capture the payment before that.`,
        );
        const { guestId = null, userId = null } = owners ?? {};
        const lapsing = authorizationLapsing.of(paymentId, { paymentId, guestId, userId, orderId: payment.orderId });
        await eventLog.append(tx, await readClock(tx), [lapsing]);
      }),

    cancelUnpaid: (orderId: string): Promise<void> =>
      orders.cancel(orderId, { by: 'SHOP' }, 'The order was not paid in time.'),
  };
}
