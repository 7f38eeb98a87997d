import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { v7 as uuid } from 'uuid';
import { WebSocket } from 'ws';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts';
import { graphql } from '../generated/gql/index.ts';
import type { StockWatchSubscription, StockWatchSubscriptionVariables } from '../generated/gql/graphql.ts';
import { nodeArguments } from '../support/compiled.ts';
import { openEventStream } from '../support/event-stream.ts';
import { archiveVariant, globalId, levelOf, makeOverdue, makeProduct, type MadeProduct } from '../support/fixtures.ts';
import { Inbox } from '../support/inbox.ts';
import { listenersOf } from '../support/listeners.ts';
import { meanwhile } from '../support/meanwhile.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { settled } from '../support/settled.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';
import { until } from '../support/until.ts';

const StockWatch = graphql(`
  subscription StockWatch($variantIds: [ID!], $productIds: [ID!]) {
    stockChanged(variantIds: $variantIds, productIds: $productIds) {
      cursor
      occurredAt
      available
      previousAvailable
      variant {
        id
        available
      }
    }
  }
`);

const StockCartAdd = graphql(`
  mutation StockCartAdd($lines: [CartLineInput!]!) {
    cartLinesAdd(input: { lines: $lines }) {
      cart {
        id
      }
      errors {
        code
      }
    }
  }
`);

const StockCheckout = graphql(`
  mutation StockCheckout($input: CheckoutInput!) {
    checkout(input: $input) {
      order {
        id
      }
      errors {
        code
      }
    }
  }
`);

const StockSnapshot = graphql(`
  query StockSnapshot($id: ID!) {
    product(id: $id) {
      variants {
        available
      }
    }
    ...LateCursor
  }
  fragment LateCursor on Query {
    ... on Query {
      seen: eventCursor
    }
  }
`);

type Change = StockWatchSubscription['stockChanged'];

/** A subscription of a test's. */
interface Watch {
  changes: Inbox<Change>;
  /** Resolves when the server ends it, with the codes of the errors that came. */
  ended: Promise<string[]>;
  stop(): void;
}

type Transport = (shop: TestShop, variables?: StockWatchSubscriptionVariables) => Watch;

const cleanups: (() => unknown)[] = [];

function watchWith(
  subscribe: (
    payload: { query: string; variables: Record<string, unknown> },
    sink: { next(value: { data?: unknown; errors?: unknown }): void; error(error: unknown): void; complete(): void },
  ) => () => void,
  document: TypedDocumentNode<StockWatchSubscription, StockWatchSubscriptionVariables>,
  variables: StockWatchSubscriptionVariables,
): Watch {
  const changes = new Inbox<Change>();
  const codes: string[] = [];
  const note = (errors: unknown) => {
    for (const error of errors as { extensions?: { code?: string } }[]) codes.push(error.extensions?.code ?? 'no code');
  };
  let end: (codes: string[]) => void = () => {};
  const ended = new Promise<string[]>((resolve) => {
    end = resolve;
  });
  const stop = subscribe(
    { query: print(document), variables: { ...variables } },
    {
      next({ data, errors }) {
        if (errors !== undefined) note(errors);
        if (data != null) changes.put((data as StockWatchSubscription).stockChanged);
      },
      error(error) {
        note(Array.isArray(error) ? error : [error]);
        end(codes);
      },
      complete: () => end(codes),
    },
  );
  cleanups.push(stop);
  return { changes, ended, stop };
}

const overWebSocket: Transport = (shop, variables = {}) => {
  const client = createWsClient({ url: shop.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  cleanups.push(() => client.dispose());
  return watchWith((payload, sink) => client.subscribe(payload, sink), StockWatch, variables);
};

const overSse: Transport = (shop, variables = {}) => {
  const client = createSseClient({ url: `${shop.url}/graphql`, retryAttempts: 0 });
  cleanups.push(() => client.dispose());
  return watchWith((payload, sink) => client.subscribe(payload, sink), StockWatch, variables);
};

const transports: [string, Transport][] = [
  ['WebSocket', overWebSocket],
  ['SSE', overSse],
];

/** Subscribes, and waits until the shop has it: what happens from now on is seen, and nothing of before. */
async function watching(shop: TestShop, watch: () => Watch): Promise<Watch> {
  await settled(shop);
  const before = listenersOf(shop);
  const opened = watch();
  await until('the subscription stands', () => listenersOf(shop) === before + 1);
  return opened;
}

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  await until('every subscription is let go', () => listenersOf(shop) === 0);
});

