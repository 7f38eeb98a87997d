import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts';
import { openEventStream, type StreamEvent } from '../support/event-stream.ts';
import { makeProduct, makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { transports, watch, watchNow } from '../support/watch.ts';

let shop: TestShop & World;
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
});
afterAll(() => shop.dispose());

interface Changed {
  stockChanged: { cursor: string; available: number };
}

const changeOf = ({ data }: StreamEvent) => (known(data).data as unknown as Changed).stockChanged;

/** Moves a variant's level by one unit, so many times. */
async function move(variantId: string, times: number, delta = 1): Promise<void> {
  const { db, services } = shop.app;
  for (let index = 0; index < times; index += 1) {
    await db.transaction(async (tx) => {
      const at = await services.inventory.lock(tx, [variantId]);
      await services.inventory.apply(tx, at, [
        { variantId, reason: delta > 0 ? 'RESTOCK' : 'DAMAGE', onHandDelta: delta },
      ]);
    });
  }
  await settled(shop);
}

/** The end of the log, with all that is committed before it. */
async function cursorNow(): Promise<string> {
  await settled(shop);
  return (await shop.client().data<{ eventCursor: string }>('{ eventCursor }')).eventCursor;
}

const subscription = (variantId: string, after?: string) =>
  `subscription { stockChanged(variantIds: ["${variantId}"]${after === undefined ? '' : `, after: "${after}"`}) { cursor available } }`;

/** A node of the shop that starts now: nothing of the log is in its memory. */
async function freshNode(): Promise<TestShop> {
  const { database } = shop.config;
  if (database.kind !== 'url') throw new Error('the shop has its own database');
  return createApiNode({ database: { url: database.url, dispose: () => Promise.resolve() } });
}

