import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { followEvents } from '../../examples/event-source.ts';
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts';
import { hasBrowser, launchBrowser } from '../support/browser.ts';
import { planCuts } from '../support/cuts.ts';
import { makeProduct, makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { listenersOf } from '../support/listeners.ts';
import { settled } from '../support/settled.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { sized } from '../support/sizes.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import {
  followWithApollo,
  followWithEventSource,
  followWithSocket,
  followWithUrql,
  openSockets,
  STOCK,
  type Change,
  type Follow,
} from './followers.ts';

const CUTS = sized({ inCi: 20, daily: 8 });
const MOVES = 20 * CUTS;
/** So far the writer may be ahead of the reader: some events are live when a cut comes, and some are not. */
const AHEAD = 25;

let shop: TestShop & World;
beforeAll(async () => {
  const opened = await createTestShop();
  shop = { ...opened, eventLog: opened.app.eventLog };
});
afterAll(() => shop.dispose());

/** A way to the shop that can be cut. */
async function openProxy(): Promise<TcpProxy & { origin: string }> {
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(shop.url).port) });
  onTestFinished(() => proxy.dispose());
  return { ...proxy, origin: `http://127.0.0.1:${proxy.port}` };
}

/** One unit more or less of a variant. */
async function move(variantId: string, delta: number): Promise<void> {
  const { db, services } = shop.app;
  await db.transaction(async (tx) => {
    const at = await services.inventory.lock(tx, [variantId]);
    const reason = delta > 0 ? 'RESTOCK' : 'DAMAGE';
    await services.inventory.apply(tx, at, [{ variantId, reason, onHandDelta: delta }]);
  });
}

/** Where a page begins: the cursor of the answer that it shows. */
async function read(): Promise<string> {
  await settled(shop);
  return (await shop.client().data<{ eventCursor: string }>('{ eventCursor }')).eventCursor;
}

/** What the log has of these variants after a cursor, as clients receive it. */
async function logged(variants: readonly { id: string }[], after: string): Promise<Change[]> {
  await settled(shop);
  const { epoch, seq } = known(decodeCursor(after));
  const rows = await shop.db.query<{ seq: bigint; available: number }>(
    {
      name: 'test_resume_log',
      text: `SELECT seq, (payload->>'available')::int AS available FROM event_log
              WHERE type = 'stock_changed' AND subject_id = ANY($1::uuid[]) AND seq > $2 ORDER BY seq`,
    },
    [variants.map(({ id }) => id), seq],
  );
  return rows.map((row) => ({ cursor: encodeCursor({ epoch, seq: Number(row.seq) }), available: row.available }));
}

