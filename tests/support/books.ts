import type { Queryable } from '../../src/infra/postgres/database.ts';
import { auditInventory } from '../../src/modules/inventory/inventory.audit.ts';

/*
 * What must agree after whatever happened to the shop: written from DESIGN.md's rules and not from the code, so that a
 * mistake there is not repeated here.
 */

const STOCK_EVENTS = `
WITH told AS (
  SELECT subject_id AS variant_id, id, (payload->>'available')::int AS available, (payload->>'previousAvailable')::int AS previous,
         lag((payload->>'available')::int, 1, 0) OVER chain AS before, lead(id) OVER chain IS NULL AS is_last
    FROM event_log WHERE type = 'stock_changed' WINDOW chain AS (PARTITION BY subject_id ORDER BY id)
), counted AS (
  SELECT variant_id, count(*) AS steps FROM stock_movements WHERE on_hand_delta <> held_delta GROUP BY variant_id
)
SELECT format('event %s: before it there were %s, it says %s', id, before, previous) AS fault FROM told WHERE previous <> before
UNION ALL
SELECT format('event %s changes nothing', id) FROM told WHERE previous = available
UNION ALL
SELECT format('variant %s: %s available, the last event says %s', v.id, v.available, coalesce(t.available, 0))
  FROM product_variants v LEFT JOIN told t ON t.variant_id = v.id AND t.is_last WHERE v.available <> coalesce(t.available, 0)
UNION ALL
SELECT format('variant %s: %s steps of its level in the ledger, %s events', v.id, coalesce(c.steps, 0), count(t.id))
  FROM product_variants v LEFT JOIN counted c ON c.variant_id = v.id LEFT JOIN told t ON t.variant_id = v.id
 GROUP BY v.id, c.steps HAVING count(t.id) <> coalesce(c.steps, 0)
UNION ALL
SELECT format('variant %s: %s steps end a sell-out, %s events say so', t.variant_id, count(*) FILTER (WHERE t.previous = 0), b.events)
  FROM told t CROSS JOIN LATERAL (
    SELECT count(*) AS events FROM event_log e WHERE e.subject_id = t.variant_id AND e.type = 'back_in_stock'
  ) b GROUP BY t.variant_id, b.events HAVING count(*) FILTER (WHERE t.previous = 0) <> b.events
UNION ALL
SELECT format('event %s: %s units are said to be %s of %s', id, payload->>'available', type, payload->>'threshold')
  FROM event_log WHERE type IN ('low_stock', 'stock_recovered')
   AND ((payload->>'available')::int <= (payload->>'threshold')::int) <> (type = 'low_stock')`;

const CART_EVENTS = `
WITH told AS (
  SELECT subject_id AS cart_id, id, (payload->>'version')::int AS version,
         row_number() OVER (PARTITION BY subject_id ORDER BY id) + 1 AS expected
    FROM event_log WHERE type = 'cart_changed' AND payload->>'kind' <> 'LOW_STOCK'
)
SELECT format('cart event %s has version %s and not %s', id, version, expected) AS fault FROM told WHERE version <> expected
UNION ALL
SELECT format('cart %s has version %s after %s events', c.id, c.version, count(t.id))
  FROM carts c LEFT JOIN told t ON t.cart_id = c.id GROUP BY c.id HAVING c.version <> count(t.id) + 1
UNION ALL
SELECT format('cart %s is %s after %s', c.id, c.status, last.kind)
  FROM carts c JOIN (
    SELECT DISTINCT ON (subject_id) subject_id, payload->>'kind' AS kind FROM event_log
     WHERE type = 'cart_changed' AND payload->>'kind' <> 'LOW_STOCK' ORDER BY subject_id, id DESC
  ) AS last ON last.subject_id = c.id
 WHERE c.status::text <> CASE WHEN last.kind IN ('LINES', 'RECLAIMED', 'EMAIL', 'DISCOUNT_CODES', 'SHIPPING', 'PAYMENT') THEN 'ACTIVE'
                               ELSE last.kind END`;

// Retention removes the lines of carts that were bought, and carts that were merged into others, after 90 days.
const isOld = (cartId: string) =>
  `EXISTS (SELECT FROM carts old WHERE old.id = ${cartId} AND old.status <> 'ACTIVE' AND old.updated_at < clock_timestamp() - interval '90 days')`;

