import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newStaff, type Person } from '../support/accounts.ts';
import { rowId } from '../support/shopper.ts';
import { holdBarrier, holdCarts, holdVariants, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { inCrowd, newBuyer, type Buyer } from '../support/buyer.ts';
import { levelOf, makeOverdue, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { ERROR } from '../support/logs.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { ledgerOf } from '../support/records.ts';
import { newKey, recordOf, stockKeeperOf, type StockKeeper } from '../support/staff-stock.ts';

let shop: QuietShop;
let watch: LockWatch;
let staff: Person;
let keeper: StockKeeper;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4', DATABASE_POOL_SIZE: '40' });
  watch = await watchLocks(shop.db);
  staff = await newStaff(shop);
  keeper = stockKeeperOf(staff.client);
});
afterAll(async () => {
  await watch[Symbol.asyncDispose]();
  await shop.dispose();
});

const UNITS = 10;
let honey: Awaited<ReturnType<typeof makeVariant>>;
beforeEach(async () => {
  honey = await makeVariant(shop, { onHand: UNITS });
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  const errors = shop.logs.filter((line) => line.level >= ERROR);
  if (faults.length + errors.length > 0) throw new Error(JSON.stringify({ faults, errors }, null, 2));
});

/** A buyer with units of the test's variant in the cart. */
async function withCart(quantity: number): Promise<{ buyer: Buyer; cartId: string }> {
  const buyer = await newBuyer(shop);
  const { cart } = await buyer.add({ variantId: honey.globalId, quantity });
  return { buyer, cartId: rowId(known(cart).id) };
}

const adjust = (delta: number) => keeper.adjust({ variantId: honey.globalId, delta, reason: 'CORRECTION' });
const VARIANTS = 'product_variants';

describe('a key that is used by many at once', () => {
  test('on one variant does the work once, and all are answered alike', async () => {
    const input = { variantId: honey.globalId, delta: 5, idempotencyKey: newKey() };
    await using barrier = await holdVariants(shop.db, honey.id);
    const answers = Promise.all(Array.from({ length: 8 }, () => keeper.adjust(input)));
    await watch.untilWaiting(8, VARIANTS);
    await barrier.release();
    for (const { variant, errors } of await answers) {
      expect([variant?.onHand, errors]).toEqual([15, []]);
    }
    expect((await ledgerOf(shop, honey.id)).map((entry) => entry.onHandDelta)).toEqual([10, 5]);
    expect(await recordOf(shop, honey.id)).toHaveLength(1);
  });

  test('on two variants changes one of them, and the other call gets an error', async () => {
    const wax = await makeVariant(shop, { onHand: UNITS });
    const input = { delta: 5, idempotencyKey: newKey() };
    // An entry names the user, whose row is looked at once the entry is in the index of keys, and before it is committed.
    await using barrier = await holdBarrier(shop.db, 'SELECT FROM users WHERE id = $1 FOR UPDATE', [
      rowId(staff.userId),
    ]);
    const first = keeper.adjust({ ...input, variantId: honey.globalId });
    await watch.untilWaiting(1, 'stock_movement_reason');
    const second = keeper.adjust({ ...input, variantId: wax.globalId });
    await watch.untilWaiting(2);
    await barrier.release();
    expect(await first).toMatchObject({ variant: { onHand: 15 }, errors: [] });
    expect(await second).toMatchObject({
      variant: null,
      errors: [{ code: 'IDEMPOTENCY_KEY_REUSED', path: ['idempotencyKey'] }],
    });
    expect(await levelOf(shop, wax.id)).toEqual({ onHand: 10, held: 0, available: 10 });
    expect(await recordOf(shop, wax.id)).toEqual([]);
  });

  test('by two people is two adjustments', async () => {
    const colleague = stockKeeperOf((await newStaff(shop)).client);
    const input = { variantId: honey.globalId, delta: 5, idempotencyKey: newKey() };
    await using barrier = await holdVariants(shop.db, honey.id);
    const both = Promise.all([keeper.adjust(input), colleague.adjust(input)]);
    await watch.untilWaiting(2, VARIANTS);
    await barrier.release();
    expect((await both).flatMap((answer) => answer.errors)).toEqual([]);
    expect((await levelOf(shop, honey.id)).onHand).toBe(20);
  });
});

describe('two that set the stock from the same expectation', () => {
  test('one succeeds, and the other gets the level that was set', async () => {
    await using barrier = await holdVariants(shop.db, honey.id);
    const set = (onHand: number) => keeper.set({ variantId: honey.globalId, onHand, expectedOnHand: UNITS });
    const first = set(7);
    await watch.untilWaiting(1, VARIANTS);
    const second = set(12);
    await watch.untilWaiting(2, VARIANTS);
    await barrier.release();
    expect(await first).toMatchObject({ variant: { onHand: 7 }, errors: [] });
    expect(await second).toEqual({
      variant: null,
      errors: [
        {
          __typename: 'StockConflictError',
          code: 'STOCK_CONFLICT',
          message: 'Honey has 7 on hand, and not 10.',
          path: ['expectedOnHand'],
          expectedOnHand: 10,
          onHand: 7,
          variant: { sku: honey.sku },
        },
      ],
    });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 7, held: 0, available: 7 });
    expect(await recordOf(shop, honey.id)).toHaveLength(1);
  });

  test('a sale that comes first is a conflict as well', async () => {
    const { buyer } = await withCart(2);
    await using barrier = await holdVariants(shop.db, honey.id);
    const buying = buyer.checkout('first');
    await watch.untilWaiting(1, VARIANTS);
    const setting = keeper.set({ variantId: honey.globalId, onHand: 9, expectedOnHand: UNITS });
    await watch.untilWaiting(2, VARIANTS);
    await barrier.release();
    expect((await buying).order?.totalQuantity).toBe(2);
    expect((await setting).errors).toMatchObject([{ code: 'STOCK_CONFLICT', expectedOnHand: 10, onHand: 8 }]);
  });
});

