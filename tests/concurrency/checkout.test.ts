import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CartService } from '../../src/modules/cart/cart.service.ts';
import { holdCarts, holdVariants, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { buyerOf, newBuyer, type Buyer, type BuyerCart } from '../support/buyer.ts';
import { levelOf, makeOverdue, makeVariant } from '../support/fixtures.ts';
import { ERROR } from '../support/logs.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

let shop: TestShop;
/** Another node of the shop. On one node the checkouts of an owner wait for each other before they reach the database. */
let otherNode: TestShop;
let watch: LockWatch;
let expireOverdue: CartService['expireOverdue'];
beforeAll(async () => {
  shop = await createTestShop({
    overrides: {
      // The shop's own timer expires nothing here: when it does would be a matter of chance.
      services(real) {
        ({ expireOverdue } = real.cart);
        return { ...real, cart: { ...real.cart, expireOverdue: () => Promise.resolve({ carts: 0, units: 0 }) } };
      },
    },
  });
  const { config } = shop;
  const url = config.database.kind === 'url' ? config.database.url : '';
  otherNode = await createTestShop({
    database: { url, dispose: () => Promise.resolve() },
    overrides: { quiet: true },
  });
  watch = await watchLocks(shop.db);
});
afterAll(async () => {
  await watch[Symbol.asyncDispose]();
  await otherNode.dispose();
  await shop.dispose();
});

const UNITS = 10;
let variant: { id: string; globalId: string };
let buyer: Buyer;
let cart: BuyerCart;
let cartId: string;

/** Puts units into the buyer's cart. */
async function fill(who: Buyer, quantity: number): Promise<BuyerCart> {
  const answer = await who.add({ variantId: variant.globalId, quantity });
  if (answer.cart === null) throw new Error(`could not be added: ${answer.codes.join()}`);
  return answer.cart;
}

function rowId(globalId: string): string {
  return Buffer.from(globalId, 'base64').toString().replace(/^.*:/, '');
}

// Each test has a variant of its own, and a buyer with two units of it in the cart.
beforeEach(async () => {
  variant = await makeVariant(shop.app, { onHand: UNITS, price: 500 });
  buyer = await newBuyer(shop);
  cart = await fill(buyer, 2);
  cartId = rowId(cart.id);
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  const errors = shop.logs.filter((line) => line.level >= ERROR);
  if (faults.length + errors.length > 0) throw new Error(JSON.stringify({ faults, errors }, null, 2));
});

/** The orders of the test's variant: how many units each has. */
async function soldUnits(): Promise<number[]> {
  const rows = await rowsOf<{ quantity: number }>(
    shop.db,
    'SELECT quantity FROM order_lines WHERE variant_id = $1 ORDER BY quantity',
    [variant.id],
  );
  return rows.map((row) => row.quantity);
}

/** Sends one command, and when it waits at the cart's lock the next one; then lets them go in that order. */
async function inOrder<A, B>(first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  await using barrier = await holdCarts(shop.db, cartId);
  const one = first();
  await watch.untilWaiting(1, 'FROM carts');
  const other = second();
  await watch.untilWaiting(2, 'FROM carts');
  await barrier.release();
  return await Promise.all([one, other]);
}

describe('the same key', () => {
  test('sent twice at once gives one order', async () => {
    const [one, other] = await inOrder(
      () => buyer.checkout('key'),
      () => buyerOf(otherNode, buyer.token).checkout('key'),
    );

    expect(one).toMatchObject({ codes: [], order: { totalQuantity: 2, total: { amount: '10.00' } } });
    expect(other).toEqual(one);
    expect(await soldUnits()).toEqual([2]);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: UNITS - 2, held: 0, available: UNITS - 2 });
  });

  test('sent ten times at once gives one order', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => buyer.checkout('key')));
    expect(new Set(answers.map((answer) => answer.order?.id)).size).toBe(1);
    expect(answers.flatMap((answer) => answer.codes)).toEqual([]);
    expect(await soldUnits()).toEqual([2]);
  });

  test('with other input is refused, at once and later, and nothing is bought', async () => {
    const [one, other] = await inOrder(
      () => buyer.checkout('key'),
      () => buyerOf(otherNode, buyer.token).checkout('key', { email: 'other@example.com' }),
    );
    expect(one.codes).toEqual([]);
    expect(other).toMatchObject({
      order: null,
      errors: [{ code: 'IDEMPOTENCY_KEY_REUSED', path: ['idempotencyKey'] }],
    });

    await fill(buyer, 3);
    expect((await buyer.checkout('key', { expectedTotal: '15.00' })).codes).toEqual(['IDEMPOTENCY_KEY_REUSED']);
    expect(await soldUnits()).toEqual([2]);
    expect((await buyer.cart())?.totalQuantity).toBe(3);
  });

  test('from another guest is an order of their own', async () => {
    const stranger = await newBuyer(shop);
    await fill(stranger, 3);
    const [one, other] = await Promise.all([buyer.checkout('key'), stranger.checkout('key')]);
    expect([one.order?.totalQuantity, other.order?.totalQuantity]).toEqual([2, 3]);
    expect(await soldUnits()).toEqual([2, 3]);
  });

  test('after the cart is gone gives the same order, and leaves the next cart alone', async () => {
    const first = await buyer.checkout('key');
    expect(await buyer.checkout('key')).toEqual(first);
    expect(await buyer.cart()).toBeNull();

    const next = await fill(buyer, 4);
    expect(await buyer.checkout('key')).toEqual(first);
    expect(await buyer.cart()).toMatchObject({ id: next.id, version: next.version, totalQuantity: 4 });

    await makeOverdue(shop.app, [rowId(next.id)]);
    expect(await buyer.checkout('key')).toEqual(first);
    expect(await soldUnits()).toEqual([2]);
    expect(await expireOverdue()).toEqual({ carts: 1, units: 4 });
  });

  test('is not used up by a checkout that was refused', async () => {
    const refused = await buyer.checkout('key', { expectedTotal: '9.99' });
    expect(refused.codes).toEqual(['TOTAL_CHANGED']);
    expect(await soldUnits()).toEqual([]);

    const bought = await buyer.checkout('key', { expectedTotal: '10.00' });
    expect(bought.order?.totalQuantity).toBe(2);
    expect(await buyer.checkout('key', { expectedTotal: '10.00' })).toEqual(bought);
  });
});

