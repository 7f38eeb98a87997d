import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFaults, rowsOf } from '../support/books.ts';
import { holdVariants, watchLocks } from '../support/barriers.ts';
import { inCrowd, newBuyer, newStranger, type Buyer, type BuyerFault, type CheckoutAnswer } from '../support/buyer.ts';
import { levelOf, makeProduct, makeVariant } from '../support/fixtures.ts';
import { ERROR } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

const BUYERS = 48;
const UNITS = 15;

let shop: TestShop;
beforeAll(async () => {
  shop = await createTestShop();
});
afterAll(() => shop.dispose());

/** How buyers go about it; each of them with one, two or three units. */
const MANNERS = ['plain', 'double', 'raises', 'gives up', 'lowers', 'comes back'] as const;

interface Outcome {
  /** Units that the buyer's order has; 0: none. */
  bought: number;
  /** Every answer to the buyer's checkouts. */
  orders: CheckoutAnswer[];
  /** What was asked for, and how it was refused. */
  refused: { wanted: number; errors: BuyerFault[] }[];
}

async function goShopping(buyer: Buyer, variantId: string, index: number): Promise<Outcome> {
  const quantity = 1 + (index % 3);
  const manner = MANNERS[Math.floor(index / 3) % MANNERS.length];
  const outcome: Outcome = { bought: 0, orders: [], refused: [] };

  async function add(wanted: number) {
    const { cart, errors } = await buyer.add({ variantId, quantity: wanted });
    if (cart === null) outcome.refused.push({ wanted, errors });
    return cart?.lines[0];
  }

  let line = await add(quantity);
  if (line === undefined) return outcome;
  if (manner === 'raises') {
    const { cart, errors } = await buyer.update({ id: line.id, quantity: quantity + 1 });
    if (cart === null) outcome.refused.push({ wanted: 1, errors });
    else line = cart.lines[0];
  } else if (manner === 'lowers' && quantity > 1) {
    const { cart, codes } = await buyer.update({ id: line.id, quantity: 1 });
    expect(codes).toEqual([]);
    line = cart?.lines[0];
  } else if (manner === 'gives up' || manner === 'comes back') {
    const { cart, codes } = await buyer.remove(line.id);
    expect(codes).toEqual([]);
    expect(cart?.totalQuantity).toBe(0);
    if (manner === 'gives up') return outcome;
    line = await add(1);
  }
  if (line === undefined) return outcome;

  const key = `of buyer ${index}`;
  if (manner === 'plain') {
    outcome.orders.push(await buyer.checkout(key));
  } else {
    outcome.orders.push(...(await Promise.all([buyer.checkout(key), buyer.checkout(key)])));
    outcome.orders.push(await buyer.checkout(key));
  }
  outcome.bought = line.quantity;
  return outcome;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

// A thousand and more against a running shop: `npm run torture`.
test('48 buyers, 15 units, mixed quantities, double-sent checkouts: exactly what was held is gone', async () => {
  const variant = await makeVariant(shop.app, { onHand: UNITS, price: 1250 });
  const buyers = await inCrowd(Array.from({ length: BUYERS }), 50, () => newBuyer(shop));

  const outcomes = await Promise.all(buyers.map((buyer, index) => goShopping(buyer, variant.globalId, index)));

  // Every refusal is for want of units, and says how many there were.
  const refusals = outcomes.flatMap((outcome) => outcome.refused);
  expect(refusals.length).toBeGreaterThan(BUYERS / 2);
  for (const { wanted, errors } of refusals) {
    expect(errors).toEqual([
      {
        __typename: 'InsufficientStockError',
        code: 'INSUFFICIENT_STOCK',
        message: expect.any(String) as string,
        path: expect.any(Array) as string[],
        requested: wanted,
        available: expect.any(Number) as number,
        variant: { id: variant.globalId },
      },
    ]);
    const [error] = errors;
    if (error?.__typename !== 'InsufficientStockError') throw new Error('unreachable');
    expect(error.available).toBeGreaterThanOrEqual(0);
    expect(error.available).toBeLessThan(wanted);
  }

  // Each who checked out has one order, however often it was sent, of what the cart held.
  const customers = outcomes.filter((outcome) => outcome.orders.length > 0);
  expect(customers.filter((customer) => customer.orders.length === 3).length).toBeGreaterThan(1);
  for (const { bought, orders } of customers) {
    for (const answer of orders) expect(answer).toMatchObject({ codes: [], order: { totalQuantity: bought } });
    expect(new Set(orders.map((answer) => answer.order?.id)).size).toBe(1);
  }
  const numbers = new Set(customers.map((customer) => customer.orders[0]?.order?.number));
  expect(numbers.size).toBe(customers.length);
  const stored = await rowsOf<{ orders: number; units: number }>(
    shop.db,
    'SELECT count(DISTINCT order_id)::int AS orders, sum(quantity)::int AS units FROM order_lines WHERE variant_id = $1',
    [variant.id],
  );
  const sold = sum(customers.map((customer) => customer.bought));
  expect(stored).toEqual([{ orders: customers.length, units: sold }]);

  // Nothing is held any more: all have bought or given up. What was not sold can be bought, and no unit more.
  const left = await levelOf(shop.app, variant.id);
  expect(left).toEqual({ onHand: UNITS - sold, held: 0, available: UNITS - sold });
  const late = await newBuyer(shop);
  const tooMuch = await late.add({ variantId: variant.globalId, quantity: left.available + 1 });
  expect(tooMuch.errors).toMatchObject([{ requested: left.available + 1, available: left.available }]);
  if (left.available > 0) {
    expect((await late.add({ variantId: variant.globalId, quantity: left.available })).codes).toEqual([]);
  }

  await shop.app.relay.flush();
  expect(await findFaults(shop.db, { numbered: true })).toEqual([]);
  expect(shop.logs.filter((line) => line.level >= ERROR)).toEqual([]);
});

describe('carts of many variants', () => {
  const VARIANTS = 8;
  const STOCK = 30;
  const SHOPPERS = 32;
  let database: TestDatabase;
  let nodes: TestShop[];

  beforeAll(async () => {
    database = await createTestDatabase();
    nodes = [await createTestShop({ database }), await createTestShop({ database })];
  });
  afterAll(() => database.dispose());

  /** Every order of the variants that provokes: up, down, and from the middle. */
  function ordered<T>(items: readonly T[], index: number): T[] {
    const turned = [...items.slice(index % items.length), ...items.slice(0, index % items.length)];
    return index % 2 === 0 ? turned : turned.toReversed();
  }

  test('bought in opposite orders by many at once, at two nodes, no one runs into a deadlock', async () => {
    const [node] = nodes;
    if (node === undefined) throw new Error('no node');
    const { variants } = await makeProduct(node.app, {
      variants: Array.from({ length: VARIANTS }, () => ({ onHand: STOCK, price: 300 })),
    });
    const buyers = await inCrowd(Array.from({ length: SHOPPERS }), 16, (_none, index) =>
      newBuyer(nodes[index % 2] ?? node),
    );

    const orders = await Promise.all(
      buyers.map(async (buyer, index) => {
        const wanted = ordered(variants, index).map(({ globalId }) => ({ variantId: globalId, quantity: 1 }));
        const full = await buyer.add(...wanted);
        const { cart, codes } = full.cart === null ? await buyer.add(...wanted.slice(0, 2)) : full;
        if (cart === null) return { order: null, codes };
        // All lines in one call, against the order in which they were put in.
        const raised = await buyer.update(
          ...cart.lines.toReversed().map(({ id }, position) => ({ id, quantity: position % 3 })),
        );
        const { lines } = raised.cart ?? cart;
        if (index % 3 === 0) await buyer.remove(...ordered(lines, index).map((line) => line.id));
        return buyer.checkout('once');
      }),
    );

    expect(orders.filter(({ order }) => order !== null).length).toBeGreaterThan(10);
    const codes = new Set(orders.flatMap((order) => order.codes));
    expect([...codes].filter((code) => !['INSUFFICIENT_STOCK', 'CART_EMPTY'].includes(code))).toEqual([]);
    const totals = await rowsOf(
      node.db,
      `SELECT v.id, v.held, (v.on_hand + coalesce(sum(l.quantity), 0))::int AS all FROM product_variants v
         LEFT JOIN order_lines l ON l.variant_id = v.id GROUP BY v.id ORDER BY v.id`,
    );
    const expected = variants.map(({ id }) => ({ id, held: 0, all: STOCK }));
    expect(totals).toEqual(expected.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    await Promise.all(nodes.map((each) => each.app.relay.flush()));
    expect(await findFaults(node.db, { numbered: true })).toEqual([]);

    // A connection reports its deadlocks at its end at the latest; those that a retry survived count as well.
    await Promise.all(nodes.map((each) => each.dispose()));
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const stats = await client.query('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()');
      expect(stats.rows).toEqual([{ deadlocks: '0' }]);
    } finally {
      await client.end();
    }
  });
});

describe('two first adds at once from one guest', () => {
  test('make one cart with the units of both', async () => {
    const variant = await makeVariant(shop.app, { onHand: 9 });
    const stranger = await newStranger(shop);
    await using watch = await watchLocks(shop.db);
    await using barrier = await holdVariants(shop.db, variant.id);

    const adds = [2, 3].map((quantity) => stranger.add({ variantId: variant.globalId, quantity }));
    // One waits for the variant, and the other one for the first.
    await watch.untilWaiting(1, 'product_variants');
    await barrier.release();

    const answers = await Promise.all(adds);
    expect(answers.map((answer) => answer.codes)).toEqual([[], []]);
    expect(new Set(answers.map((answer) => answer.cart?.id)).size).toBe(1);
    const carts = await rowsOf(
      shop.db,
      `SELECT c.status, c.version, l.quantity FROM carts c JOIN cart_lines l ON l.cart_id = c.id WHERE l.variant_id = $1`,
      [variant.id],
    );
    expect(carts).toEqual([{ status: 'ACTIVE', version: 3, quantity: 5 }]);
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: 9, held: 5, available: 4 });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('where one cannot have its units, the other still gets the cart', async () => {
    const variant = await makeVariant(shop.app, { onHand: 3 });
    const stranger = await newStranger(shop);
    await using watch = await watchLocks(shop.db);
    await using barrier = await holdVariants(shop.db, variant.id);

    const greedy = stranger.add({ variantId: variant.globalId, quantity: 4 });
    await watch.untilWaiting(1, 'product_variants');
    const modest = stranger.add({ variantId: variant.globalId, quantity: 3 });
    await barrier.release();

    expect((await greedy).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 4, available: 3 }]);
    expect(await modest).toMatchObject({ codes: [], cart: { totalQuantity: 3, version: 2 } });
    expect(await findFaults(shop.db)).toEqual([]);
  });
});
