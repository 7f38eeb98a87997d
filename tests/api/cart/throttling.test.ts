import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { makeOverdue, makeProduct, type MadeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import type { TestShop } from '../../support/shop.ts';
import { linesOf, rowId, shopperDocuments, shopperOf } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import {
  callerFrom,
  createThrottledShop,
  expectRefused,
  newAddress,
  refusedIn,
  times,
} from '../../support/throttling.ts';
import { until } from '../../support/until.ts';

const QUARTER = 15 * 60;
const HOUR = 60 * 60;

let shop: TestShop;
/** So few units that the limit is easily reached. */
let small: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop();
  small = await createThrottledShop({ unitsByClient: { points: 10, seconds: QUARTER } });
});
afterAll(async () => {
  await shop.dispose();
  await small.dispose();
});

function stocked(at: TestShop, variants = 1): Promise<MadeProduct> {
  return makeProduct(at.app, { variants: Array.from({ length: variants }, () => ({ onHand: 5000 })) });
}

const lineOf = (product: MadeProduct, quantity: number, variant = 0) => ({
  variantId: known(product.variants[variant]).globalId,
  quantity,
});

/** A guest from an address of its own, with a cart. */
async function guestOf(at: TestShop, address = newAddress()) {
  const shopper = shopperOf(callerFrom(at, address));
  const { cart } = await shopper.create();
  shopper.client.use(known(cart?.token));
  return shopper;
}

