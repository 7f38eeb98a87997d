import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { decodeCursor } from '../../src/events/cursor.ts';
import { makeProduct, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { settled } from '../support/settled.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import { recordStatements } from '../support/statements.ts';
import { transports, watch } from '../support/watch.ts';

/* What it takes to read the events of the past: statements and executions are counted, not time. */

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const executions = () => known(shop.app.fanOut()).executions;

/** Moves a variant's level by one unit, so many times in one transaction. */
async function move(variantId: string, steps: number): Promise<void> {
  const { db, services } = shop.app;
  await db.transaction(async (tx) => {
    const at = await services.inventory.lock(tx, [variantId]);
    const step = { variantId, reason: 'RESTOCK', onHandDelta: 1 } as const;
    await services.inventory.apply(
      tx,
      at,
      Array.from({ length: steps }, () => step),
    );
  });
  await settled(shop);
}

async function cursorNow(): Promise<string> {
  await settled(shop);
  return (await shop.client().data<{ eventCursor: string }>('{ eventCursor }')).eventCursor;
}

interface Changed {
  stockChanged: { cursor: string; available: number; variant?: { price: { amount: string } } };
}

const replay = (variantId: string, after: string, selection = 'cursor available') =>
  `subscription { stockChanged(variantIds: ["${variantId}"], after: "${after}") { ${selection} } }`;

async function take<T>(events: { take(): Promise<T> }, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) taken.push(await events.take());
  return taken;
}

const inOrder = (seen: readonly Changed[]) => {
  const numbers = seen.map(({ stockChanged }) => known(decodeCursor(stockChanged.cursor)).seq);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
  return seen.map(({ stockChanged }) => stockChanged.available);
};

describe.each(transports)('a replay over %s', (transport) => {
  test('looks up one event, then a hundred together, and the next reader of the same document costs no execution', async () => {
    const variant = await makeVariant(shop, { onHand: 1000 });
    const after = await cursorNow();
    await move(variant.id, 250);
    const levels = Array.from({ length: 250 }, (_, index) => 1001 + index);
    const read = async () => {
      const { events, stop } = watch<Changed>(shop, transport, replay(variant.globalId, after));
      const seen = await take(events, 250);
      stop();
      return inOrder(seen);
    };
    const before = executions();
    const { result, statements } = await recordStatements(read);
    expect(result).toEqual(levels);
    expect(executions() - before).toBe(250);
    expect(statements.filter((name) => name === 'catalog_variants_by_ids')).toHaveLength(4);
    expect(await read()).toEqual(levels);
    expect(executions() - before).toBe(250);
  });
});

test('two readers who are there at the same time share the executions of a document that shows the present', async () => {
  const variant = await makeVariant(shop, { onHand: 100 });
  const after = await cursorNow();
  await move(variant.id, 20);
  const before = executions();
  const query = replay(variant.globalId, after, 'cursor available variant { price { amount } }');
  const [one, two] = [watch<Changed>(shop, 'WebSocket', query), watch<Changed>(shop, 'SSE', query)];
  const seen = await Promise.all([one, two].map(({ events }) => take(events, 20)));
  for (const each of seen) expect(inOrder(each)).toEqual(Array.from({ length: 20 }, (_, index) => 101 + index));
  expect(executions() - before).toBe(20);
});

test('a reader who comes when the others have left is shown the present, and not theirs', async () => {
  const variant = await makeVariant(shop, { onHand: 100, price: 1000 });
  const after = await cursorNow();
  await move(variant.id, 3);
  const query = replay(variant.globalId, after, 'cursor available variant { price { amount } }');
  const prices = async () => {
    const { events, ended, stop } = watch<Changed>(shop, 'WebSocket', query);
    const seen = await take(events, 3);
    stop();
    await ended;
    return seen.map(({ stockChanged }) => known(stockChanged.variant).price.amount);
  };
  expect(await prices()).toEqual(['10.00', '10.00', '10.00']);
  await shop.db.query({ text: 'UPDATE product_variants SET price_minor = 2000 WHERE id = $1' }, [variant.id]);
  expect(await prices()).toEqual(['20.00', '20.00', '20.00']);
});

