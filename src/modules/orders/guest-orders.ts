import { readClock } from '../../infra/postgres/clock.ts';
import {
  RetryTransaction,
  violatedConstraint,
  type Statement,
  type Transaction,
} from '../../infra/postgres/database.ts';

/** Whose orders are looked for, and whether they have shown that the address is theirs. */
export interface AddressOwner {
  id: string;
  email: string;
  emailVerifiedAt: Date | null;
}

/** The constraint by which a user's key names one order: see `findByKey`. */
export const USER_KEY = 'orders_user_id_idempotency_key_key';

const lock: Statement = {
  name: 'order_lock_of_guests',
  text: `SELECT id FROM orders WHERE lower(email) = lower($1 COLLATE "C") AND guest_id IS NOT NULL ORDER BY id FOR NO KEY UPDATE`,
};

// A key that the user has already, or another of these orders, stays with that one.
const join: Statement = {
  name: 'order_join',
  text: `
WITH joining AS (
  SELECT id, row_number() OVER (PARTITION BY idempotency_key ORDER BY placed_at, id) > 1
             OR EXISTS (SELECT FROM orders u WHERE u.user_id = $2 AND u.idempotency_key = o.idempotency_key) AS clashes
    FROM orders o WHERE id = ANY($1::uuid[])
)
UPDATE orders o
   SET user_id = $2, guest_id = NULL, updated_at = $3,
       idempotency_key = CASE WHEN j.clashes THEN 'joined ' || gen_random_uuid() ELSE o.idempotency_key END
  FROM joining j WHERE j.id = o.id`,
};

/**
 * What guests ordered with a user's address becomes the user's, provided that the address is confirmed: anyone can type an
 * address. It takes the locks of those orders, so the caller has those of the user and of carts, and none of variants yet.
 * @returns the orders that joined
 */
export async function joinGuestOrders(tx: Transaction, user: AddressOwner): Promise<string[]> {
  if (user.emailVerifiedAt === null) return [];
  const ids = (await tx.query<{ id: string }>(lock, [user.email])).map((row) => row.id);
  if (ids.length === 0) return ids;
  const at = await readClock(tx);
  try {
    await tx.query(join, [ids, user.id, at]);
  } catch (error) {
    // A checkout of the user's took one of the keys just now. Run again: then it is seen.
    throw violatedConstraint(error) === USER_KEY ? new RetryTransaction() : error;
  }
  return ids;
}
