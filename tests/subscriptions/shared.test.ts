import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { decodeCursor } from '../../src/events/cursor.ts';
import { newPerson, newStaff, type Person } from '../support/accounts.ts';
import { makeProduct, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { listenersOf } from '../support/listeners.ts';
import { meanwhile } from '../support/meanwhile.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, shopperOf } from '../support/shopper.ts';
import { settled } from '../support/settled.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import { recordStatements } from '../support/statements.ts';
import { until } from '../support/until.ts';
import { watchNow } from '../support/watch.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

const state = () => known(shop.app.fanOut());

beforeEach(() => until('all are let go', () => state().subscribers === 0));

/** Moves a variant's level by one unit, so many times in one transaction. */
async function move(variantId: string, steps = 1): Promise<void> {
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
}

/** Sockets that are subscribed, all of them live. */
async function subscribeAll(
  count: number,
  query: string | ((index: number) => string),
  init: (index: number) => Record<string, unknown> = () => ({}),
  variables: (index: number) => Record<string, unknown> = () => ({}),
): Promise<TestSocket[]> {
  await settled(shop);
  const before = state().live;
  const sockets = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const socket = await openSocket(shop.wsUrl);
      await socket.init(init(index));
      onTestFinished(() => socket.close());
      socket.subscribe(`s${index}`, typeof query === 'string' ? query : query(index), variables(index));
      return socket;
    }),
  );
  await until('all are live', () => state().live === before + count);
  return sockets;
}

const closeAll = (sockets: readonly TestSocket[]) => Promise.all(sockets.map((socket) => socket.close()));

interface Payload {
  data: { stockChanged: { available: number; cursor?: string } };
}

const levelsOf = async (socket: TestSocket, count: number): Promise<number[]> => {
  const levels: number[] = [];
  while (levels.length < count) {
    const { type, payload } = await socket.messages.take();
    expect(type).toBe('next');
    levels.push((payload as unknown as Payload).data.stockChanged.available);
  }
  return levels;
};