/** The first variant of a product of its own. */
async function makeVariant(options: { onHand?: number; status?: 'DRAFT' | 'ACTIVE' | 'ARCHIVED'; in?: TestShop } = {}) {
  const { onHand = 10, status = 'ACTIVE', in: where = shop } = options;
  const product = await makeProduct(where.app, { status, variants: [{ onHand }] });
  return { product, ...first(product) };
}

function first({ variants }: MadeProduct): MadeProduct['variants'][number] {
  const [variant] = variants;
  if (variant === undefined) throw new Error('a product without variants');
  return variant;
}

/** Moves a variant's level, as one transaction of steps of `delta` each. */
async function move(where: TestShop, variantId: string, delta: number, steps = 1): Promise<void> {
  const { db, services } = where.app;
  await db.transaction(async (tx) => {
    const at = await services.inventory.lock(tx, [variantId]);
    const reason = delta > 0 ? 'RESTOCK' : 'DAMAGE';
    const step = { variantId, reason, onHandDelta: delta } as const;
    await services.inventory.apply(
      tx,
      at,
      Array.from({ length: steps }, () => step),
    );
  });
}

function seqOf({ cursor }: Pick<Change, 'cursor'>): number {
  const place = decodeCursor(cursor);
  if (place === null) throw new Error(`no cursor: ${cursor}`);
  return place.seq;
}