const HOLDS = `
WITH booked AS (
  -- Holds that moved to another cart when somebody logged in stay booked under the one that took them.
  SELECT coalesce(c.merged_into_id, c.id) AS cart_id, m.variant_id, sum(m.held_delta) AS units
    FROM stock_movements m JOIN carts c ON c.id = m.cart_id GROUP BY 1, 2
), held AS (
  SELECT l.cart_id, l.variant_id, sum(l.quantity) AS units FROM cart_lines l JOIN carts c ON c.id = l.cart_id
   WHERE c.status = 'ACTIVE' GROUP BY l.cart_id, l.variant_id
)
SELECT format('cart %s holds %s of variant %s, by the ledger %s', cart_id, coalesce(h.units, 0), variant_id, coalesce(b.units, 0)) AS fault
  FROM booked b FULL JOIN held h USING (cart_id, variant_id) WHERE coalesce(h.units, 0) <> coalesce(b.units, 0) AND NOT ${isOld('cart_id')}
UNION ALL
SELECT format('a guest or user has %s live carts', count(*)) FROM carts WHERE status = 'ACTIVE' GROUP BY guest_id, user_id HAVING count(*) > 1
UNION ALL
SELECT format('cart %s holds units and has no deadline, or the reverse', c.id) FROM carts c
 WHERE c.status = 'ACTIVE' AND (c.expires_at IS NULL) <> (NOT EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = c.id))`;

const ORDERS = `
WITH bought AS (
  SELECT o.id, o.cart_id, l.variant_id, l.unit_price_minor, sum(l.quantity) AS units
    FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY o.id, l.variant_id, l.unit_price_minor
), carted AS (
  SELECT o.id, l.variant_id, l.unit_price_minor, l.quantity AS units FROM orders o JOIN cart_lines l ON l.cart_id = o.cart_id
), booked AS (
  SELECT order_id, variant_id, -sum(on_hand_delta) AS units FROM stock_movements WHERE reason = 'SALE' GROUP BY order_id, variant_id
)
SELECT format('order %s has %s of variant %s, its cart %s', id, b.units, variant_id, c.units) AS fault
  FROM bought b FULL JOIN carted c USING (id, variant_id, unit_price_minor) WHERE b.units IS DISTINCT FROM c.units
   AND NOT (${isOld('b.cart_id')} AND NOT EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = b.cart_id))
UNION ALL
SELECT format('order %s has %s of variant %s, by the ledger %s', coalesce(b.id, s.order_id), b.units, s.variant_id, s.units)
  FROM (SELECT id, variant_id, sum(units) AS units FROM bought GROUP BY id, variant_id) b
  FULL JOIN booked s ON s.order_id = b.id AND s.variant_id = b.variant_id WHERE b.units IS DISTINCT FROM s.units
UNION ALL
SELECT format('cart %s is %s and has %s orders', c.id, c.status, count(o.id)) FROM carts c LEFT JOIN orders o ON o.cart_id = c.id
 GROUP BY c.id HAVING count(o.id) <> CASE c.status WHEN 'CHECKED_OUT' THEN 1 ELSE 0 END
UNION ALL
SELECT format('order %s was told of %s times', o.number, count(e.id)) FROM orders o
  LEFT JOIN event_log e ON e.subject_id = o.id AND e.type = 'order_placed' GROUP BY o.id HAVING count(e.id) <> 1`;