describe('an adjustment, and meanwhile', () => {
  test('somebody who wants the units that it takes', async () => {
    const buyer = await newBuyer(shop);
    await using barrier = await holdVariants(shop.db, honey.id);
    const adjusting = adjust(-UNITS);
    await watch.untilWaiting(1, VARIANTS);
    const adding = buyer.add({ variantId: honey.globalId, quantity: 1 });
    await watch.untilWaiting(2, VARIANTS);
    await barrier.release();
    expect((await adjusting).variant).toMatchObject({ onHand: 0, held: 0 });
    expect((await adding).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 1, available: 0 }]);
  });

  test('somebody who took them just before', async () => {
    const buyer = await newBuyer(shop);
    await using barrier = await holdVariants(shop.db, honey.id);
    const adding = buyer.add({ variantId: honey.globalId, quantity: 1 });
    await watch.untilWaiting(1, VARIANTS);
    const adjusting = adjust(-UNITS);
    await watch.untilWaiting(2, VARIANTS);
    await barrier.release();
    expect((await adding).cart?.totalQuantity).toBe(1);
    expect((await adjusting).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 10, available: 9 }]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 10, held: 1, available: 9 });
  });

  test.each([
    ['before', [-8, -2, 0]],
    ['after', [-2, -8, 0]],
  ])('a checkout that comes %s it: both are done', async (when, [first]) => {
    const { buyer } = await withCart(2);
    await using barrier = await holdVariants(shop.db, honey.id);
    const steps = [() => adjust(-8), () => buyer.checkout('meanwhile')];
    if (when === 'after') steps.reverse();
    const answers: Promise<unknown>[] = [];
    for (const [index, step] of steps.entries()) {
      answers.push(step());
      await watch.untilWaiting(index + 1, VARIANTS);
    }
    await barrier.release();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ errors: [] });
    expect((await ledgerOf(shop, honey.id)).slice(2).map((entry) => entry.onHandDelta)[0]).toBe(first);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 0, held: 0, available: 0 });
  });

  test('somebody is at the overdue cart whose units it needs: it waits for them', async () => {
    const { cartId } = await withCart(4);
    await makeOverdue(shop, [cartId]);
    await using barrier = await holdCarts(shop.db, cartId);
    const adjusting = adjust(-UNITS);
    await watch.untilWaiting(1, 'FROM carts');
    await barrier.release();
    expect((await adjusting).variant).toMatchObject({ onHand: 0, held: 0 });
    expect(await rowsOf(shop.db, 'SELECT status FROM carts WHERE id = $1', [cartId])).toEqual([{ status: 'EXPIRED' }]);
  });

  test('its overdue cart is saved in the nick of time: then there are too few', async () => {
    const { cartId } = await withCart(4);
    await makeOverdue(shop, [cartId]);
    await using barrier = await holdCarts(shop.db, cartId);
    const adjusting = adjust(-UNITS);
    await watch.untilWaiting(1, 'FROM carts');
    await barrier.query(
      `UPDATE carts SET hold_started_at = clock_timestamp(), expires_at = clock_timestamp() + interval '15 minutes' WHERE id = $1`,
      [cartId],
    );
    await barrier.release();
    expect((await adjusting).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 10, available: 6 }]);
  });
});

test('a crowd that buys while staff add and take away: nothing is lost, nothing doubled', async () => {
  const deltas = Array.from({ length: 20 }, (_, n) => (n % 4 === 3 ? -2 : 1 + (n % 3)));
  const keys = deltas.map(() => newKey());
  const work = Array.from({ length: 60 }, (_, n) => n);
  const [orders, done] = [new Map<string, number>(), new Map<string, number>()];
  await inCrowd(work, 20, async (n) => {
    if (n % 3 === 0) {
      const at = n / 3;
      const delta = known(deltas[at]);
      const input = {
        variantId: honey.globalId,
        delta,
        reason: 'CORRECTION',
        idempotencyKey: known(keys[at]),
      } as const;
      // Every other one is sent twice.
      for (const { variant, errors } of await Promise.all(
        Array.from({ length: 1 + (at % 2) }, () => keeper.adjust(input)),
      )) {
        if (variant === null || variant === undefined) expect(errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK' }]);
        else done.set(input.idempotencyKey, delta);
      }
      return;
    }
    const buyer = await newBuyer(shop);
    const { cart, codes } = await buyer.add({ variantId: honey.globalId, quantity: 1 + (n % 2) });
    if (cart === null) {
      expect(codes).toEqual(['INSUFFICIENT_STOCK']);
      return;
    }
    if (n % 5 === 0) return;
    const { order } = await buyer.checkout('crowd');
    orders.set(known(order).number, known(order).totalQuantity);
  });
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const { onHand, held } = await levelOf(shop, honey.id);
  expect(onHand).toBe(UNITS + sum(done.values()) - sum(orders.values()));
  expect(held).toBeLessThanOrEqual(onHand);
  expect(await recordOf(shop, honey.id)).toHaveLength(done.size);
  await shop.app.relay.flush();
  expect(await findFaults(shop.db, { numbered: true })).toEqual([]);
});
