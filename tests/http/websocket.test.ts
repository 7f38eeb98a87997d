import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createWebSockets } from '../../src/graphql/live/websocket.ts';
import { makeProduct } from '../support/fixtures.ts';
import { recordLogs } from '../support/logs.ts';
import { settled } from '../support/settled.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import { until } from '../support/until.ts';

let shop: TestShop;
let silent: TestSocket;
beforeAll(async () => {
  shop = await createApiNode();
  silent = await openSocket(shop.wsUrl);
});
afterAll(() => shop.dispose());

const WATCH = 'subscription { stockChanged { available previousAvailable variant { sku available } } }';
const NAME = { data: { shop: { name: 'Vitrine' } } };

async function opened(params?: Record<string, unknown>, headers: Record<string, string> = {}): Promise<TestSocket> {
  const socket = await openSocket(shop.wsUrl, { headers });
  await socket.init(params);
  return socket;
}

async function sell(sku: string, quantity = 1): Promise<void> {
  await shop
    .client()
    .data('mutation ($lines: [CartLineInput!]!) { cartLinesAdd(input: { lines: $lines }) { errors { code } } }', {
      lines: [{ sku, quantity }],
    });
}

describe('operations', () => {
  test('queries are answered', async () => {
    const socket = await opened();
    socket.subscribe('q', '{ shop { name } }');
    expect(await socket.messages.take()).toEqual({ type: 'next', id: 'q', payload: NAME });
    expect(await socket.messages.take()).toEqual({ type: 'complete', id: 'q' });
    await socket.close();
  });

  test('mutations are refused, and nothing changes', async () => {
    const before = await shop.db.query({ name: 'all_carts', text: 'SELECT id FROM carts' });
    const socket = await opened();
    socket.subscribe('m', 'mutation { cartCreate { cart { id } } }');
    expect(await socket.messages.take()).toEqual({
      type: 'error',
      id: 'm',
      payload: [
        {
          message: 'Mutations are not supported over WebSocket. Send them over HTTP.',
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    });
    await socket.close();
    expect(await shop.db.query({ name: 'all_carts', text: 'SELECT id FROM carts' })).toEqual(before);
  });

  test.each([
    ['no document', '{ shop ', undefined, 'GRAPHQL_PARSE_FAILED'],
    ['a document that does not fit', '{ shoop }', undefined, 'GRAPHQL_VALIDATION_FAILED'],
    ['a name that there is not', 'query A { __typename }', 'B', 'BAD_REQUEST'],
  ])('%s is an error of its own operation', async (_name, query, operationName, code) => {
    const socket = await opened();
    socket.subscribe('x', query, {}, operationName);
    const message = await socket.messages.take();
    expect(message).toMatchObject({ type: 'error', id: 'x', payload: [{ extensions: { code } }] });
    expect(Object.keys((message.payload as never)[0]['extensions'])).toEqual(['code']);
    await socket.close();
  });

  test('wrong variables are errors before the start', async () => {
    const socket = await opened();
    socket.subscribe('x', 'query ($n: Int!) { products(first: $n) { totalCount } }', { n: 'x' });
    expect(await socket.messages.take()).toMatchObject({
      type: 'next',
      payload: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    });
    expect(await socket.messages.take()).toEqual({ type: 'complete', id: 'x' });
    await socket.close();
  });

  test('what each event shows is read anew', async () => {
    const product = await makeProduct(shop.app, { variants: [{ sku: 'FRESH', onHand: 10 }] });
    await settled(shop);
    const socket = await opened();
    const subscribed = vi.spyOn(shop.app.feed ?? expect.fail(), 'subscribe');
    socket.subscribe('s', WATCH);
    await until('the subscription listens', () => subscribed.mock.calls.length > 0);
    for (const left of [9, 8, 7]) {
      await sell(product.variants[0]?.sku ?? '');
      expect(await socket.messages.take()).toMatchObject({
        payload: {
          data: { stockChanged: { available: left, previousAvailable: left + 1, variant: { available: left } } },
        },
      });
    }
    subscribed.mockRestore();
    await socket.close();
  });

  test.each(['closed', 'cut off', 'sent a complete message'])(
    'a subscription ends when its socket is %s',
    async (how) => {
      const feed = shop.app.feed ?? expect.fail();
      let listening = 0;
      const { subscribe } = feed;
      const spy = vi.spyOn(feed, 'subscribe').mockImplementation((listener) => {
        const unsubscribe = subscribe(listener);
        listening += 1;
        let ended = false;
        return () => {
          if (!ended) listening -= 1;
          ended = true;
          unsubscribe();
        };
      });
      const socket = await opened();
      socket.subscribe('s', WATCH);
      await until('the subscription listens', () => listening === 1);
      if (how === 'closed') socket.raw.close();
      else if (how === 'cut off') socket.raw.terminate();
      else socket.send({ type: 'complete', id: 's' });
      await until('nobody listens any more', () => listening === 0);
      spy.mockRestore();
      await socket.close();
    },
  );
});

describe('a socket', () => {
  test('runs so many operations at a time and no more; one that ends makes room', async () => {
    const socket = await opened();
    for (let i = 1; i <= 100; i += 1) socket.subscribe(`s${i}`, WATCH);
    socket.subscribe('beyond', WATCH);
    expect(await socket.messages.take()).toEqual({
      type: 'error',
      id: 'beyond',
      payload: [
        { message: 'A WebSocket can run at most 100 operations at a time.', extensions: { code: 'TOO_COSTLY' } },
      ],
    });
    socket.send({ type: 'complete', id: 's50' });
    socket.subscribe('room', '{ shop { name } }');
    expect(await socket.messages.take()).toEqual({ type: 'next', id: 'room', payload: NAME });
    await socket.close();
  });

  test('that speaks another protocol is closed', async () => {
    const { closed } = await openSocket(shop.wsUrl, { protocols: [] });
    expect(await closed).toEqual({ code: 4406, reason: 'Subprotocol not acceptable' });
    await expect(openSocket(shop.wsUrl, { protocols: ['graphql-ws'] })).rejects.toThrow('Server sent no subprotocol');
  });

  test('that asks before it has introduced itself is closed', async () => {
    const socket = await openSocket(shop.wsUrl);
    socket.subscribe('1', '{ shop { name } }');
    expect(await socket.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  });

  test.each([
    ['no JSON', 'hello'],
    ['another type', { type: 'start', id: '1' }],
    ['no document', { type: 'subscribe', id: '1', payload: {} }],
  ])('that sends %s is closed', async (_name, message) => {
    const socket = await opened();
    socket.send(message);
    expect(await socket.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
  });

  test('that sends a message of more than 100 kB is closed', async () => {
    const socket = await opened();
    socket.subscribe('1', `{ shop { name } } #${'x'.repeat(100_000)}`);
    expect(await socket.closed).toMatchObject({ code: 1009 });
  });

  test('that never introduces itself is closed after five seconds', async () => {
    expect(await silent.closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' });
  });

  test('whose other end is dead is cut off', async () => {
    const { logger } = recordLogs();
    const authentication = { offerFor: () => null, openingHeadersOf: () => ({}) };
    const sockets = createWebSockets({ logger, authentication } as never, { pingMs: 20 });
    const server = createServer();
    const scope = { id: 'x', logger, clientAddress: '192.0.2.1', limiterWait: { ms: 0 }, operation: null };
    server.on('upgrade', (req, socket, head) => sockets.upgrade(req, socket, head, scope));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const dead = await openSocket(url, { autoPong: false });
    const alive = await openSocket(url);
    expect(await dead.closed).toEqual({ code: 1006, reason: '' });
    expect(alive.raw.readyState).toBe(alive.raw.OPEN);
    await sockets.dispose();
    expect((await alive.closed).code).toBe(1001);
    server.close();
  });
});

describe('who is asking', () => {
  const NEVER_MADE = 'A'.repeat(43);
  const create = async () => {
    const { cartCreate } = await shop
      .client()
      .data<{ cartCreate: { cart: { id: string; token: string } } }>('mutation { cartCreate { cart { id token } } }');
    return cartCreate.cart;
  };
  const ask = async (socket: TestSocket) => {
    socket.subscribe('c', '{ cart { id } }');
    const message = await socket.messages.take();
    await socket.close();
    return message;
  };

  test('is known by connectionParams, which take precedence over the cookie', async () => {
    const [mine, other] = [await create(), await create()];
    const cookie = `cart_token=${other.token}`;
    expect(await ask(await opened({ cartToken: mine.token }))).toMatchObject({
      payload: { data: { cart: { id: mine.id } } },
    });
    expect(await ask(await opened({ cartToken: mine.token }, { cookie }))).toMatchObject({
      payload: { data: { cart: { id: mine.id } } },
    });
    expect(await ask(await opened({}, { cookie }))).toMatchObject({ payload: { data: { cart: { id: other.id } } } });
    expect(await ask(await opened())).toMatchObject({ payload: { data: { cart: null } } });
  });

  test.each([
    ['in connectionParams', { cartToken: NEVER_MADE }, {}],
    ['that is no text', { cartToken: 7 }, {}],
    ['in a cookie', undefined, { cookie: `cart_token=${NEVER_MADE}` }],
  ])('a token %s that the shop never made fails every operation', async (_name, params, headers) => {
    expect(await ask(await opened(params, headers))).toEqual({
      type: 'error',
      id: 'c',
      payload: [{ message: 'The cart token was not issued by this shop.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });
});

test('when the shop closes, sockets are closed with 1001, those too that never say a word', async () => {
  const closing = await createApiNode();
  const busy = await openSocket(closing.wsUrl);
  await busy.init();
  busy.subscribe('s', WATCH);
  const quiet = await openSocket(closing.wsUrl);
  await closing.dispose();
  expect(await busy.closed).toEqual({ code: 1001, reason: 'Going away' });
  expect(await quiet.closed).toEqual({ code: 1001, reason: 'Going away' });
  expect(busy.messages.left).toEqual([]);
});

describe('what only a server may say', () => {
  const errors = () => shop.logs.filter(({ level }) => level >= 50);

  test.each([
    ['next', { id: '1', type: 'next', payload: { data: {} } }],
    ['error', { id: '1', type: 'error', payload: [{ message: 'no' }] }],
    ['connection_ack', { type: 'connection_ack' }],
    ['an unknown type', { type: 'subscribed' }],
    ['no type', {}],
    ['no object', null],
    ['a list', []],
    ['no JSON', 'nonsense'],
    ['a type that is none', { type: { a: 1 } }],
    ['the name of something that all objects have', { type: 'constructor' }],
    ['a subscription without an id', { type: 'subscribe', payload: { query: '{ __typename }' } }],
    ['a subscription without a document', { id: '1', type: 'subscribe', payload: {} }],
    ['brackets without end', '['.repeat(90_000)],
    [
      'nested variables',
      {
        id: '1',
        type: 'subscribe',
        payload: { query: '{ __typename }', variables: { a: JSON.parse('['.repeat(80) + ']'.repeat(80)) as unknown } },
      },
    ],
  ])('closes the socket as a bad request, and is no error of ours: %s', async (_name, message) => {
    const before = errors().length;
    const socket = await opened();
    socket.send(message as object);
    expect(await socket.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
    expect(errors().length).toBe(before);
  });

  test.each([
    'subscription { stockChanged @skip(if: true) { available } }',
    'subscription { stockChanged @include(if: false) { available } }',
    'subscription { ... @include(if: false) { stockChanged { available } } }',
    'subscription { ...F @skip(if: true) } fragment F on Subscription { stockChanged { available } }',
    'subscription { ...F } fragment F on Subscription { stockChanged @skip(if: true) { available } }',
    'subscription ($no: Boolean = true) { stockChanged @skip(if: $no) { available } }',
  ])('a subscription cannot do without its field: %s', async (query) => {
    const before = errors().length;
    const socket = await opened();
    socket.subscribe('1', query);
    const answer = await socket.messages.take();
    expect(answer.type).toBe('error');
    // With a variable the rule of graphql-js for subscriptions gives up first.
    const refusal = query.includes('$no') ? 'BAD_REQUEST' : 'GRAPHQL_VALIDATION_FAILED';
    expect(answer).toMatchObject({ payload: [{ extensions: { code: refusal } }] });
    await socket.close();
    const over = await shop
      .client({ headers: { accept: 'text/event-stream, application/json' } })
      .execute(query)
      .catch((error: unknown) => String(error));
    expect(JSON.stringify(over)).toContain(refusal);
    expect(errors().length).toBe(before);
  });
});