test('different keys sent at once: one order, and one empty cart', async () => {
  const [one, other] = await inOrder(
    () => buyer.checkout('one'),
    () => buyerOf(otherNode, buyer.token).checkout('other'),
  );
  expect(one).toMatchObject({ codes: [], order: { totalQuantity: 2 } });
  expect(other).toMatchObject({ order: null, codes: ['CART_EMPTY'] });
  expect(await soldUnits()).toEqual([2]);
});

describe('against an add', () => {
  const add = () => buyer.add({ variantId: variant.globalId, quantity: 3 });
  const checkout = () => buyer.checkout('key');

  test('the add first: its units are bought too', async () => {
    const [added, bought] = await inOrder(add, checkout);
    expect(added.codes).toEqual([]);
    expect(bought.order?.totalQuantity).toBe(5);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: 5, held: 0, available: 5 });
  });

  test('the checkout first: its units begin another cart', async () => {
    const [bought, added] = await inOrder(checkout, add);
    expect(bought.order?.totalQuantity).toBe(2);
    expect(added).toMatchObject({ codes: [], cart: { status: 'ACTIVE', totalQuantity: 3 } });
    expect(added.cart?.id).not.toBe(cart.id);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: 8, held: 3, available: 5 });
  });

  test('the checkout in the midst of its work: the add waits for it', async () => {
    await using barrier = await holdVariants(shop.db, variant.id);
    const bought = checkout();
    await watch.untilWaiting(1, 'FROM product_variants');
    const added = add();
    await watch.untilWaiting(2);
    await barrier.release();

    expect((await bought).order?.totalQuantity).toBe(2);
    expect((await added).cart).toMatchObject({ totalQuantity: 3 });
    expect((await added).cart?.id).not.toBe(cart.id);
  });

  test('a removal first: there is nothing to buy', async () => {
    const lines = cart.lines.map((line) => line.id);
    const [removed, bought] = await inOrder(() => buyer.remove(...lines), checkout);
    expect(removed).toMatchObject({ codes: [], cart: { totalQuantity: 0 } });
    expect(bought.codes).toEqual(['CART_EMPTY']);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: UNITS, held: 0, available: UNITS });
  });

  test('the checkout first: a removal finds no cart', async () => {
    const lines = cart.lines.map((line) => line.id);
    const [bought, removed] = await inOrder(checkout, () => buyer.remove(...lines));
    expect(bought.codes).toEqual([]);
    expect(removed.codes).toEqual(['NOT_FOUND']);
    expect(await soldUnits()).toEqual([2]);
  });
});

describe('against the expiry', () => {
  test('the expiry in the midst of its work: the checkout waits, and is refused', async () => {
    await makeOverdue(shop.app, [cartId]);
    await using barrier = await holdVariants(shop.db, variant.id);
    const expiry = expireOverdue();
    await watch.untilWaiting(1, 'FROM product_variants');
    const checkout = buyer.checkout('key');
    await watch.untilWaiting(2);
    await barrier.release();

    expect(await expiry).toEqual({ carts: 1, units: 2 });
    expect((await checkout).codes).toEqual(['CART_EXPIRED']);
    expect(await soldUnits()).toEqual([]);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: UNITS, held: 0, available: UNITS });
  });

  test('the checkout in the midst of its work: the expiry leaves the cart to it', async () => {
    await using barrier = await holdVariants(shop.db, variant.id);
    const checkout = buyer.checkout('key');
    await watch.untilWaiting(1, 'FROM product_variants');
    expect(await expireOverdue()).toEqual({ carts: 0, units: 0 });
    await barrier.release();

    expect((await checkout).order?.totalQuantity).toBe(2);
    expect(await expireOverdue()).toEqual({ carts: 0, units: 0 });
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: 8, held: 0, available: 8 });
  });

  test('the time runs out while the checkout waits for the cart: it is refused, and the units come back once', async () => {
    // The deadline is moved by the one whom the checkout waits for.
    await using barrier = await holdCarts(shop.db, cartId);
    const checkout = buyer.checkout('key');
    await watch.untilWaiting(1, 'FROM carts');
    await barrier.query(
      `UPDATE carts SET hold_started_at = now() - interval '1 hour', expires_at = now() WHERE id = $1`,
      [cartId],
    );
    await barrier.release();

    expect((await checkout).codes).toEqual(['CART_EXPIRED']);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: UNITS, held: 2, available: 8 });
    expect(await expireOverdue()).toEqual({ carts: 1, units: 2 });
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: UNITS, held: 0, available: UNITS });
    expect(await soldUnits()).toEqual([]);
  });
});