describe.each(transports)('over %s', (_name, watch) => {
  test('a change comes with its place, its time, the level that it left and the level before', async () => {
    const variant = await makeVariant({ onHand: 10 });
    const { changes } = await watching(shop, () => watch(shop, { variantIds: [variant.globalId] }));
    await move(shop, variant.id, -3);
    const change = await changes.take();
    const [row] = await shop.db.query<{ seq: bigint; occurredAt: Date; epoch: string }>(
      {
        name: 'test_last_event',
        text: `SELECT seq, occurred_at AS "occurredAt", epoch FROM event_log, event_sequence WHERE subject_id = $1 ORDER BY id DESC LIMIT 1`,
      },
      [variant.id],
    );
    expect(change).toEqual({
      cursor: encodeCursor({ epoch: row?.epoch ?? '', seq: Number(row?.seq) }),
      occurredAt: row?.occurredAt.toISOString(),
      available: 7,
      previousAvailable: 10,
      variant: { id: variant.globalId, available: 7 },
    });
  });

  test('the variant is read anew for each event of a subscription that lives long', async () => {
    const variant = await makeVariant({ onHand: 50 });
    const { changes } = await watching(shop, () => watch(shop, { variantIds: [variant.globalId] }));
    for (const delta of [-1, -4, 10, -7, 2]) {
      await move(shop, variant.id, delta);
      const change = await changes.take();
      expect(change.variant.available).toBe(change.available);
      expect(change.available).toBe(change.previousAvailable + delta);
    }
  });

  test('only what was asked for: left out is all, an empty list is none, both lists are the union', async () => {
    const a = await makeProduct(shop.app, { variants: [{}, {}] });
    const b = await makeProduct(shop.app, { variants: [{}] });
    const c = await makeProduct(shop.app, { variants: [{}] });
    const [a1, a2] = a.variants.map((variant) => variant.globalId) as [string, string];
    const [b1, c1] = [first(b).globalId, first(c).globalId];
    const cases: { ask: StockWatchSubscriptionVariables; get: string[] }[] = [
      { ask: {}, get: [a1, a2, b1, c1] },
      { ask: { variantIds: null, productIds: null }, get: [a1, a2, b1, c1] },
      { ask: { variantIds: [], productIds: [] }, get: [] },
      { ask: { variantIds: [] }, get: [] },
      { ask: { productIds: [] }, get: [] },
      { ask: { variantIds: null, productIds: [] }, get: [] },
      { ask: { variantIds: [a1] }, get: [a1] },
      { ask: { productIds: [a.globalId] }, get: [a1, a2] },
      { ask: { variantIds: null, productIds: [b.globalId] }, get: [b1] },
      { ask: { variantIds: [], productIds: [b.globalId] }, get: [b1] },
      { ask: { variantIds: [a2], productIds: [b.globalId] }, get: [a2, b1] },
      { ask: { variantIds: [a1], productIds: [a.globalId] }, get: [a1, a2] },
      // Of nothing that is there: nothing comes, and that is no fault.
      { ask: { variantIds: [globalId('ProductVariant', uuid())] }, get: [] },
      {
        ask: {
          variantIds: Array.from({ length: 100 }, () => a1),
          productIds: Array.from({ length: 100 }, () => c.globalId),
        },
        get: [a1, c1],
      },
    ];
    const watches: Watch[] = [];
    for (const { ask } of cases) watches.push(await watching(shop, () => watch(shop, ask)));
    for (const { id } of [...a.variants, ...b.variants, ...c.variants]) await move(shop, id, 1);

    for (const [index, { get }] of cases.entries()) {
      const got: string[] = [];
      while (got.length < get.length) got.push((await watches[index]?.changes.take())?.variant.id ?? '');
      expect(got, `case ${index}`).toEqual(get);
    }
    // What was still on its way to anyone has come when those who get everything have got two events more.
    const last = await makeVariant();
    await move(shop, last.id, 1);
    const wide = watches.filter((_, index) => cases[index]?.get.length === 4);
    await until('they have come', () => wide.every(({ changes }) => changes.left.length === 2));
    for (const other of watches) if (!wide.includes(other)) expect([...other.changes.left]).toEqual([]);
  });

  test('products that are not ACTIVE and archived variants make no events for shoppers, also if asked for', async () => {
    const draft = await makeVariant({ status: 'DRAFT' });
    const archived = await makeVariant({ status: 'ARCHIVED' });
    const retired = await makeVariant();
    await archiveVariant(shop.app, retired.id);
    const active = await makeVariant();
    const variantIds = [draft.globalId, archived.globalId, retired.globalId, active.globalId];
    const byVariant = await watching(shop, () => watch(shop, { variantIds }));
    const all = await watching(shop, () => watch(shop));
    for (const variant of [draft, archived, retired, active]) await move(shop, variant.id, 5);
    expect((await byVariant.changes.take()).variant.id).toBe(active.globalId);
    expect((await all.changes.take()).variant.id).toBe(active.globalId);

    // From when it may be seen.
    await shop.db.query({ name: 'test_publish', text: `UPDATE products SET status = 'ACTIVE' WHERE id = $1` }, [
      draft.product.id,
    ]);
    await move(shop, draft.id, 1);
    expect(await byVariant.changes.take()).toMatchObject({
      available: 16,
      previousAvailable: 15,
      variant: { id: draft.globalId },
    });
    expect([...byVariant.changes.left]).toEqual([]);
  });

  test('putting in a cart changes the level; checking out what is held does not', async () => {
    const variant = await makeVariant({ onHand: 10 });
    const { changes } = await watching(shop, () => watch(shop, { variantIds: [variant.globalId] }));
    const buyer = shop.client({ cookies: true });
    const added = await buyer.data(StockCartAdd, { lines: [{ sku: variant.sku, quantity: 4 }] });
    expect(added.cartLinesAdd?.errors).toEqual([]);
    const order = await buyer.data(StockCheckout, {
      input: {
        idempotencyKey: uuid(),
        email: 'bee@example.org',
        shippingAddress: { name: 'B', line1: '1 Hive Lane', city: 'Honeyton', postalCode: '12345', countryCode: 'DE' },
      },
    });
    expect(order.checkout).toMatchObject({ errors: [], order: {} });
    expect(await levelOf(shop.app, variant.id)).toEqual({ onHand: 6, held: 0, available: 6 });
    await move(shop, variant.id, 1);
    expect(await changes.take()).toMatchObject({ previousAvailable: 10, available: 6 });
    expect(await changes.take()).toMatchObject({ previousAvailable: 6, available: 7 });
  });

  test('leaving leaves nothing behind', async () => {
    const variant = await makeVariant();
    const watches: Watch[] = [];
    for (let count = 1; count <= 5; count += 1) {
      watches.push(await watching(shop, () => watch(shop, { variantIds: [variant.globalId] })));
    }
    const staying = watches.pop();
    for (const { stop } of watches) stop();
    await until('they are let go', () => listenersOf(shop) === 1);
    await move(shop, variant.id, 1);
    expect(await staying?.changes.take()).toMatchObject({ available: 11 });
    for (const { changes } of watches) expect([...changes.left]).toEqual([]);
  });

  test('a subscriber that does not keep up gets LAGGED and is disconnected', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow = await createApiNode({
      overrides: {
        services: (real) => ({
          ...real,
          catalog: { ...real.catalog, isVisible: (id) => gate.then(() => real.catalog.isVisible(id)) },
        }),
      },
    });
    try {
      const variant = await makeVariant({ in: slow });
      const { changes, ended } = await watching(slow, () => watch(slow, { variantIds: [variant.globalId] }));
      await move(slow, variant.id, 1, 1002);
      await until('it has lost the feed', () => listenersOf(slow) === 0);
      open();
      expect(await ended).toEqual(['LAGGED']);
      // What it was waiting for it may still get; nothing out of order.
      expect([[], [11]]).toContainEqual(changes.left.map((change) => change.available));
    } finally {
      await slow.dispose();
    }
  });
});

