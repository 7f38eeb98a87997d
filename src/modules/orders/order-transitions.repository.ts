import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { OwnedOrder } from './order-owner.ts';
import type { OrderStatus, PaymentStatus } from './order.types.ts';

/** An order as it is under its lock. */
export interface LockedOrder extends OwnedOrder {
  status: OrderStatus;
  paymentStatus: PaymentStatus;
}

// Who had to wait for the lock is given the row as the one before left it.
const lock: Statement = {
  name: 'order_lock',
  text: `SELECT id, guest_id AS "guestId", user_id AS "userId", status, payment_status AS "paymentStatus"
           FROM orders WHERE id = $1 FOR NO KEY UPDATE`,
};

/** Locks an order until the transaction ends: after carts, before variants. Null where there is none. */
export async function lockOrder(tx: Queryable, id: string): Promise<LockedOrder | null> {
  const [row] = await tx.query<LockedOrder>(lock, [id]);
  return row ?? null;
}

const units: Statement = {
  name: 'order_units',
  text: `SELECT variant_id AS "variantId", sum(quantity - restocked)::int AS quantity
           FROM order_lines l CROSS JOIN LATERAL (
             SELECT coalesce(sum(r.quantity), 0) AS restocked FROM refund_lines r WHERE r.line_id = l.id AND r.is_restocked
           ) AS returned
          WHERE order_id = $1 GROUP BY variant_id HAVING sum(quantity - restocked) > 0 ORDER BY variant_id`,
};

/** The units of an order, variant by variant, without those that went back to stock with a refund. */
export function findUnits(tx: Queryable, orderId: string): Promise<{ variantId: string; quantity: number }[]> {
  return tx.query<{ variantId: string; quantity: number }>(units, [orderId]);
}

const setStatus: Statement = {
  name: 'order_set_status',
  text: `WITH moved AS (
           UPDATE orders SET status = $3::order_status, updated_at = $5::timestamptz WHERE id = $1::uuid
         )
         INSERT INTO order_status_changes (order_id, from_status, to_status, note, occurred_at)
         VALUES ($1::uuid, $2::order_status, $3::order_status, $4, $5::timestamptz)`,
};

/** Writes another status, and its entry in the order's history; the caller has the order's lock. */
export async function writeStatus(
  tx: Queryable,
  at: Date,
  change: { orderId: string; from: OrderStatus; to: OrderStatus; note: string | null },
): Promise<void> {
  await tx.query(setStatus, [change.orderId, change.from, change.to, change.note, at]);
}

const setPayment: Statement = {
  name: 'order_set_payment_status',
  text: 'UPDATE orders SET payment_status = $2::payment_status, updated_at = $3 WHERE id = $1',
};

/** Writes whether it is paid; the caller has the order's lock. */
export async function writePaymentStatus(tx: Queryable, at: Date, orderId: string, to: PaymentStatus): Promise<void> {
  await tx.query(setPayment, [orderId, to, at]);
}
