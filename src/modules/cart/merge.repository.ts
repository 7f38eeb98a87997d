import type { Queryable, Statement } from '../../infra/postgres/database.ts';

const joining: Statement = {
  name: 'cart_joining',
  text: `SELECT id FROM carts WHERE guest_id = $1 AND status IN ('ACTIVE', 'EXPIRED')
         UNION ALL
         SELECT id FROM carts WHERE user_id = $2 AND status = 'ACTIVE'`,
};

/** The carts that a log-in is about: the guest's that are live or expired, and the user's live one. Not locked yet. */
export async function findJoining(tx: Queryable, guestId: string, userId: string): Promise<string[]> {
  return (await tx.query<{ id: string }>(joining, [guestId, userId])).map((row) => row.id);
}

const handOver: Statement = {
  name: 'cart_hand_over',
  text: 'UPDATE carts SET guest_id = NULL, user_id = $2 WHERE id = ANY($1::uuid[])',
};

/** Makes expired carts the user's; the caller has their locks. Nothing in them changes, so neither does their version. */
export async function handOverCarts(tx: Queryable, cartIds: readonly string[], userId: string): Promise<void> {
  await tx.query(handOver, [cartIds, userId]);
}

const markMerged: Statement = {
  name: 'cart_mark_merged',
  text: `WITH removed AS (
           DELETE FROM cart_lines WHERE cart_id = $1
         ), target AS (
           UPDATE carts t SET networks = m.networks FROM carts m
            WHERE t.id = $2 AND m.id = $1 AND t.networks = '{}'
         )
         UPDATE carts SET status = 'MERGED', merged_into_id = $2, updated_at = $3, version = version + 1 WHERE id = $1`,
};

/**
 * Empties a cart whose lines are in another one now; the caller holds its lock.
 * @param into where its holds went, or null where it had none left to move
 */
export async function markCartMerged(tx: Queryable, cartId: string, into: string | null, at: Date): Promise<void> {
  await tx.query(markMerged, [cartId, into, at]);
}

const mergedRecently: Statement = {
  name: 'cart_merged_recently',
  text: `SELECT id FROM carts WHERE id = $1 AND status = 'MERGED' AND updated_at > clock_timestamp() - interval '1 minute'`,
};

/** Whether a cart was joined to another one within the last minute. */
export async function wasMergedRecently(source: Queryable, cartId: string): Promise<boolean> {
  return (await source.query(mergedRecently, [cartId])).length > 0;
}
