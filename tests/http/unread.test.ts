import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Overrides } from '../../src/app.ts';
import { gate, holdBarrier, watchLocks } from '../support/barriers.ts';
import { makeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { clientFrame, graphqlGet, openUnread, UPGRADE, type RawConnection } from '../support/raw-connection.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';
import { newAddress } from '../support/throttling.ts';
import { until } from '../support/until.ts';

/** Several megabytes have to go before the network's own buffers are full, on a machine that may be busy. */
const PATIENCE_MS = 50_000;

/** The clock of the watch for connections that stall; it looks often, and time passes when a test says so. */
const clock = { now: 0, looks: 0 };
const stallClock = {
  now() {
    clock.looks += 1;
    return clock.now;
  },
  everyMs: 5,
};

/** Fifteen copies of a text: nearly a megabyte, for a request of some hundred bytes. */
const COPIES = Array.from({ length: 15 }, (_, i) => `c${i}: description`).join(' ');
const LARGE = `{ products(first: 1) { nodes { ${COPIES} } } }`;

let shop: TestShop;
let limited: TestShop;
let variant: { id: string; globalId: string; sku: string };
beforeAll(async () => {
  shop = await createApiNode({ overrides: { http: { stallClock } } });
  const overrides = {
    http: { stallClock, limits: { answers: 20, unsentBytes: 2_000_000 } },
    throttling: { presence: { messagesBySocket: 50 }, patienceMs: 20_000 },
  } satisfies Overrides;
  limited = await createApiNode({ env: { RATE_LIMITS: 'on', TRUST_PROXY: '1' }, overrides });
  for (const { app } of [shop, limited]) {
    const product = await makeProduct(app, { description: 'x'.repeat(60_000), variants: [{ onHand: 100_000 }] });
    variant = app === shop.app ? known(product.variants[0]) : variant;
  }
});
afterAll(async () => {
  await shop.dispose();
  await limited.dispose();
});

async function unread(first: string, of = shop): Promise<RawConnection> {
  const connection = await openUnread(of.url, first);
  onTestFinished(() => void connection.socket.destroy());
  return connection;
}

/** Sends the same again and again until the server has something that it cannot get rid of. */
async function sendUntilUnsent({ socket }: RawConnection, bytes: Buffer | string, of = shop): Promise<void> {
  await until(
    'the server has unsent data',
    () => {
      if (socket.writableLength < 1_000_000) socket.write(bytes);
      return of.app.unsentBytes() > 0;
    },
    PATIENCE_MS,
  );
}

/** Lets more time pass than a connection may stall, until the shop has let go of it; its client then hears so. */
async function closedInTime({ socket, closed }: RawConnection): Promise<void> {
  await until('the shop lets go of it', () => {
    clock.now += 31_000;
    return shop.app.unsentBytes() === 0;
  });
  socket.resume();
  await closed;
}

/** A WebSocket that was acknowledged, and reads nothing from then on. */
async function unreadSocket(of = shop): Promise<RawConnection> {
  const connection = await unread(UPGRADE, of);
  const { socket } = connection;
  let said = '';
  const hear = (chunk: Buffer) => (said += chunk.toString('latin1'));
  socket.on('data', hear).resume();
  socket.write(clientFrame('text', JSON.stringify({ type: 'connection_init' })));
  await until('it is acknowledged', () => said.includes('connection_ack'));
  socket.off('data', hear).pause();
  return connection;
}

async function move(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const { codes } = await shop
      .client()
      .execute('mutation ($lines: [CartLineInput!]!) { cartLinesAdd(input: { lines: $lines }) { errors { code } } }', {
        lines: [{ sku: variant.sku, quantity: 1 }],
      });
    expect(codes).toEqual([]);
  }
}

/** A ping of the protocol, whose pong is as long: fifty kilobytes. */
const LONG_PING = clientFrame('text', JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(50_000) } }));