const ORDER_LIFE = `
WITH step AS (
  SELECT h.*, lag(to_status) OVER life AS before, lead(id) OVER life IS NULL AS is_last
    FROM order_status_changes h WINDOW life AS (PARTITION BY order_id ORDER BY id)
), returned AS (
  SELECT order_id, variant_id, sum(on_hand_delta) AS units FROM stock_movements WHERE reason = 'CANCELLATION' GROUP BY order_id, variant_id
), owed AS (
  -- Without the units that came back with a refund before.
  SELECT l.order_id, l.variant_id, sum(l.quantity - restocked) AS units FROM order_lines l JOIN orders o ON o.id = l.order_id
    CROSS JOIN LATERAL (SELECT coalesce(sum(r.quantity), 0) AS restocked FROM refund_lines r WHERE r.line_id = l.id AND r.is_restocked) AS b
   WHERE o.status = 'CANCELLED' GROUP BY l.order_id, l.variant_id HAVING sum(l.quantity - restocked) > 0
), told AS (
  SELECT subject_id AS order_id, payload->>'from' AS from_status, payload->>'to' AS to_status, count(*) AS times
    FROM event_log WHERE type = 'order_status_changed' GROUP BY 1, 2, 3
), moved AS (
  SELECT order_id, from_status::text, to_status::text, count(*) AS times FROM order_status_changes
   WHERE from_status IS NOT NULL GROUP BY 1, 2, 3
), paid AS (
  SELECT DISTINCT ON (subject_id) subject_id AS order_id,
         CASE type WHEN 'order_paid' THEN 'PAID' WHEN 'order_refunded' THEN 'REFUNDED' ELSE payload->>'to' END AS status
    FROM event_log WHERE type IN ('order_paid', 'order_refunded', 'order_payment_status_changed') ORDER BY subject_id, id DESC
)
SELECT format('order %s went from %s to %s after it was %s', order_id, from_status, to_status, before) AS fault
  FROM step WHERE from_status IS DISTINCT FROM before
UNION ALL
SELECT format('order %s is %s, its history ends with %s', o.number, o.status, s.to_status)
  FROM orders o LEFT JOIN step s ON s.order_id = o.id AND s.is_last WHERE s.to_status IS DISTINCT FROM o.status
UNION ALL
SELECT format('order %s gave back %s of variant %s, and owed %s', order_id, coalesce(r.units, 0), variant_id, coalesce(w.units, 0))
  FROM returned r FULL JOIN owed w USING (order_id, variant_id) WHERE r.units IS DISTINCT FROM w.units
UNION ALL
SELECT format('order %s went from %s to %s %s times, and was told to %s times', order_id, from_status, to_status, coalesce(m.times, 0), coalesce(t.times, 0))
  FROM moved m FULL JOIN told t USING (order_id, from_status, to_status) WHERE m.times IS DISTINCT FROM t.times
UNION ALL
SELECT format('order %s is %s after %s', o.number, o.payment_status, coalesce(p.status, 'nothing')) FROM orders o LEFT JOIN paid p ON p.order_id = o.id
 WHERE coalesce(p.status, CASE o.total_minor WHEN 0 THEN 'PAID' ELSE 'PENDING' END) <> o.payment_status::text
UNION ALL
-- A guest's order may have joined an account; its cart stays whose it was.
SELECT format('order %s is not whose its cart was', o.number) FROM orders o JOIN carts c ON c.id = o.cart_id
 WHERE NOT (o.guest_id IS NOT DISTINCT FROM c.guest_id AND o.user_id IS NOT DISTINCT FROM c.user_id)
   AND NOT (o.user_id IS NOT NULL AND c.guest_id IS NOT NULL
            AND EXISTS (SELECT FROM users u WHERE u.id = o.user_id AND lower(u.email) = lower(o.email) AND u.email_verified_at IS NOT NULL))`;

const SEQUENCE = `
SELECT format('%s events, numbered %s to %s, the last number is %s', count(*), min(seq), max(seq), (SELECT last FROM event_sequence)) AS fault
  FROM event_log HAVING count(*) > 0 AND (count(seq) <> count(*) OR min(seq) <> 1 OR max(seq) <> count(*)
                                           OR max(seq) <> (SELECT last FROM event_sequence))
UNION ALL
SELECT format('of subject %s, event %s got its number before an earlier one', subject_id, id) FROM (
  SELECT subject_id, id, seq < max(seq) OVER (PARTITION BY subject_id ORDER BY id) AS late FROM event_log
) AS told WHERE late`;

