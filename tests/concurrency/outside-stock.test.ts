import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { startConsumers, type Consumers } from '../../src/events/consumers.ts';
import type { OutsideSource } from '../../src/modules/inventory/outside-stock.service.ts';
import { createShortfallConsumer } from '../../src/modules/inventory/shortfall.consumer.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordLogs, WARN } from '../support/logs.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, type Shopper } from '../support/shopper.ts';
import { sized } from '../support/sizes.ts';

/*
 * What two catalogues say of a level, against the arithmetic of their editors: the first value is the level, each later one
 * moves it by its difference, sales and staff move it too. What cannot be taken from carts is owed, so that at any time
 * there are exactly as many units more than that as are owed.
 */

const { logger, logs } = recordLogs();
let shop: QuietShop;
let consumers: Consumers;
let shoppers: Shopper[];
beforeAll(async () => {
  shop = await openQuietShop({ RATE_LIMITS: 'off' });
  shoppers = [await enter(shop), await enter(shop)];
  consumers = startConsumers({
    db: shop.db,
    bus: { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) },
    logger,
    settings: { pollMs: 3_600_000, backoffMs: 1 },
    consumers: [createShortfallConsumer(shop.app.services.outsideStock)],
  });
  await consumers.flush();
});
afterAll(async () => {
  await consumers[Symbol.asyncDispose]();
  await shop.dispose();
});

async function settle(): Promise<void> {
  await shop.app.relay.flush();
  await consumers.flush();
}

interface Variant {
  id: string;
  globalId: string;
}

async function newVariant(onHand: number): Promise<Variant> {
  const { variants } = await makeProduct(shop, { variants: [{ price: 100, onHand }] });
  return known(variants[0]);
}

interface Counters {
  onHand: number;
  held: number;
  owed: number;
}

async function countersOf({ id }: Variant): Promise<Counters> {
  const [row] = await rowsOf<Counters>(
    shop.db,
    `SELECT on_hand AS "onHand", held, (SELECT coalesce(sum(shortfall), 0)::int FROM outside_stock WHERE variant_id = $1) AS owed
       FROM product_variants WHERE id = $1`,
    [id],
  );
  return known(row);
}

/** Each catalogue says it in its own way: Contentful one variant at a time, the import as part of a product. */
function believe({ id: variantId }: Variant, source: OutsideSource, quantity: number): Promise<void> {
  const { inventory, outsideStock } = shop.app.services;
  return shop.db.transaction(async (tx) => {
    if (source === 'contentful')
      return outsideStock.take(tx, { variantId, source, stock: { kind: 'COUNT', quantity } });
    const at = await inventory.lock(tx, [variantId]);
    await inventory.takeOutsideLevels(tx, at, { source, levels: [{ variantId, quantity }] });
  });
}

/** Staff: so many units more or fewer, as far as they are free. Gives how many it were. */
function correct({ id: variantId }: Variant, units: number): Promise<number> {
  const { inventory, catalog } = shop.app.services;
  return shop.db.transaction(async (tx) => {
    const at = await inventory.lock(tx, [variantId]);
    const [variant] = await catalog.variantsByIds([variantId], tx);
    const onHandDelta = Math.max(units, -known(variant).available);
    if (onHandDelta !== 0) await inventory.apply(tx, at, [{ variantId, reason: 'CORRECTION', onHandDelta }]);
    return onHandDelta;
  });
}

/** Puts more in the cart; gives how many units there are in it. */
async function hold({ globalId }: Variant, shopper: Shopper, quantity: number): Promise<number> {
  const { cart } = await shopper.add({ variantId: globalId, quantity });
  return cart?.totalQuantity ?? (await shopper.cart())?.totalQuantity ?? 0;
}

async function release(shopper: Shopper): Promise<void> {
  for (const { id } of (await shopper.cart())?.lines ?? []) await shopper.remove(id);
}

