import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { OwnerColumns } from './cart-owner.ts';

/** Which lines of a variant a batch is about: those whose owner was notified that the variant runs low, or those whose owner was not. */
type Mark = 'marked' | 'unmarked';

// Carts of the past keep their lines: the live ones are what there is little of.
const lockHolding = (mark: Mark): Statement => ({
  name: `cart_lock_low_stock_${mark}`,
  text: `SELECT c.id AS "cartId", c.guest_id AS "guestId", c.user_id AS "userId", c.version FROM carts c
          WHERE c.status = 'ACTIVE' AND c.expires_at > clock_timestamp() AND c.id IS DISTINCT FROM $2::uuid
            AND EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = c.id AND l.variant_id = $1
                           AND l.low_stock_notified_at IS ${mark === 'marked' ? 'NOT NULL' : 'NULL'})
          ORDER BY c.id LIMIT $3 FOR NO KEY UPDATE OF c`,
});
const statements = { marked: lockHolding('marked'), unmarked: lockHolding('unmarked') };

/** What an event says about a cart. */
export interface HoldingCart extends OwnerColumns {
  cartId: string;
  version: number;
}

/**
 * Locks live carts that hold a variant in a line with or without the mark, in the order of their ids. After the marks of these have been
 * changed, the next call locks the next ones.
 */
export function lockCartsHolding(
  tx: Queryable,
  which: { variantId: string; mark: Mark; except: string | null; limit: number },
): Promise<HoldingCart[]> {
  return tx.query<HoldingCart>(statements[which.mark], [which.variantId, which.except, which.limit]);
}

const mark: Statement = {
  name: 'cart_mark_low_stock',
  text: `UPDATE cart_lines SET low_stock_notified_at = $3 WHERE cart_id = ANY($1::uuid[]) AND variant_id = $2
            AND (low_stock_notified_at IS NULL) = ($3::timestamptz IS NOT NULL)`,
};

/** Marks the lines of a variant in carts whose locks the caller has; null takes the mark away. */
export async function markLowStock(
  tx: Queryable,
  cartIds: readonly string[],
  variantId: string,
  at: Date | null,
): Promise<void> {
  await tx.query(mark, [cartIds, variantId, at]);
}