const bad: [string, Record<string, unknown>, string][] = [
  ['101 variants', { variantIds: Array.from({ length: 101 }, () => globalId('ProductVariant', uuid())) }, 'variantIds'],
  ['101 products', { productIds: Array.from({ length: 101 }, () => globalId('Product', uuid())) }, 'productIds'],
  ['garbage', { variantIds: ['nonsense'] }, 'variantIds'],
  ['an empty ID', { variantIds: [''] }, 'variantIds'],
  ["a product's ID for a variant's", { variantIds: [globalId('Product', uuid())] }, 'variantIds'],
  ["a variant's ID for a product's", { productIds: [globalId('ProductVariant', uuid())] }, 'productIds'],
  ['no UUID', { productIds: [globalId('Product', '1')] }, 'productIds'],
  ['one bad one among good ones', { productIds: [globalId('Product', uuid()), 'x'] }, 'productIds'],
  ['an endless one', { productIds: ['x'.repeat(5_000)] }, 'productIds'],
];

describe.each(bad)('asking for %s is a BAD_REQUEST before anything starts', (_what, variables, argument) => {
  const fault = {
    message: expect.stringContaining(`\`${argument}\``) as string,
    path: ['stockChanged'],
    extensions: { code: 'BAD_REQUEST' },
  };

  test('over WebSocket: next with errors, then complete; the socket stays', async () => {
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    socket.subscribe('bad', print(StockWatch), variables);
    expect(await socket.messages.take()).toMatchObject({ type: 'next', id: 'bad', payload: { errors: [fault] } });
    expect(await socket.messages.take()).toEqual({ type: 'complete', id: 'bad' });
    expect(listenersOf(shop)).toBe(0);
    socket.subscribe('good', '{ shop { name } }');
    expect(await socket.messages.take()).toMatchObject({ type: 'next', id: 'good' });
    await socket.close();
  });

  test('over SSE: next with errors, then complete', async () => {
    const literal = Object.entries(variables).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    const stream = await openEventStream(shop.url, `subscription { stockChanged(${literal.join()}) { cursor } }`);
    const { event, data } = await stream.events.take();
    expect({ event, errors: data?.errors }).toMatchObject({ event: 'next', errors: [fault] });
    expect(data?.data ?? null).toBeNull();
    expect(await stream.events.take()).toMatchObject({ event: 'complete' });
    expect(await stream.ended).toBe(true);
    expect(listenersOf(shop)).toBe(0);
  });
});