describe('new guests', () => {
  test('one client makes three hundred an hour; those whom it has made go on', async () => {
    const product = await stocked(shop);
    const address = newAddress();
    const make = async () => known((await shopperOf(callerFrom(shop, address)).create()).cart?.token);
    const tokens = (await times(10, () => Promise.all(Array.from({ length: 30 }, make)))).flat();
    expect(new Set(tokens).size).toBe(300);

    const stranger = callerFrom(shop, address);
    const add = { input: { lines: [lineOf(product, 1)] } };
    expectRefused(await changingNothing(shop, () => stranger.execute(shopperDocuments.create)), 'cartCreate', HOUR);
    expectRefused(await changingNothing(shop, () => stranger.execute(shopperDocuments.add, add)), 'cartLinesAdd', HOUR);

    const last = shopperOf(callerFrom(shop, address, { cartToken: known(tokens[299]) }));
    expect((await last.create()).errors).toEqual([]);
    expect((await last.add(lineOf(product, 1))).errors).toEqual([]);
    const { accessToken } = await newPerson(shop);
    const user = callerFrom(shop, address, { headers: { authorization: `Bearer ${accessToken}` } });
    expect((await shopperOf(user).create()).errors).toEqual([]);
    expect((await shopperOf(callerFrom(shop)).create()).errors).toEqual([]);
  });

  test('a new guest counts once, whatever else the operation does', async () => {
    const one = await createThrottledShop({ guestsByClient: { points: 1, seconds: HOUR } });
    onTestFinished(() => one.dispose());
    const product = await stocked(one);
    const client = callerFrom(one);
    const { variantId } = lineOf(product, 1);
    const query = `mutation { a: cartCreate { errors { code } } b: cartCreate { errors { code } }
      c: cartLinesAdd(input: { lines: [{ variantId: "${variantId}", quantity: 1 }] }) { errors { code } } }`;
    expect((await client.execute(query)).data).toEqual({ a: { errors: [] }, b: { errors: [] }, c: { errors: [] } });
    expect((await client.execute(query)).codes).toEqual(['RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});

describe('units added to carts', () => {
  test('one client takes a thousand in 15 minutes, in however many carts', async () => {
    const product = await stocked(shop, 11);
    const address = newAddress();
    const lines = Array.from({ length: 10 }, (_, variant) => lineOf(product, 99, variant));
    expect((await (await guestOf(shop, address)).add(...lines)).errors).toEqual([]);

    const second = await guestOf(shop, address);
    const eleven = { input: { lines: [lineOf(product, 11, 10)] } };
    const refused = await changingNothing(shop, () => second.client.execute(shopperDocuments.add, eleven));
    expectRefused(refused, 'cartLinesAdd', QUARTER);
    // What does not fit leaves room for what does.
    expect((await second.add(lineOf(product, 10, 10))).errors).toEqual([]);
    const one = { input: { lines: [lineOf(product, 1, 10)] } };
    expectRefused(await second.client.execute(shopperDocuments.add, one), 'cartLinesAdd', QUARTER);

    // All else goes on, and other clients do.
    expect(linesOf(await second.cart())).toMatchObject([[expect.any(String), 10, '10.00']]);
    expect((await second.checkout({ idempotencyKey: 'k', email: 'a@example.com' })).errors).toEqual([]);
    expect((await (await guestOf(shop)).add(lineOf(product, 99))).errors).toEqual([]);
  });

  test('aliases add up', async () => {
    const product = await stocked(small);
    const { variantId } = lineOf(product, 4);
    const field = `cartLinesAdd(input: { lines: [{ variantId: "${variantId}", quantity: 4 }] }) { cart { totalQuantity } }`;
    const answer = await callerFrom(small).execute(`mutation { a: ${field} b: ${field} c: ${field} }`);
    expect(refusedIn(answer).map(({ path }) => path)).toEqual(['c']);
    expect(answer.data).toEqual({ a: { cart: { totalQuantity: 4 } }, b: { cart: { totalQuantity: 8 } }, c: null });
  });

  test('more of a line counts, less of it does not', async () => {
    const product = await stocked(small);
    const shopper = await guestOf(small);
    const { cart } = await shopper.add(lineOf(product, 6));
    const { id } = known(cart?.lines[0]);
    const set = async (quantity: number) => (await shopper.update({ id, quantity })).errors;
    const refused = (quantity: number) =>
      changingNothing(small, () =>
        shopper.client.execute(shopperDocuments.update, { input: { lines: [{ id, quantity }] } }),
      );

    expectRefused(await refused(11), 'cartLinesUpdate', QUARTER);
    expect(await set(2)).toEqual([]); // 6 of 10
    expect(await set(2)).toEqual([]);
    expectRefused(await refused(7), 'cartLinesUpdate', QUARTER);
    expect(await set(6)).toEqual([]); // 10 of 10
    expectRefused(await refused(7), 'cartLinesUpdate', QUARTER);
    expect(await set(0)).toEqual([]);
    const again = { input: { lines: [lineOf(product, 1)] } };
    expectRefused(await shopper.client.execute(shopperDocuments.add, again), 'cartLinesAdd', QUARTER);
  });

  test('lines of other carts and invalid line IDs are not counted', async () => {
    const product = await stocked(small);
    const { cart } = await (await guestOf(small)).add(lineOf(product, 1));
    const stranger = await guestOf(small);
    for (const id of [known(cart?.lines[0]).id, 'nonsense']) {
      const { errors } = await stranger.update({ id, quantity: 99 });
      expect(errors).toMatchObject([{ code: id === 'nonsense' ? 'INVALID_INPUT' : 'NOT_FOUND' }]);
    }
    expect((await stranger.add(lineOf(product, 10))).errors).toEqual([]);
  });

  test('a cart that is taken again counts, all that there is at most', async () => {
    const product = await stocked(small);
    const address = newAddress();
    const shopper = await guestOf(small, address);
    await shopper.add(lineOf(product, 9));
    const { cart } = await shopper.add(lineOf(product, 1));
    const cartId = known(cart).id;
    await makeOverdue(small.app, [rowId(cartId)]);
    // The timer's work, so that nothing is left to be changed below.
    await until('its units are back', async () => {
      await small.app.services.cart.expireOverdue();
      const [row] = await rowsOf<{ status: string }>(small.db, 'SELECT status FROM carts WHERE id = $1', [
        rowId(cartId),
      ]);
      return row?.status === 'EXPIRED';
    });
    const input = { cartId };
    const answer = await changingNothing(small, () => shopper.client.execute(shopperDocuments.reclaim, { input }));
    expectRefused(answer, 'cartReclaim', QUARTER);

    // From elsewhere there is room, for all of it and for nothing more.
    const token = known((await shopper.cart())?.token);
    const elsewhere = shopperOf(callerFrom(small, newAddress(), { cartToken: token }));
    const reclaimed = await elsewhere.reclaim(cartId);
    expect([reclaimed.errors, reclaimed.cart?.totalQuantity]).toEqual([[], 10]);
    // It lives: asking once more takes nothing.
    expect((await elsewhere.reclaim(cartId)).errors).toEqual([]);
    const one = { input: { lines: [lineOf(product, 1)] } };
    expectRefused(await elsewhere.client.execute(shopperDocuments.add, one), 'cartLinesAdd', QUARTER);
  });

  test('a slip of the finger is an error of the input, and leaves room for what was meant', async () => {
    const product = await stocked(shop);
    const shopper = await guestOf(shop);
    const { errors } = await shopper.add(lineOf(product, 2_000_000));
    expect(errors).toMatchObject([{ code: 'LIMIT_EXCEEDED', limit: 99 }]);
    expect((await shopper.add(lineOf(product, -5))).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
    expect((await shopper.add(lineOf(product, 99))).errors).toEqual([]);
  });

  test('a shop that allows larger lines lets a client take ten of them', async () => {
    const wholesale = await createThrottledShop({}, { env: { CART_MAX_UNITS_PER_VARIANT: '400' } });
    onTestFinished(() => wholesale.dispose());
    const product = await stocked(wholesale, 11);
    const shopper = await guestOf(wholesale);
    const lines = Array.from({ length: 10 }, (_, variant) => lineOf(product, 400, variant));
    expect((await shopper.add(...lines)).errors).toEqual([]);
    const one = { input: { lines: [lineOf(product, 1, 10)] } };
    expectRefused(await shopper.client.execute(shopperDocuments.add, one), 'cartLinesAdd', QUARTER);
  });
});

test('after all this the books of both shops add up', async () => {
  expect([await findFaults(shop.db), await findFaults(small.db)]).toEqual([[], []]);
});
