import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { startConsumers, type Consumers } from '../../src/events/consumers.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { createLowStockNotices } from '../../src/modules/cart/low-stock.consumer.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { levelOf, makeOverdue, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { fillCarts } from '../support/overdue-carts.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { crossingsOf, eventsOf } from '../support/records.ts';
import { newGuest, openServices, type TestServices } from '../support/services.ts';

const { logger, logs } = recordLogs();
const bus = { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) };

let database: TestDatabase;
let shop: TestServices;
let relay: Relay;
let consumers: Consumers;

beforeEach(async () => {
  database = await createTestDatabase();
  shop = openServices(database.url);
  relay = startRelay({ db: shop.db, bus, logger });
  consumers = open(shop);
  await consumers.flush();
  logs.length = 0;
});
afterEach(async () => {
  await consumers[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  await shop.dispose();
  await database.dispose();
});

function open({ db, eventLog }: TestServices): Consumers {
  const settings = { pollMs: 3_600_000, backoffMs: 1 };
  return startConsumers({ db, bus, logger, settings, consumers: [createLowStockNotices({ eventLog })] });
}

/** Has all that happened so far taken notice of. */
async function settle(): Promise<void> {
  await relay.flush();
  await consumers.flush();
}

interface Held {
  owner: { guestId: string };
  cartId: string;
  lineId: string;
}

async function hold(variantId: string, quantity: number): Promise<Held> {
  const owner = await newGuest(shop);
  const wanted = { variantId, quantity, variantPath: [], quantityPath: [] };
  const { cart } = await shop.cart.addLines(owner, [wanted]);
  return { owner, cartId: cart.id, lineId: known(cart.lines[0]).id };
}

async function change({ owner, lineId }: Held, quantity: number): Promise<void> {
  await shop.cart.updateLines(owner, [{ id: lineId, quantity, idPath: [], quantityPath: [] }]);
}

/** The events of a kind of crossing, without what is the same in all. */
async function crossings(variantId: string): Promise<[string, number, ...unknown[]][]> {
  const events = await crossingsOf(shop, variantId);
  return events.map(({ type, payload: { variantId: id, productId, available, ...rest } }) => {
    expect([id, typeof productId]).toEqual([variantId, 'string']);
    return [type, Number(available), ...Object.values(rest)];
  });
}

/** How often the owner of each cart was notified. */
async function noticesOf(...carts: Held[]): Promise<number[]> {
  const events = await rowsOf<{ cartId: string }>(
    shop.db,
    `SELECT subject_id AS "cartId" FROM event_log WHERE type = 'cart_changed' AND payload->>'kind' = 'LOW_STOCK'`,
  );
  return carts.map(({ cartId }) => events.filter((event) => event.cartId === cartId).length);
}

describe('a step of stock that crosses a line', () => {
  test('writes an event of it, with the step; one that crosses none does not', async () => {
    const { id } = await makeVariant(shop, { onHand: 10 }); // low at 3
    expect(await crossings(id)).toEqual([
      ['stock_recovered', 10, 3],
      ['back_in_stock', 10],
    ]);
    const first = await hold(id, 6);
    const second = await hold(id, 1);
    const third = await hold(id, 1);
    const fourth = await hold(id, 2);
    await change(third, 0);
    await change(first, 1);
    await change(fourth, 0);

    expect((await crossings(id)).slice(2)).toEqual([
      ['low_stock', 3, second.cartId, 3],
      ['back_in_stock', 1],
      ['stock_recovered', 6, 3],
    ]);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('tells of each crossing where one step goes over several, or back and forth in one statement', async () => {
    const { id } = await makeVariant(shop, { onHand: 5 });
    const all = await hold(id, 5);
    await change(all, 0);
    const at = await shop.db.transaction(async (tx) => {
      const now = await shop.inventory.lock(tx, [id]);
      const step = { variantId: id, reason: 'CORRECTION' } as const;
      await shop.inventory.apply(tx, now, [
        { ...step, onHandDelta: -5 },
        { ...step, onHandDelta: 2 },
        { ...step, onHandDelta: 2 },
      ]);
      return now;
    });

    expect(at).toBeInstanceOf(Date);
    expect((await crossings(id)).slice(2)).toEqual([
      ['low_stock', 0, all.cartId, 3],
      ['stock_recovered', 5, 3],
      ['back_in_stock', 5],
      ['low_stock', 0, null, 3],
      ['back_in_stock', 2],
      ['stock_recovered', 4, 3],
    ]);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('is not made by a sale of what was held', async () => {
    const { id } = await makeVariant(shop, { onHand: 4 });
    const { owner } = await hold(id, 4);
    const before = await crossings(id);
    const order = { idempotencyKey: 'k', email: 'a@example.com', shippingAddress: null, expectedTotalMinor: null };
    await shop.orders.checkout(owner, order);

    expect(await crossings(id)).toEqual(before);
  });
});

describe('the owner of a cart with low stock', () => {
  test('is notified, unless the cart itself took the units', async () => {
    const { id } = await makeVariant(shop, { onHand: 10 });
    const other = await makeVariant(shop, { onHand: 10 });
    const [one, two, elsewhere] = [await hold(id, 2), await hold(id, 2), await hold(other.id, 2)];
    const cause = await hold(id, 3);
    await settle();

    expect(await noticesOf(one, two, elsewhere, cause)).toEqual([1, 1, 0, 0]);
    const [event] = (await eventsOf(shop, one.cartId)).slice(-1);
    expect(event).toEqual({
      type: 'cart_changed',
      payload: {
        cartId: one.cartId,
        guestId: one.owner.guestId,
        userId: null,
        kind: 'LOW_STOCK',
        // The cart is as it was.
        version: 2,
        variantId: id,
      },
    });
    expect(await shop.cart.find(one.owner)).toMatchObject({ version: 2, status: 'ACTIVE' });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('is notified once, and again after the level has recovered', async () => {
    const { id } = await makeVariant(shop, { onHand: 10 });
    const one = await hold(id, 2);
    const cause = await hold(id, 5);
    await settle();
    await change(cause, 6);
    await settle();
    expect(await noticesOf(one)).toEqual([1]);
    await change(cause, 1);
    await settle();
    await change(cause, 5);
    await settle();

    expect(await noticesOf(one, cause)).toEqual([2, 0]);
  });

  test('is notified again also if fall, recovery and fall are read in one batch', async () => {
    const { id } = await makeVariant(shop, { onHand: 10 });
    const one = await hold(id, 2);
    const cause = await hold(id, 5);
    await change(cause, 1);
    await change(cause, 5);
    await settle();

    expect(await noticesOf(one, cause)).toEqual([2, 0]);
  });

  test('is not notified about a cart that is gone or has expired', async () => {
    const { id } = await makeVariant(shop, { onHand: 20 });
    const [bought, overdue, live] = [await hold(id, 2), await hold(id, 2), await hold(id, 2)];
    const order = { idempotencyKey: 'k', email: 'a@example.com', shippingAddress: null, expectedTotalMinor: null };
    await shop.orders.checkout(bought.owner, order);
    await makeOverdue(shop, [overdue.cartId]);
    await hold(id, 12);
    await settle();

    expect(await noticesOf(bought, overdue, live)).toEqual([0, 0, 1]);
  });

  test('is notified once if an event comes twice', async () => {
    const { id } = await makeVariant(shop, { onHand: 10 });
    const one = await hold(id, 2);
    await hold(id, 5);
    await settle();
    const consumer = createLowStockNotices(shop);
    const rows = await rowsOf<{ seq: bigint; type: string; subjectId: string; payload: unknown; occurredAt: Date }>(
      shop.db,
      `SELECT seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt" FROM event_log
        WHERE type IN ('low_stock', 'stock_recovered') ORDER BY seq DESC LIMIT 1`,
    );
    const event = { ...known(rows[0]), seq: Number(rows[0]?.seq) };
    for (let round = 0; round < 2; round += 1) {
      expect(await shop.db.transaction((tx) => consumer.handle(tx, event))).toBe('DONE');
    }

    expect(await noticesOf(one)).toEqual([1]);
  });

  test('is notified once, in batches, however many owners there are', { timeout: 60_000 }, async () => {
    const CARTS = 1200;
    const { id } = await makeVariant(shop, { onHand: 10_000 });
    const others = [await makeVariant(shop, { onHand: 10_000 }), await makeVariant(shop, { onHand: 10_000 })];
    await fillCarts(shop, CARTS, [id, ...others.map((variant) => variant.id)]);
    const cause = await hold(id, 1);
    await shop.db.transaction(async (tx) => {
      const now = await shop.inventory.lock(tx, [id]);
      const onHandDelta = 3 - (await levelOf(shop, id)).available;
      await shop.inventory.apply(tx, now, [{ variantId: id, reason: 'CORRECTION', onHandDelta }]);
    });
    await settle();

    const [row] = await rowsOf<{ events: number; carts: number }>(
      shop.db,
      `SELECT count(*)::int AS events, count(DISTINCT subject_id)::int AS carts FROM event_log
        WHERE payload->>'kind' = 'LOW_STOCK'`,
    );
    const [holding] = await rowsOf<{ carts: number }>(
      shop.db,
      'SELECT count(DISTINCT cart_id)::int AS carts FROM cart_lines WHERE variant_id = $1',
      [id],
    );
    // Several batches; and nobody's cart was the cause, so all who hold it are notified.
    expect(holding?.carts).toBeGreaterThan(501);
    expect(row).toEqual({ events: holding?.carts, carts: holding?.carts });
    expect(await noticesOf(cause)).toEqual([1]);
    expect(logs.filter((line) => line.level >= 40)).toEqual([]);
  });
});
