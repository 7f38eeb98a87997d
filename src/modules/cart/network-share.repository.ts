import type { Queryable, Statement } from '../../infra/postgres/database.ts';

const held: Statement = {
  name: 'cart_held_by_networks',
  text: `SELECT l.variant_id AS "variantId", n.network, sum(l.quantity)::int AS units
           FROM cart_lines l JOIN carts c ON c.id = l.cart_id LEFT JOIN users u ON u.id = c.user_id
          CROSS JOIN LATERAL unnest(c.networks) AS n(network)
          WHERE l.variant_id = ANY($1::uuid[]) AND n.network = ANY($2::text[]) AND c.id <> ALL($3::uuid[]) AND c.status = 'ACTIVE'
            AND c.expires_at > $4 AND u.email_verified_at IS NULL
          GROUP BY l.variant_id, n.network`,
};

/**
 * The units of variants that live carts of networks hold, those of accounts with a confirmed address left out. The caller has
 * the variants' locks, without which no cart's holds change.
 * @param except carts that are being changed
 */
export function findHeldByNetworks(
  tx: Queryable,
  variantIds: readonly string[],
  networks: readonly string[],
  { except, at }: { except: readonly string[]; at: Date },
): Promise<{ variantId: string; network: string; units: number }[]> {
  return tx.query(held, [variantIds, networks, except, at]);
}

const confirmed: Statement = {
  name: 'cart_owner_confirmed',
  text: 'SELECT FROM users WHERE id = $1 AND email_verified_at IS NOT NULL',
};

/** Whether a user has confirmed the account's address. */
export async function isConfirmedUser(tx: Queryable, userId: string): Promise<boolean> {
  return (await tx.query(confirmed, [userId])).length > 0;
}
