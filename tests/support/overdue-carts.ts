import type { StockChange } from '../../src/modules/inventory/inventory.service.ts';
import { rowsOf } from './books.ts';
import { makeOverdue } from './fixtures.ts';
import type { TestServices } from './services.ts';

/**
 * Fills carts in bulk, each of a guest of its own, as so many adds would have: lines, holds, ledger, events and versions.
 * Cart `i` holds one to three units of one to three of the variants, all of it decided by `i`.
 * @returns the carts' ids, and what they hold in all
 */
export async function fillCarts(
  { db, eventLog, inventory }: TestServices,
  count: number,
  variantIds: readonly string[],
): Promise<{ cartIds: string[]; units: number }> {
  const filled = await db.transaction(async (tx) => {
    const at = await inventory.lock(tx, variantIds);
    const carts = await rowsOf<{ id: string; guestId: string }>(
      tx,
      `WITH guest AS (
         INSERT INTO guests (id, token_hash) SELECT gen_random_uuid(), sha256(gen_random_uuid()::text::bytea) FROM generate_series(1, $1) RETURNING id
       )
       INSERT INTO carts (id, guest_id, version, hold_started_at, expires_at, created_at, updated_at)
       SELECT gen_random_uuid(), id, 2, $2::timestamptz, $2::timestamptz + interval '15 minutes', $2, $2 FROM guest
       RETURNING id, guest_id AS "guestId"`,
      [count, at],
    );
    const holds = await rowsOf<{ cartId: string; variantId: string; quantity: number }>(
      tx,
      `INSERT INTO cart_lines (id, cart_id, variant_id, quantity, unit_price_minor, position)
       SELECT gen_random_uuid(), cart.id, ($2::uuid[])[1 + (cart.i + line) % cardinality($2::uuid[])], 1 + (cart.i + line) % 3, 1000, line
         FROM unnest($1::uuid[]) WITH ORDINALITY AS cart(id, i), generate_series(0, 2) AS line WHERE line <= cart.i % 3
       RETURNING cart_id AS "cartId", variant_id AS "variantId", quantity`,
      [carts.map((cart) => cart.id), variantIds],
    );
    const changes = holds.map(({ cartId, variantId, quantity }): StockChange => ({
      reason: 'HOLD',
      cartId,
      variantId,
      heldDelta: quantity,
    }));
    await inventory.apply(tx, at, changes);
    await eventLog.append(
      tx,
      at,
      carts.map(({ id, guestId }) => ({
        type: 'cart_changed',
        subjectId: id,
        payload: { cartId: id, guestId, kind: 'LINES', version: 2 },
      })),
    );
    return { cartIds: carts.map((cart) => cart.id), units: holds.reduce((sum, hold) => sum + hold.quantity, 0) };
  });
  await rowsOf(db, 'ANALYZE');
  return filled;
}

/** The same, past their deadline. */
export async function fillOverdueCarts(...args: Parameters<typeof fillCarts>): ReturnType<typeof fillCarts> {
  const filled = await fillCarts(...args);
  const [services] = args;
  await makeOverdue(services, filled.cartIds);
  return filled;
}