test('a socket that is torn down, and one that closes, leave nothing behind', async () => {
  const variant = await makeVariant();
  const torn = await openSocket(shop.wsUrl);
  const closing = await openSocket(shop.wsUrl);
  for (const socket of [torn, closing]) {
    await socket.init();
    for (const id of ['1', '2', '3']) socket.subscribe(id, print(StockWatch), { variantIds: [variant.globalId] });
  }
  await until('all subscriptions stand', () => listenersOf(shop) === 6);
  torn.raw.terminate();
  await until('three are let go', () => listenersOf(shop) <= 3);
  await move(shop, variant.id, 1);
  const ids = [await closing.messages.take(), await closing.messages.take(), await closing.messages.take()].map(
    ({ id }) => id,
  );
  expect(new Set(ids)).toEqual(new Set(['1', '2', '3']));
  await closing.close();
  await until('all are let go', () => listenersOf(shop) === 0);
});

test('80 concurrent changes of one variant: to every subscriber in one order, each from the level that the last one left', async () => {
  const variant = await makeVariant({ onHand: 1000 });
  const other = await makeVariant({ onHand: 1000 });
  const watches: Watch[] = [];
  for (const [, watch] of [...transports, ...transports]) {
    watches.push(await watching(shop, () => watch(shop, { variantIds: [variant.globalId] })));
  }
  const buyers = Array.from({ length: 10 }, () => shop.client({ cookies: true }));
  await Promise.all([
    ...buyers.map(async (buyer) => {
      for (let count = 0; count < 4; count += 1) {
        const { cartLinesAdd } = await buyer.data(StockCartAdd, {
          lines: [
            { sku: variant.sku, quantity: 1 + (count % 3) },
            { sku: other.sku, quantity: 1 },
          ],
        });
        expect(cartLinesAdd?.errors).toEqual([]);
      }
    }),
    ...Array.from({ length: 40 }, (_, index) => move(shop, variant.id, index % 2 === 0 ? 2 : -1)),
  ]);

  const received = await Promise.all(
    watches.map(async ({ changes }) => {
      const all: Change[] = [];
      while (all.length < 80) all.push(await changes.take());
      return all;
    }),
  );
  const [reference = []] = received;
  let level = 1000;
  let seq = 0;
  for (const change of reference) {
    expect(change.previousAvailable).toBe(level);
    expect(seqOf(change)).toBeGreaterThan(seq);
    level = change.available;
    seq = seqOf(change);
  }
  expect((await levelOf(shop.app, variant.id)).available).toBe(level);
  const plain = (changes: Change[]) => changes.map(({ variant: _newer, ...change }) => change);
  for (const changes of received) expect(plain(changes)).toEqual(plain(reference));
  for (const { changes } of watches) expect([...changes.left]).toEqual([]);
});

