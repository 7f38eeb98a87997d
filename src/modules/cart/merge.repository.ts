import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { NOT_ASIDE } from './owner-statement.ts';

const joining: Statement = {
  name: 'cart_joining',
  text: `SELECT id, 'GUEST' AS role FROM carts WHERE guest_id = $1 AND status IN ('ACTIVE', 'EXPIRED')
         UNION ALL
         SELECT id, 'ASIDE' FROM carts WHERE aside_for_id = $2
         UNION ALL
         SELECT id, 'LIVE' FROM carts WHERE user_id = $2 AND status = 'ACTIVE'`,
};

/** What a cart is to the user whom it joins. ASIDE: it is the user's, and waits for a payment to end. */
export type JoiningRole = 'GUEST' | 'ASIDE' | 'LIVE';

/**
 * The carts that a log-in is about: the guest's that are live or expired, the user's live one, and those that are set aside for the user.
 * Not locked yet, but nobody changes their roles without the locks of the owners.
 */
export async function findJoining(
  tx: Queryable,
  guestId: string | null,
  userId: string,
): Promise<Map<string, JoiningRole>> {
  const rows = await tx.query<{ id: string; role: JoiningRole }>(joining, [guestId, userId]);
  return new Map(rows.map(({ id, role }) => [id, role]));
}

const hasAside: Statement = { name: 'cart_has_aside', text: 'SELECT FROM carts WHERE aside_for_id = $1 LIMIT 1' };

/** Whether a cart is set aside for a user. */
export async function isAnyAside(source: Queryable, userId: string): Promise<boolean> {
  return (await source.query(hasAside, [userId])).length > 0;
}

const setAside: Statement = {
  name: 'cart_set_aside',
  text: 'UPDATE carts SET guest_id = NULL, user_id = NULL, aside_for_id = $2 WHERE id = $1',
};

/** Sets a live cart aside for a user; the caller has its lock. Nothing in it changes, so neither does its version. */
export async function setCartAside(tx: Queryable, cartId: string, userId: string): Promise<void> {
  await tx.query(setAside, [cartId, userId]);
}

const makeLive: Statement = {
  name: 'cart_make_live',
  text: `UPDATE carts SET guest_id = NULL, aside_for_id = NULL, user_id = $2, updated_at = $3, version = version + 1 WHERE id = $1`,
};

/** Makes a cart the live one of a user, who has no other; the caller has its lock. */
export async function makeCartLive(tx: Queryable, cartId: string, userId: string, at: Date): Promise<void> {
  await tx.query(makeLive, [cartId, userId, at]);
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
         ), earlier AS (
           -- The ledger has their holds under the cart that they went to, in one step.
           UPDATE carts SET merged_into_id = $2 WHERE merged_into_id = $1 AND $2::uuid IS NOT NULL
         )
         UPDATE carts SET status = 'MERGED', ${NOT_ASIDE}, merged_into_id = $2, updated_at = $3, version = version + 1 WHERE id = $1`,
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