test('events of a product that has become a draft are not shown to the next reader, although their texts are known', async () => {
  const product = await makeProduct(shop, { variants: [{ onHand: 100 }] });
  const [variant] = product.variants;
  const { id, globalId } = known(variant);
  const other = await makeVariant(shop, { onHand: 100 });
  const after = await cursorNow();
  await move(id, 3);
  await move(other.id, 1);
  const query = `subscription { stockChanged(variantIds: ["${globalId}", "${other.globalId}"], after: "${after}") { cursor available } }`;
  const first = watch<Changed>(shop, 'WebSocket', query);
  expect(inOrder(await take(first.events, 4))).toEqual([101, 102, 103, 101]);
  await shop.db.query({ text: `UPDATE products SET status = 'DRAFT' WHERE id = $1` }, [product.id]);
  const second = watch<Changed>(shop, 'WebSocket', query);
  expect(inOrder(await take(second.events, 1))).toEqual([101]);
  expect(second.events.left).toEqual([]);
});

test('a result with errors is not kept for the next reader', async () => {
  const variant = await makeVariant(shop, { onHand: 100 });
  const after = await cursorNow();
  await move(variant.id, 2);
  const query = replay(variant.globalId, after, 'cursor available variant { sku }');
  const sockets = await Promise.all([openSocket(shop.wsUrl), openSocket(shop.wsUrl)]);
  onTestFinished(() => sockets.forEach((socket) => socket.raw.terminate()));
  const [one, two] = [known(sockets[0]), known(sockets[1])];
  await Promise.all([one.init(), two.init()]);
  const { catalog } = shop.app.live.services;
  const { variantsByIds } = catalog;
  catalog.variantsByIds = () => Promise.reject(new Error('no database'));
  try {
    one.subscribe('1', query);
    for (let index = 0; index < 2; index += 1) {
      const { payload } = await one.messages.take();
      expect(payload?.errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['INTERNAL_SERVER_ERROR']);
    }
  } finally {
    catalog.variantsByIds = variantsByIds;
  }
  two.subscribe('1', query);
  for (let index = 0; index < 2; index += 1) {
    const { payload } = await two.messages.take();
    expect(payload).toMatchObject({ data: { stockChanged: { variant: { sku: variant.sku } } } });
  }
});

/** A socket that reads nothing until the test says so. */
async function slowSocket(query: string): Promise<TestSocket> {
  const socket = await openSocket(shop.wsUrl);
  onTestFinished(() => socket.raw.terminate());
  await socket.init();
  socket.raw.pause();
  socket.subscribe('1', query);
  return socket;
}

test('a reader who takes nothing in has few events executed, and later gets all of them in order', async () => {
  // A kilobyte of text with each event: more than a socket takes while nobody reads it.
  const product = await makeProduct(shop, { description: 'x'.repeat(20_000), variants: [{ onHand: 0 }] });
  const { id, globalId } = known(product.variants[0]);
  const after = await cursorNow();
  for (let index = 0; index < 10; index += 1) await move(id, 100);
  const before = executions();
  const socket = await slowSocket(replay(globalId, after, 'cursor available variant { product { description } }'));
  // Another reader of the log comes and goes meanwhile: the node is not waiting for anything else.
  const quick = watch<Changed>(shop, 'WebSocket', replay(globalId, after));
  expect(inOrder(await take(quick.events, 1000))).toHaveLength(1000);
  expect(executions() - before).toBeLessThan(2000);
  socket.raw.resume();
  const seen: Changed[] = [];
  while (seen.length < 1000) {
    const { type, payload } = await socket.messages.take();
    expect(type).toBe('next');
    seen.push(known(payload).data as unknown as Changed);
  }
  expect(inOrder(seen)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
  await socket.close();
});