describe.each(transports)('over %s', (transport) => {
  test('a subscription after a cursor delivers what happened since, and goes on', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const after = await cursorNow();
    await move(variant.id, 3);
    const { events, stop } = watch<Changed>(shop, transport, subscription(variant.globalId, after));
    const seen = [await events.take(), await events.take(), await events.take()];
    expect(seen.map(({ stockChanged }) => stockChanged.available)).toEqual([6, 7, 8]);
    await move(variant.id, 1);
    expect((await events.take()).stockChanged.available).toBe(9);
    stop();

    // From the middle: after the second one there are the last two.
    const again = watch<Changed>(shop, transport, subscription(variant.globalId, known(seen[1]).stockChanged.cursor));
    expect([await again.events.take(), await again.events.take()].map((event) => event.stockChanged.available)).toEqual(
      [8, 9],
    );
    expect(again.events.left).toEqual([]);
  });

  test('a node that has just started delivers the same, from the log', async () => {
    const product = await makeProduct(shop, { variants: [{ onHand: 1 }, { onHand: 1 }] });
    const [one, two] = product.variants.map((variant) => variant.id);
    const after = await cursorNow();
    for (let index = 0; index < 5; index += 1) {
      await move(known(one), 1);
      await move(known(two), 1);
    }
    const node = await freshNode();
    try {
      const { events } = watch<Changed>(
        node,
        transport,
        `subscription { stockChanged(productIds: ["${product.globalId}"], after: "${after}") { cursor available } }`,
      );
      const seen: number[] = [];
      while (seen.length < 10) seen.push((await events.take()).stockChanged.available);
      expect(seen).toEqual([2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
      await move(known(one), 1);
      expect((await events.take()).stockChanged.available).toBe(7);
    } finally {
      await node.dispose();
    }
  });

  test('a cursor that the log does not lead on from is CURSOR_EXPIRED; one that is none is BAD_REQUEST', async () => {
    const variant = await makeVariant(shop);
    const { epoch, seq } = known(decodeCursor(await cursorNow()));
    const code = async (after: string) => watch(shop, transport, subscription(variant.globalId, after)).ended;
    expect(await code(encodeCursor({ epoch: 'ffffffffffffffff', seq }))).toEqual(['CURSOR_EXPIRED']);
    expect(await code(encodeCursor({ epoch, seq: seq + 1000 }))).toEqual(['CURSOR_EXPIRED']);
    for (const none of ['x', '', 'a'.repeat(200), encodeCursor({ epoch: 'short', seq })]) {
      expect(await code(none)).toEqual(['BAD_REQUEST']);
    }
  });

  test('a cursor older than the log is kept is CURSOR_EXPIRED', async () => {
    const pruned = await createApiNode();
    try {
      const world = { ...pruned, eventLog: pruned.app.eventLog };
      const variant = await makeVariant(world);
      await settled(pruned);
      const after = encodeCursor({ ...(await pruned.app.eventLog.end()), seq: 0 });
      await pruned.db.query({ name: 'test_mark', text: 'UPDATE event_sequence SET pruned_through = last' });
      await pruned.db.query({ name: 'test_prune', text: 'DELETE FROM event_log' });
      const { database } = pruned.config;
      if (database.kind !== 'url') throw new Error('the shop has its own database');
      // A node that has it in memory may still deliver it; one that has just started cannot.
      const node = await createApiNode({ database: { url: database.url, dispose: () => Promise.resolve() } });
      expect(await watch(node, transport, subscription(variant.globalId, after)).ended).toEqual(['CURSOR_EXPIRED']);
      await node.dispose();
    } finally {
      await pruned.dispose();
    }
  });

  test('a subscription after the cursor of a query misses nothing that is committed in between', async () => {
    const variant = await makeVariant(shop, { onHand: 100 });
    for (let round = 0; round < 5; round += 1) {
      const writer = move(variant.id, 3);
      const { eventCursor, node } = await shop
        .client()
        .data<{ eventCursor: string; node: { available: number } }>(
          `{ eventCursor node(id: "${variant.globalId}") { ... on ProductVariant { available } } }`,
        );
      const { events, stop } = watch<Changed>(shop, transport, subscription(variant.globalId, eventCursor));
      await writer;
      const last = 100 + 3 * (round + 1);
      // What was read may be newer than the cursor, never older: following the events leads to the present level.
      expect(node.available).toBeLessThanOrEqual(last);
      let level = node.available;
      const seen: number[] = [];
      while (level < last) {
        level = (await events.take()).stockChanged.available;
        seen.push(level);
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(new Set(seen).size).toBe(seen.length);
      stop();
    }
  });
});

test('an event that cannot be read for a moment ends the subscription, and is delivered after a reconnect', async () => {
  let failing = false;
  const frail = await createApiNode({
    overrides: {
      services: (real) => ({
        ...real,
        catalog: {
          ...real.catalog,
          isVisible: (id) => (failing ? Promise.reject(new Error('no connection')) : real.catalog.isVisible(id)),
        },
      }),
    },
  });
  try {
    const world = { ...frail, eventLog: frail.app.eventLog };
    const { globalId, id } = await makeVariant(world, { onHand: 5 });
    await settled(frail);
    const after = encodeCursor(await frail.app.eventLog.end());
    const watched = await watchNow<Changed>(frail, 'WebSocket', subscription(globalId, after));
    failing = true;
    const { inventory } = frail.app.services;
    await frail.db.transaction(async (tx) => {
      const at = await inventory.lock(tx, [id]);
      await inventory.apply(tx, at, [{ variantId: id, reason: 'RESTOCK', onHandDelta: 1 }]);
    });
    expect(await watched.ended).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(watched.events.left).toEqual([]);
    failing = false;
    const again = watch<Changed>(frail, 'WebSocket', subscription(globalId, after));
    expect((await again.events.take()).stockChanged.available).toBe(6);
  } finally {
    await frail.dispose();
  }
});

describe('an EventSource', () => {
  test('is given the cursor of each event as its id, and goes on by Last-Event-ID, whatever `after` it began with', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const after = await cursorNow();
    await move(variant.id, 4);
    const query = subscription(variant.globalId, after);
    const stream = await openEventStream(shop.url, query);
    const first = await stream.events.take();
    const second = await stream.events.take();
    expect(first).toMatchObject({ id: changeOf(first).cursor });
    expect(second.id).not.toBe(first.id);
    stream.close();

    const again = await openEventStream(shop.url, query, { 'last-event-id': known(second.id) });
    const levels = [await again.events.take(), await again.events.take()].map((event) => changeOf(event).available);
    expect(levels).toEqual([8, 9]);
    again.close();
  });

  test('has ids although the client selects no cursor', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const after = await cursorNow();
    await move(variant.id, 1);
    const stream = await openEventStream(
      shop.url,
      `subscription { stockChanged(variantIds: ["${variant.globalId}"], after: "${after}") { available } }`,
    );
    const { id, data } = await stream.events.take();
    expect(decodeCursor(known(id))).toMatchObject({ epoch: known(decodeCursor(after)).epoch });
    expect(data).toEqual({ data: { stockChanged: { available: 6 } } });
    stream.close();
  });

  test('that sends an invalid cursor gets BAD_REQUEST', async () => {
    const variant = await makeVariant(shop);
    const stream = await openEventStream(shop.url, subscription(variant.globalId), { 'last-event-id': uuid() });
    const { data } = await stream.events.take();
    expect(data?.errors?.map((error) => error.extensions?.code)).toEqual(['BAD_REQUEST']);
  });
});
