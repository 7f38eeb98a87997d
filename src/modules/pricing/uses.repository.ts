import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/*
 * Promotions without limits count nothing, so that checkouts do not wait for each other. Once one gets a limit, the orders that
 * have it already are counted.
 */

const lockUncounted: Statement = {
  name: 'pricing_lock_uncounted',
  text: `SELECT o.id FROM orders o
          WHERE o.status <> 'CANCELLED'
            AND EXISTS (SELECT FROM order_discounts d WHERE d.order_id = o.id AND d.promotion_id = $1)
            AND NOT EXISTS (SELECT FROM promotion_uses u WHERE u.order_id = o.id AND u.promotion_id = $1)
          ORDER BY o.id FOR NO KEY UPDATE OF o`,
};

/**
 * Locks the orders that a promotion was applied to and that are not counted, so that none of them is cancelled before it is: the
 * cancellation would have nothing to give back. Before the lock of the promotion.
 * @returns their ids
 */
export async function lockUncountedOrders(tx: Queryable, promotionId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(lockUncounted, [promotionId]);
  return rows.map(({ id }) => id);
}

const insertUses: Statement = {
  name: 'pricing_count_orders',
  text: `INSERT INTO promotion_uses (promotion_id, order_id, customer, code, amount_minor, used_at)
         SELECT $1, o.id, coalesce(o.user_id::text, lower(o.email COLLATE "C")), d.code, d.amount_minor, o.placed_at
           FROM orders o
           JOIN (SELECT order_id, max(code) AS code, sum(amount_minor)::bigint AS amount_minor FROM order_discounts
                  WHERE promotion_id = $1 AND order_id = ANY($2::uuid[]) GROUP BY order_id) d ON d.order_id = o.id
         ON CONFLICT DO NOTHING`,
};

const setCounters: Statement = {
  name: 'pricing_set_counters',
  text: `UPDATE promotions p SET used = u.used, spent_minor = u.spent
           FROM (SELECT count(*)::int AS used, coalesce(sum(amount_minor), 0)::bigint AS spent FROM promotion_uses
                  WHERE promotion_id = $1 AND returned_at IS NULL) u
          WHERE p.id = $1 RETURNING p.used, p.spent_minor AS "spentMinor"`,
};

/**
 * Counts orders as uses of a promotion, under the lock of the promotion, which has no limits yet.
 * @param orderIds what `lockUncountedOrders` locked
 * @returns the counters with all uses
 */
export async function countOrders(
  tx: Queryable,
  promotionId: string,
  orderIds: readonly string[],
): Promise<{ used: number; spentMinor: bigint }> {
  await tx.query(insertUses, [promotionId, orderIds]);
  const [row] = await tx.query<{ used: number; spentMinor: bigint }>(setCounters, [promotionId]);
  if (row === undefined) throw new Error(`promotion ${promotionId} is gone under its lock`);
  return row;
}
