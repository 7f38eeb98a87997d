import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, login, newPerson, type Person } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { makeProduct, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId, shopperOf } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { recordStatements } from '../../support/statements.ts';

let shop: TestShop & World;
let sku: string;
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
  sku = known((await makeProduct(shop, { variants: [{ onHand: 10_000 }] })).variants[0]).sku;
});
afterAll(() => shop.dispose());

/** Buys something, and gives the order's ID and number. */
async function buy(person: Person, key = 'first', input = {}) {
  const shopper = shopperOf(person.client);
  await shopper.add({ sku, quantity: 1 });
  const { order, errors } = await shopper.checkout({ idempotencyKey: key, ...input });
  expect(errors).toEqual([]);
  return known(order);
}

const ORDER = `query ($id: ID, $accessToken: String, $number: String, $email: String) {
  order(id: $id, accessToken: $accessToken, number: $number, email: $email) { id accessToken customer { id } shippingAddress { name } }
}`;
const ADDRESS = { name: 'Ada', line1: '1 St', city: 'London', postalCode: 'N1 9GU', countryCode: 'GB' };

describe('a checkout by a user', () => {
  test('sends its confirmation to the address of the account by default', async () => {
    const ada = await newPerson(shop);
    expect((await buy(ada)).email).toBe(ada.email);
    expect((await buy(ada, 'second', { email: 'office@example.com' })).email).toBe('office@example.com');
    const shopper = shopperOf(ada.client);
    await shopper.add({ sku, quantity: 1 });
    expect((await shopper.setEmail('home@example.com')).cart?.email).toBe('home@example.com');
    expect((await buy(ada, 'third')).email).toBe('home@example.com');
  });

  test('returns the first order for a repeated key on every device; keys of other users are separate', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const order = await buy(ada, 'a key');
    const phone = shop.client({
      headers: bearer(known((await login(shop.client(), { email: ada.email })).accessToken)),
    });
    expect((await shopperOf(phone).checkout({ idempotencyKey: 'a key' })).order?.id).toBe(order.id);
    expect((await buy(eve, 'a key')).id).not.toBe(order.id);
    const guest = await enter(shop);
    await guest.add({ sku, quantity: 1 });
    expect((await guest.checkout({ idempotencyKey: 'a key', email: 'g@example.com' })).order?.id).not.toBe(order.id);
  });
});

describe('an order of a user', () => {
  test('is visible to its owner, to staff and with its token only, and not by number and email address', async () => {
    const [ada, eve, staff] = [await newPerson(shop), await newPerson(shop), await newPerson(shop)];
    await rowsOf(shop.db, `UPDATE users SET role = 'STAFF' WHERE id = $1`, [rowId(staff.userId)]);
    const { id, number } = await buy(ada, 'first', { shippingAddress: ADDRESS });
    const { order } = await ada.client.data<{ order: { accessToken: string } }>(ORDER, { id });
    const { accessToken } = order;
    expect(order).toEqual({
      id,
      accessToken: expect.any(String),
      customer: { id: ada.userId },
      shippingAddress: { name: 'Ada' },
    });
    expect(await staff.client.data(ORDER, { id })).toEqual({
      order: { id, accessToken: null, customer: { id: ada.userId }, shippingAddress: { name: 'Ada' } },
    });
    for (const client of [eve.client, shop.client(), (await enter(shop)).client]) {
      expect(await client.data(ORDER, { id })).toEqual({ order: null });
      expect(await client.data('query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ node: null });
      expect(await client.data(ORDER, { number, email: ada.email })).toEqual({ order: null });
      expect(await client.data(ORDER, { accessToken })).toEqual({
        order: { id, accessToken, customer: null, shippingAddress: { name: 'Ada' } },
      });
    }
  });
});

describe('the orders of a user', () => {
  const ORDERS = `query ($first: Int, $after: String, $last: Int, $before: String) {
    me { orders(first: $first, after: $after, last: $last, before: $before) {
      nodes { number } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }
  }`;
  interface Page {
    me: { orders: { nodes: { number: string }[]; totalCount: number; pageInfo: Record<string, string | boolean> } };
  }

  test('are paged, newest first, forward and backward', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const numbers: string[] = [];
    for (const key of ['1', '2', '3', '4', '5']) numbers.unshift((await buy(ada, key)).number);
    await buy(eve);
    const page = async (args: object) => (await ada.client.data<Page>(ORDERS, { ...args })).me.orders;
    const numbersOf = (found: Page['me']['orders']) => found.nodes.map((node) => node.number);

    const first = await page({ first: 2 });
    expect(numbersOf(first)).toEqual(numbers.slice(0, 2));
    expect(first).toMatchObject({ totalCount: 5, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const second = await page({ first: 3, after: first.pageInfo.endCursor });
    expect(numbersOf(second)).toEqual(numbers.slice(2));
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(numbersOf(await page({ last: 2, before: second.pageInfo.startCursor }))).toEqual(numbers.slice(0, 2));
    expect(numbersOf(await page({ last: 1 }))).toEqual(numbers.slice(4));
    expect(numbersOf(await page({}))).toEqual(numbers);
  });

  test('are seen by staff, and by no other user', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const { number } = await buy(ada);
    const query = 'query ($id: ID!) { node(id: $id) { ... on User { email orders { nodes { number } } } } }';
    expect(await eve.client.data(query, { id: ada.userId })).toEqual({ node: null });
    await rowsOf(shop.db, `UPDATE users SET role = 'ADMIN' WHERE id = $1`, [rowId(eve.userId)]);
    expect(await eve.client.data(query, { id: ada.userId })).toEqual({
      node: { email: ada.email, orders: { nodes: [{ number }] } },
    });
  });

  test('cost the same statements, however many they are', async () => {
    const quiet = await openQuietShop({ BCRYPT_COST: '4' });
    try {
      const product = await makeProduct(quiet, { variants: [{ onHand: 1000 }, { onHand: 1000 }] });
      const ada = await newPerson(quiet);
      const shopper = shopperOf(ada.client);
      const query =
        '{ me { orders(first: 100) { nodes { number customer { email } lines { variant { sku } } history { to } } } } }';
      const count = async (orders: number) => {
        const { result, statements } = await recordStatements(
          () => ada.client.data<{ me: { orders: { nodes: { lines: unknown[] }[] } } }>(query),
          quiet,
        );
        expect(result.me.orders.nodes).toHaveLength(orders);
        expect(result.me.orders.nodes.every((node) => node.lines.length === 2)).toBe(true);
        return statements.length;
      };
      const place = async (key: string) => {
        await shopper.add(...product.variants.map((variant) => ({ sku: variant.sku, quantity: 1 })));
        await shopper.checkout({ idempotencyKey: key });
      };
      await place('0');
      const one = await count(1);
      for (let index = 1; index < 30; index += 1) await place(String(index));
      expect(await count(30)).toBe(one);
      expect(one).toBeLessThan(10);
    } finally {
      await quiet.dispose();
    }
  });
});