describe('a socket that reads nothing', () => {
  test.each([
    ['pings', clientFrame('ping', 'x'.repeat(125))],
    ['pings of the protocol', clientFrame('text', JSON.stringify({ type: 'ping' }))],
    ['long pings of the protocol', LONG_PING],
  ])('and sends %s is not read either, and costs a megabyte at most', async (_name, frame) => {
    const connection = await unread(UPGRADE);
    const { socket } = connection;
    // Many at a time: a socket that does not begin the conversation is closed after five seconds.
    await sendUntilUnsent(connection, Buffer.concat(Array.from({ length: 20 }, () => LONG_PING)));
    const frames = Buffer.concat(Array.from({ length: Math.ceil(20_000_000 / frame.length / 50) }, () => frame));
    for (let i = 0; i < 50; i += 1) socket.write(frames);
    // Twenty megabytes are more than the network takes: the rest waits here, since nobody reads it.
    await shop.client().execute('{ shop { name } }');
    expect(socket.writableLength).toBeGreaterThan(1_000_000);
    expect(shop.app.unsentBytes()).toBeGreaterThan(0);
    expect(shop.app.unsentBytes()).toBeLessThanOrEqual(1_100_000);
    await closedInTime(connection);
  });

  test('gets its answers once it reads', async () => {
    const connection = await unreadSocket();
    const { socket } = connection;
    await sendUntilUnsent(connection, LONG_PING);
    for (let i = 0; i < 1000; i += 1) socket.write(clientFrame('ping', `ping ${i}`));
    // Longer answers may come after it.
    let tail = '';
    let answered = false;
    socket.on('data', (chunk: Buffer) => {
      const read = tail + chunk.toString('latin1');
      answered ||= read.includes('ping 999');
      tail = read.slice(-8);
    });
    socket.resume();
    await until('the last ping is answered', () => answered, PATIENCE_MS);
    expect(connection.isClosed()).toBe(false);
  });

  test('is closed together with its subscriptions', async () => {
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { variant { product { ${COPIES} } } } }`;
    const connection = await unreadSocket();
    connection.socket.write(clientFrame('text', JSON.stringify({ id: '1', type: 'subscribe', payload: { query } })));
    await until('it listens', () => shop.app.fanOut()?.live === 1);
    await until('the server has unsent data', async () => (await move(1), shop.app.unsentBytes() > 0), PATIENCE_MS);
    await move(3);
    // An event more than the limit at most.
    expect(shop.app.unsentBytes()).toBeLessThan(2_500_000);
    await closedInTime(connection);
    expect(shop.app.subscriptions()).toBe(0);
  });

  test('and asks query after query has few of them executed', async () => {
    const connection = await unreadSocket();
    const ask = (id: number) =>
      clientFrame('text', JSON.stringify({ id: String(id), type: 'subscribe', payload: { query: LARGE } }));
    connection.socket.write(Buffer.concat(Array.from({ length: 90 }, (_, i) => ask(i))));
    await until('the server has unsent data', () => shop.app.unsentBytes() > 0, PATIENCE_MS);
    await shop.client().execute(LARGE);
    // One answer of nearly a megabyte, and not ninety.
    expect(shop.app.unsentBytes()).toBeLessThan(1_100_000);
    await closedInTime(connection);
  });
});

test('a socket that is cut off in the moment in which another of its answers is ready does not hold up the node', async () => {
  const [held, reached] = [gate(), gate()];
  let cut = false;
  let time = 0;
  const node = await createApiNode({
    overrides: {
      http: {
        stallClock: {
          now() {
            if (!cut) return time;
            // What waits at the gate goes on right after the watch has cut the connection, before anything else happens.
            held.open();
            time += 31_000;
            return time;
          },
          everyMs: 5,
        },
      },
      services: (real) => ({
        ...real,
        catalog: {
          ...real.catalog,
          async productsByIds(ids) {
            const found = await real.catalog.productsByIds(ids);
            reached.open();
            await held.opened;
            return found;
          },
        },
      }),
    },
  });
  onTestFinished(() => node.dispose());
  const { globalId } = await makeProduct(node.app, { description: 'x'.repeat(60_000), variants: [{ onHand: 1 }] });
  // Without a limit to the pongs, the event loop would never turn again where the shop has the fault, and the test could not fail.
  const real = WebSocket.prototype.pong;
  const pong = vi.spyOn(WebSocket.prototype, 'pong');
  onTestFinished(() => pong.mockRestore());
  pong.mockImplementation(function (this: WebSocket, ...args) {
    if (pong.mock.calls.length > 1000) throw new Error('pongs without end');
    real.apply(this, args);
  });

  const { socket, closed } = await unreadSocket(node);
  const ask = (id: string, query: string) =>
    socket.write(clientFrame('text', JSON.stringify({ id, type: 'subscribe', payload: { query } })));
  ask('held', `{ node(id: "${globalId}") { id } }`);
  await reached.opened;
  let asked = 0;
  await until(
    'the server has unsent data',
    () => {
      if (socket.writableLength === 0) ask(`large ${(asked += 1)}`, LARGE);
      return node.app.unsentBytes() > 100_000;
    },
    PATIENCE_MS,
  );
  cut = true;
  await until('the shop has let go of it', () => node.app.unsentBytes() === 0);
  socket.resume();
  await closed;
  expect(pong.mock.calls.length).toBeLessThan(100);
});

describe('an answer that is not read', () => {
  test('is given up after 30 s without progress, with its connection', async () => {
    const connection = await unread('');
    await sendUntilUnsent(connection, graphqlGet(LARGE));
    const looks = clock.looks;
    clock.now += 29_000;
    await until('it was looked at', () => clock.looks > looks + 2);
    expect(shop.app.unsentBytes()).toBeGreaterThan(0);
    await closedInTime(connection);
  });

  test('is waited for as long as its client makes progress', async () => {
    const connection = await unread('');
    const { socket } = connection;
    await sendUntilUnsent(connection, graphqlGet(LARGE));
    socket.on('data', () => socket.pause());
    // A piece at a time, with twenty seconds between two.
    let left = shop.app.unsentBytes();
    while (shop.app.unsentBytes() > 0) {
      await until('some of it has gone', () => {
        socket.resume();
        return shop.app.unsentBytes() < left - 20_000 || shop.app.unsentBytes() === 0;
      });
      left = shop.app.unsentBytes();
      const { looks } = clock;
      clock.now += 20_000;
      await until('it was looked at', () => clock.looks > looks + 2);
    }
    expect(connection.isClosed()).toBe(false);
    let rest = '';
    socket
      .removeAllListeners('data')
      .on('data', (chunk: Buffer) => (rest = (rest + chunk.toString('latin1')).slice(-1000)));
    socket.write(graphqlGet('{ shop { name } }'));
    socket.resume();
    await until('the connection goes on', () => rest.includes('"shop":{"name"'), PATIENCE_MS);
  });

  test('a stream of events is no exception', async () => {
    const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { variant { product { ${COPIES} } } } }`;
    const connection = await unread(graphqlGet(query, { accept: 'text/event-stream' }));
    await until('it listens', () => shop.app.fanOut()?.live === 1);
    await until('the server has unsent data', async () => (await move(1), shop.app.unsentBytes() > 0), PATIENCE_MS);
    await closedInTime(connection);
    await until('the subscription is gone', () => shop.app.subscriptions() === 0);
    expect(connection.isClosed()).toBe(true);
  });
});

