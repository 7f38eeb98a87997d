import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { OwnerColumns } from './cart-owner.ts';

// The clock in a select of its own is read once, so that the index on the deadline is of use.
const OVERDUE = `status = 'ACTIVE' AND expires_at <= (SELECT clock_timestamp())`;

const lockOverdue: Statement = {
  name: 'cart_lock_overdue',
  text: `SELECT id FROM carts WHERE ${OVERDUE} AND id <> ALL($2::uuid[])
          ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
};

/**
 * Locks overdue carts, the longest overdue first. Carts that someone else is at are left to them, so several processes
 * share the work, each cart going to one.
 * @param without carts that are passed over
 */
export async function lockOverdueCarts(tx: Queryable, limit: number, without: readonly string[]): Promise<string[]> {
  return (await tx.query<{ id: string }>(lockOverdue, [limit, without])).map((row) => row.id);
}

const nextDeadline: Statement = {
  name: 'cart_next_deadline',
  text: `SELECT (extract(epoch FROM min(expires_at) - clock_timestamp()) * 1000)::float8 AS ms FROM carts
          WHERE status = 'ACTIVE' AND expires_at < $1`,
};

/** Milliseconds until the first deadline before an instant, negative where it is past; null: there is none. */
export async function findNextDeadline(source: Queryable, before: Date): Promise<number | null> {
  const [row] = await source.query<{ ms: number | null }>(nextDeadline, [before]);
  return row?.ms ?? null;
}

// From the overdue carts to their lines, not the reverse: carts of the past keep theirs, and a variant may have very many.
// `= ANY(ARRAY(…))` sees to that, where the planner, who takes a third of all carts to be overdue, would read them all.
const overdueHolding: Statement = {
  name: 'cart_overdue_holding',
  text: `
SELECT DISTINCT cart_id AS id FROM (
  SELECT h.cart_id, s.short, sum(h.quantity) OVER (PARTITION BY h.variant_id ORDER BY h.cart_id) - h.quantity AS already
    FROM (
      SELECT cart_id, variant_id, sum(quantity) AS quantity FROM cart_lines
       WHERE cart_id = ANY(ARRAY(SELECT id FROM carts WHERE ${OVERDUE})) AND variant_id = ANY($1::uuid[])
       GROUP BY cart_id, variant_id
    ) h JOIN unnest($1::uuid[], $2::int[]) AS s(variant_id, short) ON s.variant_id = h.variant_id
) AS candidate WHERE already < short`,
};

/** As few overdue carts, by id, as hold the units that are short; not locked yet. */
export async function findOverdueHolding(source: Queryable, shortages: ReadonlyMap<string, number>): Promise<string[]> {
  const rows = await source.query<{ id: string }>(overdueHolding, [[...shortages.keys()], [...shortages.values()]]);
  return rows.map((row) => row.id);
}

const LOCK_IF_OVERDUE = `SELECT id FROM carts WHERE id = ANY($1::uuid[]) AND ${OVERDUE}
                          ORDER BY id FOR NO KEY UPDATE`;
const lockWaiting: Statement = { name: 'cart_lock_if_overdue', text: LOCK_IF_OVERDUE };
const lockSkipping: Statement = { name: 'cart_lock_if_overdue_skip', text: `${LOCK_IF_OVERDUE} SKIP LOCKED` };

/**
 * Locks those of the carts that are overdue still.
 * @param wait whether to wait for carts that someone else is at, or to pass them over
 */
export async function lockIfOverdue(tx: Queryable, ids: readonly string[], wait: boolean): Promise<string[]> {
  return (await tx.query<{ id: string }>(wait ? lockWaiting : lockSkipping, [ids])).map((row) => row.id);
}

const held: Statement = {
  name: 'cart_held_by',
  text: `SELECT cart_id AS "cartId", variant_id AS "variantId", sum(quantity)::int AS quantity FROM cart_lines
          WHERE cart_id = ANY($1::uuid[]) GROUP BY cart_id, variant_id ORDER BY cart_id, variant_id`,
};

/** What carts hold, by cart and variant. */
export function findHeld(
  tx: Queryable,
  cartIds: readonly string[],
): Promise<{ cartId: string; variantId: string; quantity: number }[]> {
  return tx.query(held, [cartIds]);
}

const expire: Statement = {
  name: 'cart_expire',
  text: `UPDATE carts SET status = 'EXPIRED', payment_id = NULL, version = version + 1, updated_at = $2 WHERE id = ANY($1::uuid[])
         RETURNING id AS "cartId", guest_id AS "guestId", user_id AS "userId", version`,
};

/** Marks carts whose locks the caller has. */
export function markExpired(
  tx: Queryable,
  cartIds: readonly string[],
  at: Date,
): Promise<(OwnerColumns & { cartId: string; version: number })[]> {
  return tx.query(expire, [cartIds, at]);
}
