import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { DisputeBook, RefundBook } from './fold.ts';
import type { DisputeRow, RefundRow } from './payment.types.ts';

const REFUND = `r.id, r.payment_id AS "paymentId", r.order_id AS "orderId", r.state, r.amount_minor AS "amountMinor",
  r.shipping_minor AS "shippingMinor", r.reason, r.failure, r.reference, p.currency, r.created_at AS "createdAt",
  r.updated_at AS "updatedAt"`;

const ofPayments: Statement = {
  name: 'refunds_of_payments',
  text: `SELECT ${REFUND} FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.payment_id = ANY($1::uuid[])
          ORDER BY r.created_at, r.id`,
};

/** The refunds of payments, oldest first. */
export function findRefundsOfPayments(source: Queryable, paymentIds: readonly string[]): Promise<RefundRow[]> {
  return source.query<RefundRow>(ofPayments, [paymentIds]);
}

const byIds: Statement = {
  name: 'refunds_by_ids',
  text: `SELECT ${REFUND} FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = ANY($1::uuid[])`,
};

/** Refunds by ID, in no order. */
export function findRefunds(source: Queryable, ids: readonly string[]): Promise<RefundRow[]> {
  return source.query<RefundRow>(byIds, [ids]);
}

const ofOrders: Statement = {
  name: 'refunds_of_orders',
  text: `SELECT ${REFUND} FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.order_id = ANY($1::uuid[])
          ORDER BY r.created_at, r.id`,
};

/** The refunds of orders, oldest first. */
export function findRefundsOfOrders(source: Queryable, orderIds: readonly string[]): Promise<RefundRow[]> {
  return source.query<RefundRow>(ofOrders, [orderIds]);
}

const byKey: Statement = {
  name: 'refund_by_key',
  text: `SELECT id, request_hash AS "requestHash" FROM refunds WHERE order_id = $1 AND idempotency_key = $2`,
};

/** The refund of an order that was asked for under a key. */
export async function findRefundByKey(
  source: Queryable,
  orderId: string,
  key: string,
): Promise<{ id: string; requestHash: Buffer } | null> {
  const [row] = await source.query<{ id: string; requestHash: Buffer }>(byKey, [orderId, key]);
  return row ?? null;
}

/** A refund that is asked for. */
export interface NewRefund {
  id: string;
  paymentId: string;
  orderId: string | null;
  state: RefundRow['state'];
  amountMinor: bigint;
  shippingMinor: bigint;
  reason: string | null;
  key: { idempotencyKey: string; requestHash: Buffer } | null;
  actorId: string | null;
  lines: readonly { lineId: string; quantity: number; amountMinor: bigint; isRestocked: boolean }[];
}

const insert: Statement = {
  name: 'refund_insert',
  text: `
WITH refund AS (
  INSERT INTO refunds (id, payment_id, order_id, state, amount_minor, shipping_minor, reason, idempotency_key, request_hash, actor_id,
                       created_at, updated_at)
  VALUES ($1, $2, $3, $4::refund_state, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING id
)
INSERT INTO refund_lines (refund_id, line_id, quantity, amount_minor, is_restocked)
SELECT refund.id, l.line_id, l.quantity, l.amount_minor, l.is_restocked
  FROM refund, unnest($12::uuid[], $13::int[], $14::bigint[], $15::boolean[]) AS l(line_id, quantity, amount_minor, is_restocked)`,
};

/** Writes a refund; the caller has the lock of its payment. */
export async function insertRefund(tx: Queryable, at: Date, refund: NewRefund): Promise<void> {
  const { lines, key } = refund;
  await tx.query(insert, [
    ...[
      refund.id,
      refund.paymentId,
      refund.orderId,
      refund.state,
      refund.amountMinor,
      refund.shippingMinor,
      refund.reason,
    ],
    ...[key?.idempotencyKey ?? null, key?.requestHash ?? null, refund.actorId, at],
    lines.map(({ lineId }) => lineId),
    lines.map(({ quantity }) => quantity),
    lines.map(({ amountMinor }) => amountMinor),
    lines.map(({ isRestocked }) => isRestocked),
  ]);
}

const writeRefund: Statement = {
  name: 'refund_write',
  text: `INSERT INTO refunds (id, payment_id, order_id, state, amount_minor, failure, reference, created_at, updated_at)
         SELECT r.id, $1, $2, r.state::refund_state, r.amount_minor, r.failure, r.reference, $3, $3
           FROM unnest($4::uuid[], $5::text[], $6::bigint[], $7::text[], $8::text[]) AS r(id, state, amount_minor, failure, reference)
         ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, amount_minor = EXCLUDED.amount_minor, failure = EXCLUDED.failure,
                                        reference = EXCLUDED.reference, updated_at = EXCLUDED.updated_at`,
};