describe('those who subscribed to the same', () => {
  test('cost one execution an event, whatever their operation ids, and get the frames that graphql-ws would send', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available variant { sku } } }`;
    const sockets = await subscribeAll(50, query);
    const before = state();
    expect(before).toMatchObject({ audiences: 1, live: 50, subscribers: 50 });
    await move(variant.id, 3);
    for (const [index, socket] of sockets.entries()) {
      expect(await socket.messages.take()).toEqual({
        id: `s${index}`,
        type: 'next',
        payload: { data: { stockChanged: { available: 6, variant: { sku: variant.sku } } } },
      });
      expect(await levelsOf(socket, 2)).toEqual([7, 8]);
    }
    expect(state().executions - before.executions).toBe(3);
    await closeAll(sockets);
    await until('they are let go', () => state().subscribers === 0);
    expect(state().audiences).toBe(0);
  });

  test('over SSE share as well, and with those on sockets', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available } }`;
    const sockets = await subscribeAll(3, query);
    // One after the other: each waits until one subscription more is live.
    const streams = [];
    for (let i = 0; i < 3; i += 1) streams.push(await watchNow<Payload['data']>(shop, 'SSE', query));
    const before = state();
    expect(before).toMatchObject({ audiences: 1, live: 6 });
    await move(variant.id);
    for (const { events } of streams) expect((await events.take()).stockChanged.available).toBe(6);
    for (const socket of sockets) expect(await levelsOf(socket, 1)).toEqual([6]);
    expect(state().executions - before.executions).toBe(1);
    await closeAll(sockets);
  });

  test('in twenty different ways cost twenty executions, and the events of a batch one set of loaders', async () => {
    const product = await makeProduct(shop, { variants: Array.from({ length: 5 }, () => ({ onHand: 1 })) });
    const queries = Array.from(
      { length: 20 },
      (_, index) =>
        `subscription { stockChanged(productIds: ["${product.globalId}"]) { a${index}: available variant { sku product { title } } } }`,
    );
    const sockets = await subscribeAll(20, (index) => known(queries[index]));
    expect(state()).toMatchObject({ audiences: 20, live: 20 });
    const before = state().executions;
    const { statements } = await recordStatements(async () => {
      const { db, services } = shop.app;
      await db.transaction(async (tx) => {
        const ids = product.variants.map((variant) => variant.id);
        const at = await services.inventory.lock(tx, ids);
        await services.inventory.apply(
          tx,
          at,
          ids.map((variantId) => ({ variantId, reason: 'RESTOCK', onHandDelta: 1 })),
        );
      });
      await until('all are executed', () => state().executions - before === 100);
      for (const socket of sockets) {
        for (let count = 0; count < 5; count += 1) await socket.messages.take();
      }
    });
    expect(state().executions - before).toBe(100);
    // Whether they may be seen, the variants, the product: once each for 100 executions.
    const reads = statements.filter((name) => name.startsWith('catalog_'));
    expect(reads.toSorted()).toEqual(['catalog_products_by_ids', 'catalog_variants_by_ids', 'catalog_variants_by_ids']);
    await closeAll(sockets);
  });

  test('and come back with differing cursors, share again once they are live', async () => {
    // Far from sold out and from running low: each step is one event.
    const variant = await makeVariant(shop, { onHand: 100 });
    await settled(shop);
    const { eventCursor } = await shop.client().data<{ eventCursor: string }>('{ eventCursor }');
    const { epoch, seq } = known(decodeCursor(eventCursor));
    await move(variant.id, 20);
    await settled(shop);
    const query = `subscription ($after: EventCursor) { stockChanged(variantIds: ["${variant.globalId}"], after: $after) { available } }`;
    const cursor = (index: number) => Buffer.from(`${epoch}.${seq + index}`).toString('base64url');
    const sockets = await subscribeAll(20, query, undefined, (index) => ({ after: cursor(index) }));
    expect(state()).toMatchObject({ audiences: 1, live: 20 });
    const before = state().executions;
    await move(variant.id, 2);
    for (const [index, socket] of sockets.entries()) {
      const levels = await levelsOf(socket, 22 - index);
      expect(levels).toEqual(Array.from({ length: 22 - index }, (_, at) => 100 + index + at + 1));
    }
    expect(state().executions - before).toBe(2);
    await closeAll(sockets);
  });

  test('keep one order while they come and go and writers commit', async () => {
    const variant = await makeVariant(shop, { onHand: 0 });
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available cursor } }`;
    await using writer = meanwhile(() => move(variant.id, 3));
    for (let round = 0; round < 5; round += 1) {
      const sockets = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const socket = await openSocket(shop.wsUrl);
          await socket.init();
          socket.subscribe(`${index}`, query);
          return socket;
        }),
      );
      for (const socket of sockets) {
        const levels = await levelsOf(socket, 30);
        // From whichever it began with, each follows the one before.
        expect(levels).toEqual(levels.map((_, at) => known(levels[0]) + at));
      }
      await closeAll(sockets);
    }
    await writer.stop();
  });
});

describe('no subscriber gets events of others', () => {
  test('two users and a guest with the same document each get their own cart, and share nothing', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const guest = await enter(shop);
    const variant = await makeVariant(shop, { onHand: 50 });
    const query = 'subscription { cartChanged { cart { id email token totalQuantity } } }';
    const viewers = [{ accessToken: ada.accessToken }, { accessToken: eve.accessToken }, { cartToken: guest.token }];
    const watched = [];
    for (const viewer of viewers) {
      watched.push(
        await watchNow<{ cartChanged: { cart: { email: string | null } } }>(shop, 'WebSocket', query, viewer),
      );
    }
    // Each owner is an audience of their own.
    expect(state()).toMatchObject({ audiences: 3, subscribers: 3 });
    const line = { variantId: variant.globalId };
    await shopperOf(ada.client).add({ ...line, quantity: 1 });
    await shopperOf(eve.client).add({ ...line, quantity: 2 });
    await guest.add({ ...line, quantity: 3 });
    const carts = [];
    for (const { events } of watched) carts.push((await events.take()).cartChanged.cart);
    expect(carts).toMatchObject([
      { email: ada.email, token: null, totalQuantity: 1 },
      { email: eve.email, token: null, totalQuantity: 2 },
      { email: null, token: guest.token, totalQuantity: 3 },
    ]);
    expect(watched.flatMap(({ events }) => events.left)).toEqual([]);
  });

  test('events for staff reach only staff, although the document is that of others', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const customer = await newPerson(shop);
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available variant { onHand } } }`;
    const init = [{}, { accessToken: customer.accessToken }, { accessToken: staff.accessToken }];
    const sockets = await subscribeAll(3, query, (index) => known(init[index]));
    // What each of the roles gets is another answer: nobody, customers, staff.
    expect(state().audiences).toBe(3);
    await move(variant.id);
    const answers = [];
    for (const socket of sockets) {
      const { payload } = await socket.messages.take();
      const data = payload?.data as { stockChanged: { variant: { onHand: number | null } } } | undefined;
      answers.push([known(data).stockChanged.variant.onHand, payload?.errors?.map((error) => error.extensions?.code)]);
    }
    expect(answers).toEqual([
      [null, ['UNAUTHENTICATED']],
      [null, ['FORBIDDEN']],
      [6, undefined],
    ]);
    await closeAll(sockets);
  });

  test('a variable that is a cursor in one operation of a document, and something else in another, separates subscribers', async () => {
    const [one, two] = [await makeVariant(shop, { onHand: 5 }), await makeVariant(shop, { onHand: 50 })];
    const document = `subscription A($x: EventCursor) { stockChanged(after: $x) { available } }
      subscription B($x: [ID!]) { stockChanged(variantIds: $x) { available } }`;
    await settled(shop);
    const before = listenersOf(shop);
    const sockets = await Promise.all(
      [one, two].map(async ({ globalId }) => {
        const socket = await openSocket(shop.wsUrl);
        await socket.init();
        onTestFinished(() => socket.close());
        socket.subscribe('1', document, { x: [globalId] }, 'B');
        return socket;
      }),
    );
    await until('both listen', () => listenersOf(shop) === before + 2);
    await move(one.id);
    await move(two.id);
    expect(await Promise.all(sockets.map((socket) => levelsOf(socket, 1)))).toEqual([[6], [51]]);
    await closeAll(sockets);
  });

  test('a document that reaches anything that is not declared to be the same for all is not shared', async () => {
    const variant = await makeVariant(shop, { onHand: 5 });
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available variant { stockMovements(first: 1) { nodes { actor { email } } } } } }`;
    const viewer = { accessToken: staff.accessToken };
    const { events } = await watchNow<Payload['data']>(shop, 'WebSocket', query, viewer);
    expect(state().audiences).toBe(0);
    await move(variant.id);
    expect((await events.take()).stockChanged.available).toBe(6);
  });
});

test('results of every length arrive as they are, whatever the id of the operation', async () => {
  const socket = await openSocket(shop.wsUrl);
  onTestFinished(() => socket.close());
  await socket.init();
  const id = 'Größe “1” \n 🛒';
  // A WebSocket has three ways to say how long a message is.
  for (const length of [0, 30, 1000, 65_000, 66_000, 200_000]) {
    const description = 'ä€🛒x'.repeat(length / 4);
    const product = await makeProduct(shop, { description, variants: [{ onHand: 1 }] });
    const variant = known(product.variants[0]);
    await settled(shop);
    const selection = length === 0 ? 'a: available' : 'variant { product { description } }';
    socket.subscribe(id, `subscription { s: stockChanged(variantIds: ["${variant.globalId}"]) { ${selection} } }`);
    await until('it is live', () => state().live === 1);
    await move(variant.id, 2);
    const payload = { data: { s: length === 0 ? { a: 2 } : { variant: { product: { description } } } } };
    expect(await socket.messages.take()).toEqual({ id, type: 'next', payload });
    const second = { data: { s: length === 0 ? { a: 3 } : { variant: { product: { description } } } } };
    expect(await socket.messages.take()).toEqual({ id, type: 'next', payload: second });
    socket.send({ id, type: 'complete' });
    await until('it is let go', () => state().subscribers === 0);
  }
});

describe('a subscriber that stops reading', () => {
  test('is ended with LAGGED, costs bounded memory, does not delay the others, and goes on after its last cursor', async () => {
    const product = await makeProduct(shop, { description: 'x'.repeat(20_000), variants: [{ onHand: 0 }] });
    const { id, globalId } = known(product.variants[0]);
    const query = `subscription ($after: EventCursor) { stockChanged(variantIds: ["${globalId}"], after: $after) { available cursor variant { product { description } } } }`;
    const [slow, quick] = await subscribeAll(2, query);
    known(slow).raw.pause();
    const total = 600; // 12 MB: more than a socket's buffers and the shop's patience take
    for (let sent = 0; sent < total; sent += 20) await move(id, 20);
    const levels = await levelsOf(known(quick), total);
    expect(levels).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    await until('the slow one is ended', () => state().live === 1);

    known(slow).raw.resume();
    const seen: Payload['data']['stockChanged'][] = [];
    let end: string[] | undefined;
    while (end === undefined) {
      const { type, payload } = await known(slow).messages.take();
      if (type === 'next') seen.push((payload as unknown as Payload).data.stockChanged);
      else end = (payload as unknown as { extensions: { code: string } }[]).map((error) => error.extensions.code);
    }
    expect(end).toEqual(['LAGGED']);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThan(total);
    known(slow).subscribe('again', query, { after: known(seen.at(-1)).cursor });
    const rest = await levelsOf(known(slow), total - seen.length);
    expect([...seen.map(({ available }) => available), ...rest]).toEqual(levels);
    await closeAll([known(slow), known(quick)]);
  });
});

test('an event that cannot be executed ends its shared subscriptions with an error, and is not skipped', async () => {
  const variant = await makeVariant(shop, { onHand: 5 });
  const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available } }`;
  const { catalog } = shop.app.live.services;
  const { isVisible } = catalog;
  const watched = await watchNow<Payload['data']>(shop, 'WebSocket', query);
  catalog.isVisible = () => Promise.reject(new Error('no database'));
  try {
    await move(variant.id);
    expect(await watched.ended).toEqual(['INTERNAL_SERVER_ERROR']);
  } finally {
    catalog.isVisible = isVisible;
  }
});

test('an error that was not meant for anyone outside is masked for all, with nothing but its code and the request id', async () => {
  const variant = await makeVariant(shop, { onHand: 5 });
  const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available variant { sku } } }`;
  const sockets = await subscribeAll(2, query);
  const { catalog } = shop.app.live.services;
  const { variantsByIds } = catalog;
  catalog.variantsByIds = () => Promise.reject(new Error('no database'));
  try {
    await move(variant.id);
    for (const socket of sockets) {
      const { payload } = await socket.messages.take();
      expect(payload?.errors?.map(({ extensions }) => extensions)).toEqual([
        { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) as string },
      ]);
    }
  } finally {
    catalog.variantsByIds = variantsByIds;
  }
});
