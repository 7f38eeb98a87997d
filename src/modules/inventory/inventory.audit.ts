import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** A rule of stock that a variant breaks. */
export interface Discrepancy {
  variantId: string;
  /** In words. */
  rule: string;
  expected: number;
  actual: number;
}

const AUDITED = 'SELECT id, on_hand, held FROM product_variants WHERE $1::uuid[] IS NULL OR id = ANY($1::uuid[])';

const audit: Statement = {
  name: 'inventory_audit',
  text: `
WITH variant AS (${AUDITED}
), link AS (
  SELECT m.*, lag(on_hand_after, 1, 0) OVER chain AS on_hand_before, lag(held_after, 1, 0) OVER chain AS held_before,
         row_number() OVER (PARTITION BY variant_id ORDER BY id DESC) = 1 AS is_last
    FROM stock_movements m WHERE variant_id IN (SELECT id FROM variant)
  WINDOW chain AS (PARTITION BY variant_id ORDER BY id)
), holding AS (
  SELECT l.variant_id, sum(l.quantity)::int AS units FROM cart_lines l JOIN carts c ON c.id = l.cart_id
   WHERE c.status = 'ACTIVE' GROUP BY l.variant_id
), sold AS (
  -- A cancelled order gives back what has not come back with a refund before: those units stay sold, and are returns.
  SELECT l.variant_id, sum(CASE o.status WHEN 'CANCELLED' THEN returned.units ELSE l.quantity END)::int AS units
    FROM order_lines l JOIN orders o ON o.id = l.order_id CROSS JOIN LATERAL (
      SELECT coalesce(sum(r.quantity), 0) AS units FROM refund_lines r WHERE r.line_id = l.id AND r.is_restocked
    ) returned GROUP BY l.variant_id
), booked AS (
  SELECT variant_id, -sum(on_hand_delta)::int AS units FROM link WHERE reason IN ('SALE', 'CANCELLATION') GROUP BY variant_id
)
SELECT v.id AS "variantId", 'units on hand are those of the last ledger entry' AS rule, coalesce(l.on_hand_after, 0) AS expected, v.on_hand AS actual
  FROM variant v LEFT JOIN link l ON l.variant_id = v.id AND l.is_last WHERE v.on_hand <> coalesce(l.on_hand_after, 0)
UNION ALL
SELECT v.id, 'units held are those of the last ledger entry', coalesce(l.held_after, 0), v.held
  FROM variant v LEFT JOIN link l ON l.variant_id = v.id AND l.is_last WHERE v.held <> coalesce(l.held_after, 0)
UNION ALL
SELECT variant_id, 'each ledger entry follows from the one before (on hand)', on_hand_before + on_hand_delta, on_hand_after
  FROM link WHERE on_hand_after <> on_hand_before + on_hand_delta
UNION ALL
SELECT variant_id, 'each ledger entry follows from the one before (held)', held_before + held_delta, held_after
  FROM link WHERE held_after <> held_before + held_delta
UNION ALL
SELECT v.id, 'units held are those in live carts', coalesce(h.units, 0), v.held
  FROM variant v LEFT JOIN holding h ON h.variant_id = v.id WHERE v.held <> coalesce(h.units, 0)
UNION ALL
SELECT v.id, 'units booked as sold are those in orders', coalesce(s.units, 0), coalesce(b.units, 0)
  FROM variant v LEFT JOIN sold s ON s.variant_id = v.id LEFT JOIN booked b ON b.variant_id = v.id
 WHERE coalesce(s.units, 0) <> coalesce(b.units, 0)`,
};

/**
 * Checks counters against the whole ledger, live carts and orders, in one snapshot.
 * @param variantIds which variants; null: all of them, with their whole history
 * @returns every rule that is broken; empty when all is well
 */
export function auditInventory(source: Queryable, variantIds: readonly string[] | null): Promise<Discrepancy[]> {
  return source.query<Discrepancy>(audit, [variantIds]);
}