/** Writes refunds as they are now, new ones and known ones; the caller has the lock of their payment. */
export async function writeRefunds(
  tx: Queryable,
  at: Date,
  { paymentId, orderId, refunds }: { paymentId: string; orderId: string | null; refunds: readonly RefundBook[] },
): Promise<void> {
  if (refunds.length === 0) return;
  await tx.query(writeRefund, [
    ...[paymentId, orderId, at],
    refunds.map(({ id }) => id),
    refunds.map(({ state }) => state),
    refunds.map(({ amountMinor }) => amountMinor),
    refunds.map(({ failure }) => failure),
    refunds.map(({ reference }) => reference),
  ]);
}

const ofLines: Statement = {
  name: 'refunds_of_order_lines',
  text: `SELECT l.id AS "lineId", l.variant_id AS "variantId", l.quantity,
                l.unit_price_minor::bigint * l.quantity - l.relief_minor - l.discount_minor
                  + CASE WHEN o.prices_include_tax THEN 0 ELSE l.tax_minor END AS "paidMinor",
                coalesce(sum(r.quantity), 0)::int AS "refundedQuantity", coalesce(sum(r.amount_minor), 0)::bigint AS "refundedMinor",
                (SELECT coalesce(sum(b.quantity), 0)::int FROM refund_lines b WHERE b.line_id = l.id AND b.is_restocked) AS "restockedQuantity"
           FROM order_lines l JOIN orders o ON o.id = l.order_id
           LEFT JOIN (refund_lines r JOIN refunds f ON f.id = r.refund_id AND f.state <> 'FAILED') ON r.line_id = l.id
          WHERE l.order_id = $1 GROUP BY l.id, o.prices_include_tax ORDER BY l.position`,
};

/** What was paid for a line of an order, and what of it went back. */
export interface RefundableLine {
  lineId: string;
  variantId: string;
  quantity: number;
  paidMinor: bigint;
  refundedQuantity: number;
  refundedMinor: bigint;
  /** Units that refunds brought back to stock, whether or not these failed later. */
  restockedQuantity: number;
}

/** The lines of an order, with their refunds that did not fail. */
export function findRefundableLines(source: Queryable, orderId: string): Promise<RefundableLine[]> {
  return source.query<RefundableLine>(ofLines, [orderId]);
}

const shipping: Statement = {
  name: 'refundable_shipping',
  text: `SELECT o.shipping_minor
                + CASE WHEN o.prices_include_tax THEN 0
                       ELSE coalesce((SELECT sum(amount_minor) FROM order_taxes t WHERE t.order_id = o.id AND t.line_id IS NULL), 0) END
                - coalesce((SELECT sum(shipping_minor) FROM refunds r WHERE r.order_id = o.id AND r.state <> 'FAILED'), 0) AS "leftMinor"
           FROM orders o WHERE o.id = $1`,
};

/** What was paid for the shipping of an order and has not been refunded. */
export async function findRefundableShipping(source: Queryable, orderId: string): Promise<bigint> {
  const [row] = await source.query<{ leftMinor: bigint | string }>(shipping, [orderId]);
  return BigInt(row?.leftMinor ?? 0n);
}

const DISPUTE = `d.id, d.payment_id AS "paymentId", d.reference, d.state, d.amount_minor AS "amountMinor", d.reason, p.currency,
  d.created_at AS "createdAt", d.updated_at AS "updatedAt"`;

const disputesOf: Statement = {
  name: 'disputes_of_payments',
  text: `SELECT ${DISPUTE} FROM disputes d JOIN payments p ON p.id = d.payment_id WHERE d.payment_id = ANY($1::uuid[])
          ORDER BY d.created_at, d.id`,
};

/** The disputes of payments, oldest first. */
export function findDisputesOfPayments(source: Queryable, paymentIds: readonly string[]): Promise<DisputeRow[]> {
  return source.query<DisputeRow>(disputesOf, [paymentIds]);
}

const writeDispute: Statement = {
  name: 'dispute_write',
  text: `INSERT INTO disputes (id, payment_id, reference, state, amount_minor, reason, created_at, updated_at)
         SELECT gen_random_uuid(), $1, d.reference, d.state::dispute_state, d.amount_minor, d.reason, $2, $2
           FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[]) AS d(reference, state, amount_minor, reason)
         ON CONFLICT (payment_id, reference) DO UPDATE SET state = EXCLUDED.state, amount_minor = EXCLUDED.amount_minor,
                                                           reason = EXCLUDED.reason, updated_at = EXCLUDED.updated_at`,
};

/** Writes disputes as they are now; the caller has the lock of their payment. */
export async function writeDisputes(
  tx: Queryable,
  at: Date,
  { paymentId, disputes }: { paymentId: string; disputes: readonly DisputeBook[] },
): Promise<void> {
  if (disputes.length === 0) return;
  await tx.query(writeDispute, [
    ...[paymentId, at],
    disputes.map(({ reference }) => reference),
    disputes.map(({ state }) => state),
    disputes.map(({ amountMinor }) => amountMinor),
    disputes.map(({ reason }) => reason),
  ]);
}
