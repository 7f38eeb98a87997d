import type { Queryable, Statement, Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import { readBatch } from './cart-batch.repository.ts';
import type { CartOwner } from './cart-owner.ts';
import type { LockedCart } from './cart.repository.ts';

/*
 * The statements by which checkouts share a transaction. None of them depends on how many checkouts there are.
 */

// In the order in which everybody locks: guests, carts, then variants; the clock is read above the last of them. Guests and carts that
// somebody else has are passed over, variants are waited for. Guests are locked as the foreign key of orders locks them: their tokens
// could otherwise be replaced by a transaction that has the guest and waits for the cart, while this one waits for the guest.
const lock: Statement = {
  name: 'cart_lock_all_for_checkout',
  text: `
WITH visitors AS MATERIALIZED (
  SELECT id FROM guests WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE SKIP LOCKED
), live AS MATERIALIZED (
  SELECT id FROM carts WHERE (guest_id = ANY(ARRAY(SELECT id FROM visitors)) OR user_id = ANY($2::uuid[])) AND status = 'ACTIVE'
   ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), shelf AS MATERIALIZED (
  SELECT id FROM product_variants
   WHERE id = ANY(ARRAY(SELECT variant_id FROM cart_lines WHERE cart_id IN (SELECT id FROM live)))
   ORDER BY id FOR NO KEY UPDATE
)
SELECT clock_timestamp() AS now, locked."variantIds", ARRAY(SELECT id FROM live) AS "cartIds"
  FROM (SELECT coalesce(array_agg(id), '{}') AS "variantIds" FROM shelf) AS locked`,
};

/** What checkouts of different owners have locked. */
export interface CheckoutLocks {
  /** The time once all was locked: the transaction's instant. */
  now: Date;
  variantIds: string[];
  /**
   * Live carts by their owners' ids, each with everything in it locked and its time not over. The cart of an owner is missing if there is
   * none, if somebody else has it, or if it changed while it was being locked.
   */
  carts: ReadonlyMap<string, LockedCart>;
}

/** Locks live carts and the variants in them. See `CartService.lockAllForCheckout`. */
export async function lockAllForCheckout(tx: Queryable, owners: readonly CartOwner[]): Promise<CheckoutLocks> {
  const guestIds = owners.flatMap((owner) => ('guestId' in owner ? [owner.guestId] : []));
  const userIds = owners.flatMap((owner) => ('userId' in owner ? [owner.userId] : []));
  // Each statement sees what was committed before it began, so the carts are read as they were locked.
  const [[locks], { carts }] = await together(
    tx.query<{ now: Date; variantIds: string[]; cartIds: string[] }>(lock, [guestIds, userIds]),
    readBatch(tx, { guestIds, userIds }),
  );
  if (locks === undefined) throw new Error('the database did not return what was locked');
  const locked = new Set([...locks.cartIds, ...locks.variantIds]);
  const usable = carts.filter(
    ({ id, status, expiresAt, lines }) =>
      locked.has(id) &&
      status === 'ACTIVE' &&
      expiresAt !== null &&
      expiresAt > locks.now &&
      lines.every(({ variantId }) => locked.has(variantId)),
  );
  return {
    now: locks.now,
    variantIds: locks.variantIds,
    carts: new Map(usable.map((cart) => [cart.userId ?? cart.guestId ?? '', cart])),
  };
}

const checkOut: Statement = {
  name: 'cart_check_out',
  text: `UPDATE carts SET status = 'CHECKED_OUT', updated_at = $2, version = version + 1, payment_id = NULL WHERE id = ANY($1::uuid[])`,
};

/** Writes that carts became orders, which ends the pins of payments. */
export async function markCheckedOut(
  tx: Transaction,
  at: Date,
  ids: readonly string[],
  commits: boolean,
): Promise<void> {
  await (commits ? tx.commitWith(checkOut, [ids, at]) : tx.query(checkOut, [ids, at]));
}
