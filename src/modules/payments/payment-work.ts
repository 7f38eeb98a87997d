import type { PaymentsConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { OrderService } from '../orders/order.service.ts';
import { authorizationLapsing } from './payment.events.ts';
import { findPaymentWork, type PaymentWork } from './payment-work.repository.ts';
import * as payments from './payment.repository.ts';

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
  return {
    findWork: (limit: number, unheardAfterId: string | null = null): Promise<PaymentWork> =>
      findPaymentWork(db, {
        ...{ limit, unheardAfterId, unpaidDays: config.unpaidOrdersExpireDays },
        ...{ lostAfterSeconds: LOST_AFTER_S, unheardAfterSeconds: UNHEARD_AFTER_S },
      }),

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
