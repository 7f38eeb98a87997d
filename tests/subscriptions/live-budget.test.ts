import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import { callerFrom, createThrottledShop, newAddress } from '../support/throttling.ts';
import { until } from '../support/until.ts';

const ADD = `mutation ($sku: String!) { cartLinesAdd(input: { lines: [{ sku: $sku, quantity: 1 }] }) {
  cart { token } errors { code } } }`;

/** One execution for each who subscribes to it, as the cart is the viewer's own. */
const cart = (name: string) => `subscription { ${name}: cartChanged { kind cart { id totalQuantity } } }`;
/** Executed once for all who subscribe to it under the same name. */
const stock = (name: string) => `subscription { ${name}: stockChanged { available variant { sku } } }`;

// Behind a proxy nobody reads the metrics without it.
const METRICS_TOKEN = 'a-token-for-prometheus';

let shop: TestShop;
beforeAll(async () => {
  const presence = { liveCostByClient: 40, liveCostByNode: 100 };
  shop = await createThrottledShop({}, { overrides: { throttling: { presence } }, env: { METRICS_TOKEN } });
});
afterAll(() => shop.dispose());

async function socketFrom(at: TestShop, address: string, params: Record<string, unknown> = {}): Promise<TestSocket> {
  const socket = await openSocket(at.wsUrl, { headers: { 'x-forwarded-for': address } });
  onTestFinished(() => socket.raw.terminate());
  await socket.init(params);
  return socket;
}

async function guest(at: TestShop, address: string, sku: string): Promise<string> {
  const answer = await callerFrom(at, address).data<{ cartLinesAdd: { cart: { token: string } } }>(ADD, { sku });
  return answer.cartLinesAdd.cart.token;
}

/** The codes with which it is refused; empty where it runs. */
async function subscribed(socket: TestSocket, id: string, query: string, at = shop): Promise<string[]> {
  const before = at.app.subscriptions();
  socket.subscribe(id, query);
  const codes = await until('it runs or is refused', async () => {
    if (at.app.subscriptions() > before) return [];
    if (socket.messages.left.length === 0) return null;
    const { payload } = await socket.messages.take();
    await socket.messages.take();
    return payload?.errors?.map(({ extensions }) => String(extensions?.['code'])) ?? ['?'];
  });
  return known(codes);
}

/** Subscribes to one after the other until one is refused. @returns how many run, and the refusal */
async function fill(socket: TestSocket, query: (name: string) => string): Promise<[number, string[]]> {
  for (let count = 0; count < 50; count += 1) {
    const codes = await subscribed(socket, `${query('')}${count}`, query(`a${count}`));
    if (codes.length > 0) return [count, codes];
  }
  throw new Error('there is no limit');
}

const idle = () => until('nobody subscribes', () => shop.app.subscriptions() === 0);

describe('what a network subscribes to has a budget', () => {
  test('where each is executed alone', async () => {
    const address = newAddress();
    const { sku } = await makeVariant({ ...shop, eventLog: shop.app.eventLog }, { onHand: 100 });
    const cartToken = await guest(shop, address, sku);
    const [one, two] = [await socketFrom(shop, address, { cartToken }), await socketFrom(shop, address, { cartToken })];
    const [count, codes] = await fill(one, cart);
    expect(count).toBeGreaterThan(1);
    expect(codes).toEqual(['RATE_LIMITED']);
    // Sockets of one network share it; another network has its own.
    expect(await subscribed(two, 'x', cart('x'))).toEqual(['RATE_LIMITED']);
    const elsewhere = await socketFrom(shop, newAddress(), { cartToken });
    expect(await subscribed(elsewhere, 'x', cart('x'))).toEqual([]);
    // What ends is given back.
    one.send({ type: 'complete', id: `${cart('')}0` });
    await until('one is gone', () => shop.app.subscriptions() === count);
    expect(await subscribed(two, 'y', cart('y'))).toEqual([]);
    for (const socket of [one, two, elsewhere]) await socket.close();
    await idle();
  });

  test('where an answer is shared it is paid once, and each different one for itself', async () => {
    const socket = await socketFrom(shop, newAddress());
    for (let i = 0; i < 30; i += 1) expect(await subscribed(socket, `same${i}`, stock('same'))).toEqual([]);
    const [count, codes] = await fill(socket, stock);
    expect(count).toBeGreaterThan(1);
    expect(codes).toEqual(['RATE_LIMITED']);
    expect(await subscribed(socket, 'another of the same', stock('same'))).toEqual([]);
    await socket.close();
    await idle();
    const next = await socketFrom(shop, newAddress());
    expect((await fill(next, stock))[0]).toBe(count + 1);
    await next.close();
    await idle();
  });

  test('over SSE, too', async () => {
    const from = { 'x-forwarded-for': newAddress(), accept: 'text/event-stream' };
    const controller = new AbortController();
    const codes: string[] = [];
    for (let i = 0; i < 50 && codes.length === 0; i += 1) {
      const address = `${shop.url}/graphql?query=${encodeURIComponent(stock(`b${i}`))}`;
      const before = shop.app.subscriptions();
      const response = await fetch(address, { headers: from, signal: controller.signal });
      const reader = response.body?.getReader();
      const text = reader?.read().then(
        ({ value }) => Buffer.from(value ?? []).toString(),
        () => '',
      );
      let said = '';
      void text?.then((got) => (said = got));
      await until('it runs or is refused', () => shop.app.subscriptions() > before || said.includes('RATE_LIMITED'));
      if (said.includes('RATE_LIMITED')) codes.push('RATE_LIMITED');
    }
    expect(codes).toEqual(['RATE_LIMITED']);
    controller.abort();
    await idle();
  });

  test('and so has the node', async () => {
    const sockets: TestSocket[] = [];
    const codes: string[][] = [];
    for (let i = 0; i < 20 && codes.at(-1)?.length !== 0; i += 1) {
      const socket = await socketFrom(shop, newAddress());
      sockets.push(socket);
      const [count, refusal] = await fill(socket, (name) => stock(`${name}_${i}`));
      if (count === 0) {
        codes.push(refusal);
        break;
      }
    }
    expect(codes).toEqual([['RATE_LIMITED']]);
    for (const socket of sockets) await socket.close();
    await idle();
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    const { body } = await shop.request({ path: '/metrics', headers });
    expect(body).toMatch(/^vitrine_presence_refused_total\{limit="liveCostByNode"\} [1-9]/m);
  });
});