describe('changes that another process makes', () => {
  test('come by themselves, in order with our own', async () => {
    const database = await createTestDatabase();
    const [here, there] = [await createApiNode({ database }), await createApiNode({ database })];
    try {
      const variant = await makeVariant({ onHand: 10, in: there });
      const { changes } = await watching(here, () => overWebSocket(here, { variantIds: [variant.globalId] }));
      await move(there, variant.id, -1);
      const change = await changes.take();
      expect(change).toMatchObject({ available: 9, previousAvailable: 10 });

      await Promise.all([here, there, here, there, here, there].map((where) => move(where, variant.id, -1)));
      for (const available of [8, 7, 6, 5, 4, 3]) {
        expect(await changes.take()).toMatchObject({ available, previousAvailable: available + 1 });
      }
    } finally {
      await Promise.all([here.dispose(), there.dispose()]);
      await database.dispose();
    }
  });

  test('`npm run carts:expire` releases units, and subscribers receive the levels', async () => {
    const database = await createTestDatabase();
    const none = () => Promise.resolve({ carts: 0, units: 0 });
    const here = await createApiNode({
      database,
      // The shop's own timer must not be faster.
      overrides: { services: (real) => ({ ...real, cart: { ...real.cart, expireOverdue: none } }) },
    });
    try {
      const variant = await makeVariant({ onHand: 10, in: here });
      await here.client().data(StockCartAdd, { lines: [{ sku: variant.sku, quantity: 3 }] });
      await makeOverdue(here.app);
      const { changes } = await watching(here, () => overSse(here, { variantIds: [variant.globalId] }));
      expect(await runCommand('carts-expire', { DATABASE_URL: database.url, DATA_DIR: here.config.dataDir })).toEqual({
        code: 0,
        output: 'Expired 1 cart; returned 3 units to stock.\n',
      });
      const change = await changes.take();
      expect(change).toMatchObject({ available: 10, previousAvailable: 7 });
    } finally {
      await here.dispose();
      await database.dispose();
    }
  });
});

/** Runs a command of the shop's in a process of its own. */
async function runCommand(name: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const root = join(import.meta.dirname, '..', '..');
  const child = spawn(process.execPath, nodeArguments(`src/commands/${name}.ts`), {
    cwd: root,
    env: { PATH: process.env.PATH, JWT_SECRET: 'a secret of tests that is long enough', SEED: 'none', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { code, output };
}

describe('eventCursor', () => {
  test('is taken before anything else of the operation is read, from a fragment and under an alias as well', async () => {
    let change = () => Promise.resolve();
    const watched = await createApiNode({
      overrides: {
        services: (real) => ({
          ...real,
          catalog: {
            ...real.catalog,
            async productsByIds(ids) {
              // Changed, committed and numbered before the product is read: it must be in the answer, and after the cursor.
              await change();
              return real.catalog.productsByIds(ids);
            },
          },
        }),
      },
    });
    try {
      const variant = await makeVariant({ in: watched });
      await watched.app.relay.flush();
      change = async () => {
        change = () => Promise.resolve();
        await move(watched, variant.id, 1);
        await watched.app.relay.flush();
      };
      const answer = await watched.client().data(StockSnapshot, { id: variant.product.globalId });
      expect(answer.product?.variants).toEqual([{ available: 11 }]);
      const [row] = await watched.db.query<{ seq: bigint }>(
        { name: 'test_max_seq', text: 'SELECT max(seq) AS seq FROM event_log WHERE subject_id = $1' },
        [variant.id],
      );
      expect(seqOf({ cursor: answer.seen })).toBe(Number(row?.seq) - 1);
    } finally {
      await watched.dispose();
    }
  });

  test('whatever is read beside it is as new as the cursor or newer, while the level changes all the time', async () => {
    const variant = await makeVariant({ onHand: 1 });
    const { changes } = await watching(shop, () => overWebSocket(shop, { variantIds: [variant.globalId] }));
    await using writing = meanwhile(() => move(shop, variant.id, 1));
    const answers: { cursor: number; level: number }[] = [];
    const client = shop.client();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let count = 0; count < 25; count += 1) {
          const answer = await client.data(StockSnapshot, { id: variant.product.globalId });
          answers.push({ cursor: seqOf({ cursor: answer.seen }), level: answer.product?.variants[0]?.available ?? 0 });
        }
      }),
    );
    await writing.stop();
    const { available } = await levelOf(shop.app, variant.id);
    // Each level was there once, so it names the change that left it.
    const seqs = new Map<number, number>();
    while (!seqs.has(available)) {
      const change = await changes.take();
      seqs.set(change.available, seqOf(change));
    }
    expect(new Set(answers.map((answer) => answer.level)).size).toBeGreaterThan(10);
    for (const { cursor, level } of answers) {
      const next = seqs.get(level + 1);
      // The first change that the answer does not show comes after the cursor: who subscribes after it misses nothing.
      if (next !== undefined) expect(next).toBeGreaterThan(cursor);
    }
  });
});