const PRICES = `
SELECT format('promotion %s was used %s times for %s, and has %s uses for %s', p.id, p.used, p.spent_minor, count(u.id),
              coalesce(sum(u.amount_minor), 0)) AS fault
  FROM promotions p LEFT JOIN promotion_uses u ON u.promotion_id = p.id AND u.returned_at IS NULL
 GROUP BY p.id HAVING p.used <> count(u.id) OR p.spent_minor <> coalesce(sum(u.amount_minor), 0)
UNION ALL
SELECT format('promotion %s is used %s by order %s, which is %s', u.promotion_id,
              CASE WHEN u.returned_at IS NULL THEN 'still' ELSE 'no longer' END, o.number, o.status)
  FROM promotion_uses u JOIN orders o ON o.id = u.order_id WHERE (o.status = 'CANCELLED') <> (u.returned_at IS NOT NULL)
UNION ALL
SELECT format('payment %s is %s, and promotion %s is reserved for it: %s', p.id, p.state, u.promotion_id, u.returned_at IS NULL)
  FROM promotion_uses u JOIN payments p ON p.id = u.payment_id
 WHERE u.order_id IS NULL AND (p.state IN ('CANCELLED', 'FAILED') OR p.order_id IS NOT NULL) <> (u.returned_at IS NOT NULL)
   AND p.return_reason IS NULL
UNION ALL
SELECT format('order %s: lines come to %s less %s, the order says %s less %s', o.number, l.total, l.discount, o.subtotal_minor, o.discount_minor)
  FROM orders o JOIN LATERAL (
    SELECT sum(unit_price_minor::bigint * quantity - relief_minor) AS total, sum(discount_minor) AS discount, sum(tax_minor) AS tax
      FROM order_lines WHERE order_id = o.id
  ) l ON l.total <> o.subtotal_minor OR l.discount <> o.discount_minor
UNION ALL
SELECT format('order %s: discounts of lines come to %s and not %s', o.number, d.amount, o.discount_minor)
  FROM orders o JOIN LATERAL (
    SELECT coalesce(sum(amount_minor), 0) AS amount FROM order_discounts WHERE order_id = o.id AND line_id IS NOT NULL
  ) d ON d.amount <> o.discount_minor
UNION ALL
SELECT format('order %s: taxes come to %s and not %s', o.number, t.amount, o.tax_minor)
  FROM orders o JOIN LATERAL (
    SELECT coalesce(sum(amount_minor), 0) AS amount FROM order_taxes WHERE order_id = o.id
  ) t ON t.amount <> o.tax_minor`;

// A pinned cart has a payment that is not over, and holds its units.
const PAYMENTS = `
SELECT format('cart %s is pinned by payment %s, which is %s', c.id, p.id, p.state) AS fault
  FROM carts c JOIN payments p ON p.id = c.payment_id WHERE p.cart_id <> c.id OR p.state IN ('CANCELLED', 'FAILED') OR p.order_id IS NOT NULL
UNION ALL
SELECT format('payment %s of order %s is of another cart', p.id, p.order_id) FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE o.cart_id <> p.cart_id
UNION ALL
SELECT format('order %s has %s payments that money came by', order_id, count(*)) FROM payments WHERE captured_minor > 0 AND order_id IS NOT NULL
 GROUP BY order_id HAVING count(*) > 1
UNION ALL
SELECT format('posting %s adds up to %s', posting_id, sum(amount_minor)) FROM money_entries GROUP BY posting_id HAVING sum(amount_minor) <> 0
UNION ALL
SELECT format('payment %s counts %s and %s refunded, its refunds come to %s and %s', p.id, p.refunded_minor, p.refund_pending_minor, r.done, r.open)
  FROM payments p CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor) FILTER (WHERE state = 'SUCCEEDED'), 0) AS done,
           coalesce(sum(amount_minor) FILTER (WHERE state = 'PENDING'), 0) AS open FROM refunds WHERE payment_id = p.id
  ) r WHERE r.done <> p.refunded_minor OR r.open <> p.refund_pending_minor`;

const RULES = { STOCK_EVENTS, CART_EVENTS, HOLDS, ORDERS, ORDER_LIFE, PRICES, PAYMENTS };

/**
 * Checks counters, ledger, carts, orders and events of the whole database against each other.
 * @param options.numbered whether the relay has been through: then the events' numbers are checked too
 * @returns what does not agree, in words
 */
export async function findFaults(db: Queryable, { numbered = false } = {}): Promise<string[]> {
  const faults = (await auditInventory(db, null)).map(
    ({ rule, variantId, expected, actual }) =>
      `audit: ${rule}: variant ${variantId}, expected ${expected}, actual ${actual}`,
  );
  for (const [rule, text] of Object.entries(numbered ? { ...RULES, SEQUENCE } : RULES)) {
    const rows = await db.query<{ fault: string }>({ name: `books_${rule.toLowerCase()}`, text });
    faults.push(...rows.map((row) => row.fault));
  }
  return faults;
}

/** Rows of a query that only a test asks. */
export function rowsOf<Row extends object>(
  db: Queryable,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  // An unnamed statement: nothing is kept for it on the connection.
  return db.query<Row>({ name: '', text }, values);
}