test('an event may cost far less than a query', async () => {
  const open = await createApiNode();
  onTestFinished(() => open.dispose());
  const query = (first: number) =>
    `stockChanged { variant { product { category { products(first: ${first}) { nodes { title slug vendor variants { sku title available price { amount currencyCode } } } } } } } }`;
  const socket = await openSocket(open.wsUrl);
  await socket.init();
  socket.subscribe('1', `subscription { ${query(100)} }`);
  expect(await socket.messages.take()).toMatchObject({ payload: { errors: [{ extensions: { code: 'TOO_COSTLY' } }] } });
  await socket.messages.take();
  expect(await subscribed(socket, '2', `subscription { ${query(5)} }`, open)).toEqual([]);
  await socket.close();
});

test('requests, and what runs by itself, do not wait for events whose execution is stuck', async () => {
  const own = await createApiNode({ env: { DATABASE_POOL_SIZE: '8' } });
  onTestFinished(() => own.dispose());
  const { sku } = await makeVariant({ ...own, eventLog: own.app.eventLog }, { onHand: 100 });
  const buyer = own.client();
  const { cartLinesAdd } = await buyer.data<{ cartLinesAdd: { cart: { token: string } } }>(ADD, { sku });
  const cartToken = cartLinesAdd.cart.token;
  await settled(own);
  const socket = await openSocket(own.wsUrl);
  await socket.init({ cartToken });
  const many = 20;
  // Each reads the shop's categories with each event, which nobody else here does.
  const query = (i: number) =>
    `subscription { a${i}: cartChanged { cart { lines { variant { product { category { name } } } } } } }`;
  for (let i = 0; i < many; i += 1) expect(await subscribed(socket, String(i), query(i), own)).toEqual([]);
  await own.db.query({
    name: 'put_in_category',
    text: `WITH c AS (INSERT INTO categories (id, slug, name) VALUES (gen_random_uuid(), 'c', 'C') RETURNING id) UPDATE products SET category_id = (SELECT id FROM c)`,
  });
  await using locks = await watchLocks(own.db);
  const barrier = await holdBarrier(own.db, 'LOCK TABLE categories IN ACCESS EXCLUSIVE MODE');
  buyer.use(cartToken);
  await buyer.data(ADD, { sku });
  await until('events are stuck', async () => (await locks.waiters()).length > 0);
  // More than the pool has, one after the other and together.
  for (let i = 0; i < 3; i += 1) await buyer.data(ADD, { sku });
  await Promise.all(Array.from({ length: 10 }, () => own.client().data('{ products(first: 1) { totalCount } }')));
  expect(await own.app.services.cart.expireOverdue()).toBeDefined();
  expect((await own.request({ path: '/health/ready' })).status).toBe(200);
  await until('nobody waits for a connection', () => own.db.poolState().waiting === 0);
  await barrier.release();
  // And the events come all the same.
  for (let i = 0; i < many * 4; i += 1) expect((await socket.messages.take()).type).toBe('next');
  await socket.close();
});
