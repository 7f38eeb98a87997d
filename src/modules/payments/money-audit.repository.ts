import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { MoneyDiscrepancy } from './money-audit.types.ts';

/*
 * What the ledger must come to follows from orders, payments, refunds and disputes. Each is computed here from the rows, and not
 * from what the code posts, so that a mistake there is seen.
 */
const audit: Statement = {
  name: 'money_audit',
  text: `
WITH page AS (
  SELECT * FROM orders WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2
), pay AS (
  SELECT p.order_id, sum(p.captured_minor) AS captured, sum(p.refunded_minor) AS refunded, sum(p.disputed_minor) AS disputed,
         sum(p.authorized_minor) AS authorized
    FROM payments p WHERE p.order_id IN (SELECT id FROM page) GROUP BY p.order_id
), ref AS (
  SELECT r.order_id, coalesce(sum(r.amount_minor) FILTER (WHERE r.state = 'SUCCEEDED'), 0) AS succeeded
    FROM refunds r WHERE r.order_id IN (SELECT id FROM page) GROUP BY r.order_id
), led AS (
  SELECT e.order_id,
         coalesce(sum(e.amount_minor), 0) AS balance,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'RECEIVABLE'), 0) AS receivable,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'CLEARING'), 0) AS clearing,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'DISCOUNTS'), 0) AS discounts,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'SHIPPING'), 0) AS shipping,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'TAX'), 0) AS tax,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'REFUNDS'), 0) AS refunds,
         coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'DISPUTES'), 0) AS disputes
    FROM money_entries e WHERE e.order_id IN (SELECT id FROM page) GROUP BY e.order_id
), facts AS (
  SELECT o.id, o.total_minor, o.discount_minor, o.shipping_minor, o.tax_minor, o.subtotal_minor, o.prices_include_tax, o.status,
         o.payment_status, coalesce(pay.captured, 0) AS captured, coalesce(pay.refunded, 0) AS refunded,
         coalesce(pay.disputed, 0) AS disputed, coalesce(pay.authorized, 0) AS authorized, coalesce(ref.succeeded, 0) AS succeeded,
         coalesce(led.balance, 0) AS balance, coalesce(led.receivable, 0) AS receivable, coalesce(led.clearing, 0) AS clearing,
         coalesce(led.discounts, 0) AS discounts, coalesce(led.shipping, 0) AS shipping, coalesce(led.tax, 0) AS tax,
         coalesce(led.refunds, 0) AS refunds, coalesce(led.disputes, 0) AS disputes,
         CASE WHEN o.status = 'CANCELLED' THEN o.total_minor ELSE coalesce(pay.refunded, 0) END AS credited
    FROM page o LEFT JOIN pay ON pay.order_id = o.id LEFT JOIN ref ON ref.order_id = o.id LEFT JOIN led ON led.order_id = o.id
)
SELECT f.id AS "orderId", r.rule, r.expected::bigint, r.actual::bigint
  FROM facts f CROSS JOIN LATERAL (VALUES
    ('The ledger of an order adds up to zero.', 0, f.balance),
    ('Receivables are the total less captures and credits, plus refunds.', f.total_minor - f.captured - f.credited + f.refunded, f.receivable),
    ('The provider holds captures less refunds and disputes.', f.captured - f.refunded - f.disputed, f.clearing),
    ('Refunds are booked as they are credited.', f.credited, f.refunds),
    ('Disputes are booked as they stand.', f.disputed, f.disputes),
    ('Discounts are booked as the order has them.', f.discount_minor, f.discounts),
    ('Shipping is booked as the order has it.', -f.shipping_minor, f.shipping),
    ('Tax is booked as the order has it.', -f.tax_minor, f.tax),
    ('Payments count the refunds that succeeded.', f.succeeded, f.refunded),
    ('No more is captured than the order costs.', least(f.captured, f.total_minor), f.captured),
    ('The total is what the parts come to.',
     f.subtotal_minor - f.discount_minor + f.shipping_minor + CASE WHEN f.prices_include_tax THEN 0 ELSE f.tax_minor END, f.total_minor),
    ('The payment status says what is captured and refunded.',
     CASE WHEN f.refunded > 0 AND f.refunded >= f.captured THEN 5 WHEN f.refunded > 0 THEN 4
          WHEN f.captured > 0 AND f.captured >= f.total_minor THEN 3 WHEN f.captured > 0 THEN 2
          WHEN f.authorized > 0 THEN 1 ELSE CASE WHEN f.total_minor = 0 AND f.payment_status = 'PAID' THEN 3 ELSE 0 END END,
     CASE f.payment_status::text WHEN 'REFUNDED' THEN 5 WHEN 'PARTIALLY_REFUNDED' THEN 4 WHEN 'PAID' THEN 3 WHEN 'PARTIALLY_PAID' THEN 2
          WHEN 'AUTHORIZED' THEN 1 ELSE 0 END)
  ) AS r(rule, expected, actual) WHERE r.expected <> r.actual
UNION ALL
SELECT f.id, 'A payment is what the frozen quote of its order comes to.', f.total_minor, p.amount_minor
  FROM facts f JOIN payments p ON p.order_id = f.id WHERE p.amount_minor <> f.total_minor
ORDER BY 1, 2`,
};