/** Gives how many units were sold. */
async function sell(shopper: Shopper): Promise<number> {
  const { order } = await shopper.checkout({ idempotencyKey: crypto.randomUUID(), email: 'eve@example.com' });
  return order?.totalQuantity ?? 0;
}

const source = fc.constantFrom<OutsideSource>('contentful', 'import');
const who = fc.nat({ max: 1 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('believe' as const), source, quantity: fc.nat({ max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('hold' as const), who, quantity: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sell' as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('correct' as const), units: fc.integer({ min: -4, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
);

async function expectSoundBooks(): Promise<void> {
  expect(await findFaults(shop.db)).toEqual([]);
  expect(logs.filter((line) => line.level >= WARN)).toEqual([]);
}

test('whatever is said, sold and held, in whichever order, each unit is counted once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 8 }), fc.array(step, { minLength: 5, maxLength: 14 }), async (initial, steps) => {
      const variant = await newVariant(initial);
      const said = new Map<OutsideSource, number>();
      const carts = [0, 0];
      let level = initial;
      for (const one of steps) {
        const before = await countersOf(variant);
        if (one.kind === 'believe') {
          const last = said.get(one.source);
          await believe(variant, one.source, one.quantity);
          const after = await countersOf(variant);
          if (last === one.quantity) expect(after).toEqual(before);
          // The first value is what there is then, but for what carts hold.
          if (last === undefined) expect(after.onHand).toBe(Math.max(one.quantity, before.held));
          level += one.quantity - (last ?? before.onHand);
          said.set(one.source, one.quantity);
        } else if (one.kind === 'correct') level += await correct(variant, one.units);
        else if (one.kind === 'settle') await settle();
        else {
          const shopper = known(shoppers[one.who]);
          if (one.kind === 'hold') carts[one.who] = await hold(variant, shopper, one.quantity);
          else if (one.kind === 'release') await release(shopper);
          else level -= await sell(shopper);
          if (one.kind !== 'hold') carts[one.who] = 0;
        }
        const { onHand, held, owed } = await countersOf(variant);
        expect({ held, level: onHand - owed }).toEqual({ held: known(carts[0]) + known(carts[1]), level });
      }
      await settle();
      const { onHand, held } = await countersOf(variant);
      expect(onHand).toBe(Math.max(level, held));
      for (const shopper of shoppers) await release(shopper);
      await settle();
      expect((await countersOf(variant)).onHand).toBe(Math.max(level, 0));
    }),
    { numRuns: sized({ inCi: 15, daily: 6 }) },
  );
  await expectSoundBooks();
});

test('all of it at once comes to the same', async () => {
  const values = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 5 });
  const purchases = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(values, values, purchases, purchases, async (cms, file, ...wishes) => {
      const variant = await newVariant(0);
      await believe(variant, 'contentful', 10);
      await believe(variant, 'import', 10);
      const say = async (from: OutsideSource, quantities: readonly number[]) => {
        for (const quantity of quantities) await believe(variant, from, quantity);
      };
      const buy = async (shopper: Shopper, wanted: readonly (readonly [number, boolean])[]) => {
        let sold = 0;
        for (const [quantity, keeps] of wanted) {
          await hold(variant, shopper, quantity);
          if (keeps) sold += await sell(shopper);
          else await release(shopper);
        }
        return sold;
      };
      const [mine, hers] = shoppers;
      const [one, other] = await Promise.all([
        buy(known(mine), known(wishes[0])),
        buy(known(hers), known(wishes[1])),
        say('contentful', cms),
        say('import', file),
        settle(),
      ]);
      await settle();
      const level = 10 + (known(cms.at(-1)) - 10) + (known(file.at(-1)) - 10) - one - other;
      expect(await countersOf(variant)).toEqual({ onHand: Math.max(level, 0), held: 0, owed: Math.max(-level, 0) });
    }),
    { numRuns: sized({ inCi: 8, daily: 4 }) },
  );
  await expectSoundBooks();
});
