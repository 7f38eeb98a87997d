import type pg from 'pg';
import { fillOrders } from '../lists/fill.ts';
import { uuidOf } from '../ordered-ids.ts';

/** Days since what is old was changed: longer than anything is kept. */
export const DAYS_AGO = 1000;

/**
 * SQL of the number of the variant in a live cart. Carts that were made at the same time have variants from all over the catalogue:
 * the factor is a prime that does not divide the number of carts, so that each variant is in one cart.
 */
const CHOSEN = '(n::bigint * 611953 % $1::int + 1)';

const VARIANTS = [
  `WITH product AS (INSERT INTO products (id, slug, title) VALUES (gen_random_uuid(), 'bench-carts', 'Bench') RETURNING id)
   INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold, position, on_hand, held)
   SELECT ${uuidOf('variant')}, product.id, 'BENCH-' || n, 100, 1, n, 4, 1 FROM product, generate_series(1, $1::int) AS n`,
  `INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, occurred_at)
   SELECT ${uuidOf('variant')}, 'RESTOCK', 4, 0, 4, 0, now() FROM generate_series(1, $1::int) AS n`,
  `INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, cart_id, occurred_at)
   SELECT ${uuidOf('variant', CHOSEN)}, 'HOLD', 0, 1, 4, 1, ${uuidOf('live cart')}, now() FROM generate_series(1, $1::int) AS n`,
];

const carts = (what: 'live' | 'old', status: string, at: string, hold: string, variant: string) => [
  `INSERT INTO guests (id, token_hash, created_at)
   SELECT ${uuidOf(`${what} guest`)}, sha256(('${what} ' || n)::bytea), ${at} FROM generate_series(1, $1::int) AS n`,
  `INSERT INTO carts (id, guest_id, status, hold_started_at, expires_at, created_at, updated_at)
   SELECT ${uuidOf(`${what} cart`)}, ${uuidOf(`${what} guest`)}, '${status}', ${hold}, ${at}, ${at} FROM generate_series(1, $1::int) AS n`,
  `INSERT INTO cart_lines (id, cart_id, variant_id, quantity, unit_price_minor, position)
   SELECT ${uuidOf(`${what} line`)}, ${uuidOf(`${what} cart`)}, ${variant}, 1, 100, 0 FROM generate_series(1, $1::int) AS n`,
];

/**
 * Fills so many live carts that each hold a unit of a variant of their own, with the ledger; as many carts that expired long ago, with
 * their guests; and as many old orders of guests, whose carts have no lines any more.
 */
export async function fillCarts(client: pg.Client, count: number, report: (what: string) => void): Promise<void> {
  // Without triggers, foreign keys among them: all that they check is so.
  await client.query('SET session_replication_role = replica');
  const old = `now() - interval '${DAYS_AGO} days'`;
  const parts: [string, readonly string[]][] = [
    ['variants', VARIANTS],
    ['live carts', carts('live', 'ACTIVE', 'now()', `now(), now() + interval '1 day'`, uuidOf('variant', CHOSEN))],
    ['old carts', carts('old', 'EXPIRED', old, 'NULL, NULL', uuidOf('variant'))],
  ];
  for (const [what, statements] of parts) {
    report(`${count} ${what}`);
    for (const text of statements) await client.query(text, [count]);
  }
  report(`${count} orders`);
  await fillOrders(client, count, DAYS_AGO);
  await client.query('SET session_replication_role = origin');
  report('VACUUM ANALYZE');
  await client.query('VACUUM ANALYZE');
}
