import type { NewEvent } from '../../../src/events/event.ts';
import { lowStock, stockRecovered } from '../../../src/modules/inventory/inventory.events.ts';
import { rowsOf } from '../../support/books.ts';
import { levelOf, makeOverdue, makeVariant, type World } from '../../support/fixtures.ts';
import type { QuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { known } from '../../support/known.ts';

/*
 * Every consumer and every job of the shop has rows here, and each row is run more than once: whatever comes twice has one
 * effect. One that is added without a row fails the test beside this file.
 *
 * To add one, write a row under its name:
 * - `given` sets the scene, in a shop in which nothing runs by itself, and gives what comes: to a consumer an event (a
 *   consumer of several types has a row for each), to a job its payload;
 * - `effect` looks at what came of it;
 * - `expected` is what that is, after one time and after many. Say how many there are of what is made: an effect that looks
 *   the same when it is doubled shows nothing.
 * Beside that the test compares all tables of the shop before the second time and after the last; name in `changes` those
 * that may change (a row's time of the last attempt, say).
 */

/** The scene of a row. */
export type Scene = QuietShop & World;

interface Row<Given> {
  given(scene: Scene): Promise<{ comes: Given; effect: () => Promise<unknown> }>;
  expected: unknown;
  /** Tables that are not the same after the second time, for a good reason; none unless told. */
  changes?: readonly string[];
}

/** By the consumer's name, and the type of the event. */
export const consumers: Readonly<Record<string, Readonly<Record<string, Row<NewEvent>>>>> = {
  'low-stock-notices': {
    [lowStock.type]: {
      async given(scene) {
        const { cartIds, variant } = await twoCarts(scene);
        const { id: variantId, productId } = variant;
        const low = { variantId, productId, available: 2, threshold: 3, cartId: null };
        return { comes: lowStock.of(variantId, low), effect: () => toldOf(scene, cartIds) };
      },
      expected: { told: 2, marked: 2 },
    },
    [stockRecovered.type]: {
      async given(scene) {
        const { cartIds, variant } = await twoCarts(scene);
        const { id: variantId, productId } = variant;
        await rowsOf(scene.db, 'UPDATE cart_lines SET low_stock_notified_at = clock_timestamp()');
        const recovered = { variantId, productId, available: 9, threshold: 3 };
        return { comes: stockRecovered.of(variantId, recovered), effect: () => toldOf(scene, cartIds) };
      },
      expected: { told: 0, marked: 0 },
    },
  },
};

/** By the job's name. */
export const jobs: Readonly<Record<string, Row<unknown>>> = {
  'cart-expiry': {
    async given(scene) {
      const { cartIds, variant } = await twoCarts(scene);
      await makeOverdue(scene, cartIds);
      const effect = async () => {
        const released = await rowsOf(
          scene.db,
          `SELECT held_delta FROM stock_movements WHERE reason = 'RELEASE' AND variant_id = $1`,
          [variant.id],
        );
        const told = await rowsOf(
          scene.db,
          `SELECT FROM event_log WHERE payload->>'kind' = 'EXPIRED' AND subject_id = ANY($1::uuid[])`,
          [cartIds],
        );
        return { released: released.length, told: told.length, level: await levelOf(scene, variant.id) };
      };
      return { comes: { second: Math.floor(Date.now() / 1000) }, effect };
    },
    expected: { released: 2, told: 2, level: { onHand: 10, held: 0, available: 10 } },
  },
};

/** Two guests with four units each in their carts. */
async function twoCarts(scene: Scene) {
  const variant = await makeVariant(scene, { onHand: 10 });
  const cartIds: string[] = [];
  for (let index = 0; index < 2; index += 1) {
    const { cart, errors } = await (await enter(scene)).add({ variantId: variant.globalId, quantity: 4 });
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    cartIds.push(rowId(known(cart).id));
  }
  return { variant, cartIds };
}

/** How often the owners of carts were told that something runs low, and how many lines say so. */
async function toldOf({ db }: Scene, cartIds: readonly string[]) {
  const told = await rowsOf(
    db,
    `SELECT FROM event_log WHERE type = 'cart_changed' AND payload->>'kind' = 'LOW_STOCK' AND subject_id = ANY($1::uuid[])`,
    [cartIds],
  );
  const marked = await rowsOf(
    db,
    'SELECT FROM cart_lines WHERE cart_id = ANY($1::uuid[]) AND low_stock_notified_at IS NOT NULL',
    [cartIds],
  );
  return { told: told.length, marked: marked.length };
}