test('a stream of events that waits behind another answer of its connection ends with the connection', async () => {
  await using locks = await watchLocks(shop.db);
  const barrier = await holdBarrier(shop.db, 'LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
  const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available } }`;
  const connection = await unread(graphqlGet('{ products { totalCount } }'));
  await until('the first answer waits', async () => (await locks.waiters()).length === 1);
  connection.socket.write(graphqlGet(query, { accept: 'text/event-stream' }));
  await until('it listens', () => shop.app.subscriptions() === 1);
  connection.socket.destroy();
  await until('the subscription is gone', () => shop.app.subscriptions() === 0);
  expect(shop.app.subscriptions()).toBe(0);
  await barrier.release();
});

describe('one network', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  test('has so many answers at a time', async () => {
    const own = await createApiNode({
      env: { RATE_LIMITS: 'on', TRUST_PROXY: '1' },
      overrides: { http: { limits: { answers: 2 } }, throttling: { patienceMs: 20_000 } },
    });
    onTestFinished(() => own.dispose());
    const address = newAddress();
    const ask = (headers: Record<string, string>) => own.client({ headers }).execute('{ products { totalCount } }');
    await using locks = await watchLocks(own.db);
    const barrier = await holdBarrier(own.db, 'LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
    const two = [ask(from(address)), ask(from(address))];
    await until('both wait', async () => (await locks.waiters()).length === 2);
    const third = await ask(from(address));
    expect([third.status, third.codes, third.headers.get('retry-after')]).toEqual([429, ['RATE_LIMITED'], '1']);
    const other = own.client({ headers: from(newAddress()) });
    expect((await other.execute('{ shop { name } }')).status).toBe(200);
    await barrier.release();
    expect((await Promise.all(two)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await ask(from(address))).status).toBe(200);
  });

  test('gets its places back when a connection closes, also those of answers that waited behind another one', async () => {
    const own = await createApiNode({
      env: { RATE_LIMITS: 'on', TRUST_PROXY: '1' },
      overrides: { http: { limits: { answers: 3 } }, throttling: { patienceMs: 20_000 } },
    });
    onTestFinished(() => own.dispose());
    const headers = from(newAddress());
    await using locks = await watchLocks(own.db);
    const lock = () => holdBarrier(own.db, 'LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
    const allWait = () => until('all three wait', async () => (await locks.waiters()).length === 3);
    const first = await lock();
    const connection = await unread(graphqlGet('{ products { totalCount } }', headers).repeat(3), own);
    await allWait();
    connection.socket.destroy();
    await connection.closed;
    await first.release();
    await until('none waits', async () => (await locks.waiters()).length === 0);

    const second = await lock();
    const asked = [1, 2, 3].map(() => own.client({ headers }).execute('{ products { totalCount } }'));
    await allWait();
    await second.release();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('has so many bytes of unread answers: what comes beyond them is dropped', async () => {
    const address = newAddress();
    const connections: RawConnection[] = [];
    for (let i = 0; i < 4; i += 1) connections.push(await unread('', limited));
    // The network's own buffers take some answers of each connection. Once they are full, three answers are more than the limit.
    // A client that reads nothing learns of the end of its connection by writing.
    await until(
      'one is dropped',
      () => {
        for (const { socket } of connections) {
          if (socket.writableLength < 100_000) socket.write(graphqlGet(LARGE, from(address)));
        }
        return connections.some(({ isClosed }) => isClosed());
      },
      PATIENCE_MS,
    );
    await until('no more is kept than the limit allows', () => limited.app.unsentBytes() <= 2_000_000);
    const other = limited.client({ headers: from(newAddress()) });
    expect((await other.execute('{ shop { name } }')).status).toBe(200);
    for (const { socket } of connections) socket.destroy();
    await until('all of it is free again', () => limited.app.unsentBytes() === 0);
  });

  test('has so many bytes of unread answers, also where each is the first of its connection', async () => {
    // Far more than the network's own buffers take: no connection has sent anything before it is full.
    for (let i = 0; i < 19; i += 1) await makeProduct(limited.app, { description: 'x'.repeat(60_000), variants: [] });
    const address = newAddress();
    const ask = graphqlGet(`{ products(first: 20) { nodes { ${COPIES} } } }`, from(address));
    const first = await unread(ask, limited);
    await until('the first answer waits', () => limited.app.unsentBytes() > 0, PATIENCE_MS);
    const second = await unread(ask, limited);
    // A client that reads nothing learns of the end of its connection by writing.
    await until('the second is dropped', () => (second.socket.write('\r\n'), second.isClosed()), PATIENCE_MS);
    expect(first.isClosed()).toBe(false);
    first.socket.destroy();
    await until('all of it is free again', () => limited.app.unsentBytes() === 0);
  });

  test('has so many connections', async () => {
    const own = await createApiNode({
      env: { RATE_LIMITS: 'on' },
      overrides: { http: { limits: { connections: 2 } } },
    });
    onTestFinished(() => own.dispose());
    const [one, two, three] = [await unread('', own), await unread('', own), await unread('', own)];
    await three.closed;
    expect([one.isClosed(), two.isClosed()]).toEqual([false, false]);
    one.socket.destroy();
    await until('there is a place', () =>
      own.request({ path: '/health/live' }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  });
});

describe('one socket', () => {
  test.each([
    ['messages', (socket: Awaited<ReturnType<typeof openSocket>>) => socket.send({ type: 'pong' })],
    ['pings', (socket: Awaited<ReturnType<typeof openSocket>>) => socket.raw.ping()],
    ['pongs', (socket: Awaited<ReturnType<typeof openSocket>>) => socket.raw.pong()],
  ])('may send so many %s a minute', async (_name, send) => {
    const socket = await openSocket(limited.wsUrl, { headers: { 'x-forwarded-for': newAddress() } });
    await socket.init();
    for (let i = 0; i < 40; i += 1) send(socket);
    socket.subscribe('1', '{ shop { name } }');
    expect((await socket.messages.take()).type).toBe('next');
    for (let i = 0; i < 400 && socket.raw.readyState === socket.raw.OPEN; i += 1) send(socket);
    expect(await socket.closed).toEqual({ code: 1008, reason: 'Too many messages' });
  });
});

describe('the page of GraphiQL', () => {
  const page = (more = '') => `GET /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\n${more}\r\n`;

  test('is one shared buffer for all clients that get it compressed', async () => {
    await shop.request({ path: '/graphql', headers: { accept: 'text/html', 'accept-encoding': 'gzip' } });
    const before = process.memoryUsage().arrayBuffers;
    const connections = [];
    for (let i = 0; i < 30; i += 1) connections.push(await unread(page('accept-encoding: gzip\r\n').repeat(4)));
    await until('they are being sent', async () => shop.app.unsentBytes() > 0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(9_000_000);
    for (const { socket } of connections) socket.destroy();
    await until('nothing is unsent', async () => shop.app.unsentBytes() === 0);
  });

  test('is unpacked only as fast as others read it', async () => {
    const connections = [];
    for (let i = 0; i < 20; i += 1) connections.push(await unread(page()));
    await until('they are being sent', async () => shop.app.unsentBytes() > 0);
    expect(shop.app.unsentBytes()).toBeLessThan(20 * 500_000);
    for (const { socket } of connections) socket.destroy();
    await until('nothing is unsent', async () => shop.app.unsentBytes() === 0);
  });

  test('counts as a request', async () => {
    const tight = await createApiNode({
      env: { RATE_LIMITS: 'on' },
      overrides: { throttling: { limits: { operationsByClient: { points: 1, seconds: 60 } } } },
    });
    onTestFinished(() => tight.dispose());
    const visit = async () => (await tight.request({ path: '/graphql', headers: { accept: 'text/html' } })).status;
    expect([await visit(), await visit()]).toEqual([200, 429]);
  });
});