const strays: Statement = {
  name: 'money_audit_strays',
  text: `
SELECT NULL::uuid AS "orderId", 'Money without an order went back, or is on its way back.' AS rule, 0::bigint AS expected,
       (p.captured_minor - p.refunded_minor - p.refund_pending_minor)::bigint AS actual
  FROM payments p WHERE p.order_id IS NULL AND p.captured_minor - p.refunded_minor - p.refund_pending_minor - p.disputed_minor <> 0
   AND p.updated_at < clock_timestamp() - interval '1 minute'
UNION ALL
SELECT NULL, 'The ledger of a payment without an order is what the provider holds.', p.captured_minor - p.refunded_minor - p.disputed_minor,
       coalesce((SELECT sum(e.amount_minor) FROM money_entries e WHERE e.payment_id = p.id AND e.account = 'CLEARING'), 0)::bigint
  FROM payments p WHERE p.order_id IS NULL AND p.captured_minor > 0
   AND p.captured_minor - p.refunded_minor - p.disputed_minor
    <> coalesce((SELECT sum(e.amount_minor) FROM money_entries e WHERE e.payment_id = p.id AND e.account = 'CLEARING'), 0)
LIMIT $1`,
};

const bounds: Statement = {
  name: 'money_audit_bounds',
  text: `SELECT count(*)::int AS orders, (array_agg(id ORDER BY id))[1] AS "firstId", (array_agg(id ORDER BY id DESC))[1] AS "lastId"
           FROM (SELECT id FROM orders WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2) AS page`,
};

/** A page of an audit. */
export interface MoneyAuditPage {
  orders: number;
  firstId: string | null;
  lastId: string | null;
  discrepancies: MoneyDiscrepancy[];
}

/**
 * Checks orders against payments, refunds and the ledger, a page of them in the order of their ids.
 * @param after the last order of the page before; null: begin
 */
export async function auditMoneyPage(source: Queryable, after: string | null, limit: number): Promise<MoneyAuditPage> {
  const [page] = await source.query<Omit<MoneyAuditPage, 'discrepancies'>>(bounds, [after, limit]);
  const discrepancies = await source.query<MoneyDiscrepancy>(audit, [after, limit]);
  return { orders: 0, firstId: null, lastId: null, ...page, discrepancies };
}

/** Payments without an order whose money has not gone back. */
export function auditStrayPayments(source: Queryable, limit: number): Promise<MoneyDiscrepancy[]> {
  return source.query<MoneyDiscrepancy>(strays, [limit]);
}