/** Has somebody follow two variants of three through a proxy that is cut while a writer moves all of them. */
async function followThroughCuts(follow: Follow, seed: number) {
  const proxy = await openProxy();
  const product = await makeProduct(shop, { variants: [{ onHand: 1000 }, { onHand: 1000 }, { onHand: 1000 }] });
  const watched = product.variants.slice(0, 2);
  const after = await read();
  const cuts = planCuts(proxy, { cuts: CUTS, among: MOVES, seed });
  const seen: Change[] = [];
  const faults: unknown[] = [];
  let wake: () => void = () => {};
  const fault = (what: unknown) => {
    faults.push(what);
    wake();
  };
  const stop = follow({
    origin: proxy.origin,
    ids: watched.map(({ globalId }) => globalId),
    after,
    next({ cursor, available }) {
      seen.push({ cursor, available });
      cuts.saw();
      wake();
    },
    over: fault,
    warn: fault,
  });

  try {
    for (let index = 0; index < MOVES && faults.length === 0; index += 1) {
      await move(known(watched[index % 2]).id, index % 5 === 4 ? -3 : 1);
      cuts.wrote();
      if (index % 3 === 0) await move(known(product.variants[2]).id, 1);
      while (index + 1 - seen.length > AHEAD && faults.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await until('all has been seen', () => seen.length >= MOVES || faults.length > 0);
    // What comes now comes after whatever else was under way.
    await move(known(watched[0]).id, 1);
    await until('the last has been seen', () => seen.length > MOVES || faults.length > 0);
  } finally {
    await stop();
  }
  return { seen, faults, log: await logged(watched, after), cuts: cuts.done };
}

describe('cut off again and again while stock moves, it has the whole sequence in the end, and nothing twice', () => {
  test.each<[string, Follow, number]>([
    ['graphql-ws alone', followWithSocket, 11],
    ['Apollo Client', followWithApollo, 12],
    ['urql', followWithUrql, 13],
    ['an EventSource', followWithEventSource, 14],
  ])('%s', async (_who, follow, seed) => {
    const { seen, faults, log, cuts } = await followThroughCuts(follow, seed);
    expect(faults).toEqual([]);
    expect(cuts).toBe(CUTS);
    expect(log.length).toBe(MOVES + 1);
    expect(seen).toEqual(log);
  });
});

test('without the helper, graphql-ws delivers events twice', async () => {
  const proxy = await openProxy();
  const variant = await makeVariant(shop, { onHand: 10 });
  const after = await read();
  const seen: number[] = [];
  const sockets = openSockets(proxy.origin);
  sockets.subscribe<{ stockChanged: Change }>(
    { query: STOCK, variables: { ids: [variant.globalId], after } },
    {
      next: ({ data }) => seen.push(known(data).stockChanged.available),
      error: expect.unreachable,
      complete: () => {},
    },
  );
  await move(variant.id, 1);
  await until('the event arrives', () => seen.length === 1);
  proxy.cut();
  await until('the next event arrives', () => seen.length === 2);
  expect(seen).toEqual([11, 11]);
  await sockets.dispose();
});

test('where the log was replaced, it reads anew and goes on; before the start and in the middle', async () => {
  const own = await createTestShop();
  const world = { ...own, eventLog: own.app.eventLog };
  const variant = await makeVariant(world, { onHand: 10 });
  const { inventory } = own.app.services;
  const restock = () =>
    own.db.transaction(async (tx) => {
      const at = await inventory.lock(tx, [variant.id]);
      await inventory.apply(tx, at, [{ variantId: variant.id, reason: 'RESTOCK', onHandDelta: 1 }]);
    });
  const seen: number[] = [];
  const faults: unknown[] = [];
  const readAnew: number[] = [];
  await settled(own);
  const { seq } = await own.app.eventLog.end();
  const stop = followWithSocket({
    origin: own.url,
    ids: [variant.globalId],
    after: encodeCursor({ epoch: 'ffffffffffffffff', seq }),
    next: ({ available }) => seen.push(available),
    over: (why) => faults.push(why),
    async onExpired() {
      const page = await own
        .client()
        .data<{ eventCursor: string; node: { available: number } }>(
          `{ eventCursor node(id: "${variant.globalId}") { ... on ProductVariant { available } } }`,
        );
      readAnew.push(page.node.available);
      return page.eventCursor;
    },
  });
  try {
    await until('it has read anew', () => listenersOf(own) === 1);
    await restock();
    await until('the event arrives', () => seen.length === 1);
    await own.db.query({ name: 'test_replace', text: `UPDATE event_sequence SET epoch = '0123456789abcdef'` });
    await until('it has read anew once more', () => readAnew.length === 2);
    await until('it stands again', () => listenersOf(own) === 1);
    await restock();
    await until('the event arrives', () => seen.length === 2);
    expect(readAnew).toEqual([10, 11]);
    expect(seen).toEqual([11, 12]);
    expect(faults).toEqual([]);
  } finally {
    await stop();
    await own.dispose();
  }
});

// Twenty cuts would take a minute here: a browser waits for three seconds before it comes back.
test.skipIf(!hasBrowser('EventSource'))(
  "a browser's own EventSource goes on where it was cut off",
  async () => {
    const proxy = await openProxy();
    const variant = await makeVariant(shop, { onHand: 10 });
    const after = await read();
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const blank = `${proxy.origin}/a-page`;
      await page.route(blank, (route) => route.fulfill({ contentType: 'text/html', body: '<p>a front end</p>' }));
      await page.goto(blank);
      const seen: Change[] = [];
      const faults: string[] = [];
      await page.exposeFunction('next', (data: { stockChanged: Change }) => seen.push(data.stockChanged));
      await page.exposeFunction('fail', (code: string) => faults.push(code));
      const subscription = JSON.stringify({ query: STOCK, variables: { ids: [variant.globalId], after } });
      await page.evaluate(`void (${followEvents.toString()})('/graphql', ${subscription}, { next, fail })`);
      for (let cut = 1; cut <= 2; cut += 1) {
        await move(variant.id, 1);
        await until('the page has the event', () => seen.length === 2 * cut - 1);
        expect(proxy.cut()).toBeGreaterThan(0);
        await move(variant.id, 1);
        await until('the page has the event that it missed', () => seen.length === 2 * cut);
      }
      const log = await logged([variant], after);
      expect(log.map(({ available }) => available)).toEqual([11, 12, 13, 14]);
      expect(seen).toMatchObject(log);
      expect(seen.length).toBe(4);

      // What cannot be gone on from is said, and that is the end of it.
      const lost = JSON.stringify({
        query: STOCK,
        variables: { ids: [], after: encodeCursor({ epoch: 'ffffffffffffffff', seq: 1 }) },
      });
      await page.evaluate(`void (${followEvents.toString()})('/graphql', ${lost}, { next, fail })`);
      await until('the page has the reason', () => faults.length > 0);
      expect(faults).toEqual(['CURSOR_EXPIRED']);
    } finally {
      await browser.close();
    }
  },
  60_000,
);
