import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Overrides } from '../../src/app.ts';
import { newPerson } from '../support/accounts.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { openEventStream, type TestEventStream } from '../support/event-stream.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import type { TestShop } from '../support/shop.ts';
import { openSocket, upgradeStatus, type SocketMessage, type TestSocket } from '../support/socket.ts';
import { createThrottledShop, newAddress } from '../support/throttling.ts';
import { until } from '../support/until.ts';

const WATCH = 'subscription { stockChanged { available } }';

const presence = { connectionsByClient: 3, connectionsByUser: 2, replaysByClient: 2, replaysWaitingByClient: 1 };
/** Everybody's limits are small here. */
const overrides = { throttling: { presence } } satisfies Overrides;

// Behind a proxy nobody reads the metrics without it.
const METRICS_TOKEN = 'a-token-for-prometheus';

let shop: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop({}, { overrides, env: { BCRYPT_COST: '4', METRICS_TOKEN } });
});
afterAll(() => shop.dispose());

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

async function socketFrom(address: string, at = shop): Promise<TestSocket> {
  const socket = await openSocket(at.wsUrl, from(address));
  onTestFinished(() => socket.raw.terminate());
  return socket;
}

async function streamFrom(address: string, headers: Record<string, string> = {}): Promise<TestEventStream> {
  const stream = await openEventStream(shop.url, WATCH, { 'x-forwarded-for': address, ...headers });
  onTestFinished(() => stream.close());
  return stream;
}

/** Whether just so many places come to be free for a network: that many sockets are let in, and the next one is not. */
async function isFree(count: number, address: string): Promise<boolean> {
  const sockets: TestSocket[] = [];
  // The shop hears of a connection's end a moment after its client.
  while (sockets.length < count)
    sockets.push(known(await until('there is a place', () => socketFrom(address).catch(() => null))));
  const further = await upgradeStatus(shop.wsUrl, from(address));
  await Promise.all(sockets.map((socket) => socket.close()));
  return further === 429;
}

const refusal = (of: string) => ({
  message: `Too many ${of}. Try again in 30 s.`,
  extensions: { code: 'RATE_LIMITED', retryAfter: 30 },
});

describe('a network', () => {
  test('has so many sockets and streams at a time; another one is free', async () => {
    const address = newAddress();
    await socketFrom(address);
    await socketFrom(address);
    expect((await streamFrom(address)).status).toBe(200);
    expect(await upgradeStatus(shop.wsUrl, from(address))).toBe(429);
    const stream = await streamFrom(address);
    expect([stream.status, stream.headers['retry-after']]).toEqual([429, '30']);
    expect((await stream.events.take()).data?.errors).toEqual([refusal('connections from your network')]);
    expect(await stream.ended).toBe(true);
    expect(await upgradeStatus(shop.wsUrl, from(newAddress()))).toBe(101);
    // What is asked once needs no place.
    expect((await shop.client({ headers: from(address).headers }).execute('{ shop { name } }')).status).toBe(200);
    const { body } = await shop.request({
      path: '/metrics',
      headers: { authorization: `Bearer ${METRICS_TOKEN}` },
    });
    expect(body).toMatch(/^vitrine_presence_refused_total\{limit="connectionsByClient"\} [1-9]/m);
  });

  test('gets the error at the upgrade, in the format of all errors', async () => {
    const address = newAddress();
    for (let count = 0; count < 3; count += 1) await socketFrom(address);
    const answer = await new Promise<{ status: unknown; retryAfter: unknown; body: string }>((resolve, reject) => {
      const headers = {
        ...from(address).headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'graphql-transport-ws',
      };
      const req = request(new URL('/graphql', shop.url), { headers, agent: false }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (text: string) => (body += text));
        const { statusCode: status, headers: got } = res;
        res.once('end', () => resolve({ status, retryAfter: got['retry-after'], body }));
      });
      req.once('error', reject).end();
    });
    expect(answer).toMatchObject({ status: 429, retryAfter: '30' });
    expect(JSON.parse(answer.body)).toEqual({ errors: [refusal('connections from your network')] });
  });

  test('is the /64 of an IPv6 address', async () => {
    for (const host of ['1', '2', 'ffff:1']) await socketFrom(`2001:db8:1:2::${host}`);
    expect(await upgradeStatus(shop.wsUrl, from('2001:db8:1:2::3'))).toBe(429);
    expect(await upgradeStatus(shop.wsUrl, from('2001:db8:1:3::1'))).toBe(101);
  });

  test('shares the places of the /56 around it, four times as many, with all others in there', async () => {
    for (const subnet of ['100', '101', '102', '103']) {
      for (const host of ['1', '2', '3']) await socketFrom(`2001:db8:2:${subnet}::${host}`);
    }
    expect(await upgradeStatus(shop.wsUrl, from('2001:db8:2:1ff::1'))).toBe(429);
    expect((await streamFrom('2001:db8:2:1fe::1')).status).toBe(429);
    expect(await upgradeStatus(shop.wsUrl, from('2001:db8:2:200::1'))).toBe(101);
  });
});

describe('a place is free again', () => {
  test.each<[string, (socket: TestSocket) => unknown]>([
    ['is closed by its client', (socket) => socket.close()],
    ['breaks off', (socket) => socket.raw.terminate()],
    ['is closed for what it said', (socket) => socket.send('nonsense')],
    ['is closed for a message too large', (socket) => socket.send('x'.repeat(200_000))],
    ['subscribes to something and breaks off', (socket) => (socket.subscribe('1', WATCH), socket.raw.terminate())],
  ])('when a socket %s', async (what, end) => {
    const address = newAddress();
    const [one] = [await socketFrom(address), await socketFrom(address), await socketFrom(address)];
    if (what.startsWith('subscribes')) await one.init();
    await end(one);
    await one.closed;
    expect(await isFree(1, address)).toBe(true);
  });

  test('when the session of a socket, and of a stream, ends', async () => {
    const address = newAddress();
    const person = await newPerson(shop);
    const socket = await socketFrom(address);
    await socket.init({ accessToken: person.accessToken });
    const stream = await streamFrom(address, { authorization: `Bearer ${person.accessToken}` });
    await person.client.data('mutation { logout { errors { code } } }');
    expect((await socket.closed).code).toBe(4403);
    expect(await stream.ended).toBe(true);
    expect(await isFree(3, address)).toBe(true);
  });

  test('when a stream is left by its client, before it has begun as well', async () => {
    const address = newAddress();
    (await streamFrom(address)).close();
    expect(await isFree(3, address)).toBe(true);

    // Such a cursor is looked up in the log, for which this one has to wait.
    const { epoch } = await shop.app.eventLog.end();
    const after = Buffer.from(`${epoch}.0`).toString('base64url');
    await using locks = await watchLocks(shop.db);
    await using barrier = await holdBarrier(shop.db, 'LOCK TABLE event_sequence IN ACCESS EXCLUSIVE MODE');
    const url = new URL('/graphql', shop.url);
    url.searchParams.set('query', `subscription { stockChanged(after: "${after}") { available } }`);
    const req = request(url, { headers: { accept: 'text/event-stream', ...from(address).headers }, agent: false });
    req.on('error', () => {}).end();
    await until('it waits', async () => (await locks.waiters()).some((query) => query.includes('event_sequence')));
    await socketFrom(address);
    await socketFrom(address);
    expect(await upgradeStatus(shop.wsUrl, from(address))).toBe(429);
    req.destroy();
    await barrier.release();
    expect(await isFree(1, address)).toBe(true);
  });

  test('when a stream is left while its credentials are looked up: the answer has not begun', async () => {
    const address = newAddress();
    const { accessToken } = await newPerson(shop);
    await settled(shop);
    const before = shop.app.subscriptions();
    await using locks = await watchLocks(shop.db);
    await using barrier = await holdBarrier(shop.db, 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE');
    const url = new URL('/graphql', shop.url);
    url.searchParams.set('query', WATCH);
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${accessToken}`, ...from(address).headers };
    const req = request(url, { headers, agent: false });
    req.on('error', () => {}).end();
    await until('it waits', async () => (await locks.waiters()).some((query) => query.includes('sessions')));
    const aborted = () => shop.logs.filter(({ status }) => status === 'aborted').length;
    const abortedBefore = aborted();
    req.destroy();
    await until('the shop hears of it', () => aborted() > abortedBefore);
    await barrier.release();
    expect(await isFree(3, address)).toBe(true);
    expect(shop.app.subscriptions()).toBe(before);
  });

  test('and what never became a socket, or a stream, has none', async () => {
    const address = newAddress();
    for (let count = 0; count < 5; count += 1) {
      // `ws` refuses it: a version that there never was.
      const headers = {
        ...from(address).headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '99',
      };
      expect((await shop.request({ path: '/graphql', headers })).status).toBe(400);
      const stream = await openEventStream(shop.url, 'subscription { stockChanged(variantIds: ["x"]) { available } }', {
        'x-forwarded-for': address,
      });
      expect((await stream.events.take()).data?.errors?.[0]?.extensions?.['code']).toBe('BAD_REQUEST');
      expect(await stream.ended).toBe(true);
    }
    expect(await isFree(3, address)).toBe(true);
  });
});

describe('an account', () => {
  test('has so many sockets and streams, from wherever they come', async () => {
    const [person, other] = [await newPerson(shop), await newPerson(shop)];
    const { accessToken } = person;
    const first = await socketFrom(newAddress());
    await first.init({ accessToken });
    const authorization = `Bearer ${accessToken}`;
    expect((await streamFrom(newAddress(), { authorization })).status).toBe(200);

    const third = await socketFrom(newAddress());
    third.send({ type: 'connection_init', payload: { accessToken } });
    expect(await third.closed).toEqual({
      code: 1013,
      reason: 'Too many connections of this account. Try again in 30 s.',
    });
    const stream = await streamFrom(newAddress(), { authorization });
    expect(stream.status).toBe(429);
    expect((await stream.events.take()).data?.errors).toEqual([refusal('connections of this account')]);

    await (await socketFrom(newAddress())).init({ accessToken: other.accessToken });
    await first.close();
    await until('there is a place', async () => {
      const again = await socketFrom(newAddress());
      again.send({ type: 'connection_init', payload: { accessToken } });
      const answer = await Promise.race([again.messages.take(), again.closed.then(() => ({ type: 'closed' }))]);
      return answer.type === 'connection_ack';
    });
  });
});

describe('who comes back', () => {
  /** A variant whose level moved, and a node that has none of it in memory. */
  async function moved(env: NodeJS.ProcessEnv = {}): Promise<{ node: TestShop; query: string }> {
    const variant = await makeVariant({ ...shop, eventLog: shop.app.eventLog }, { onHand: 5 });
    await settled(shop);
    const { epoch, seq } = await shop.app.eventLog.end();
    const { db, services } = shop.app;
    await db.transaction(async (tx) => {
      const at = await services.inventory.lock(tx, [variant.id]);
      await services.inventory.apply(tx, at, [{ variantId: variant.id, reason: 'RESTOCK', onHandDelta: 1 }]);
    });
    await settled(shop);
    const { database } = shop.config;
    if (database.kind !== 'url') throw new Error('the shop has its own database');
    const node = await createThrottledShop(
      {},
      // Enough connections that two may read the log at a time.
      {
        overrides,
        env: { DATABASE_POOL_SIZE: '20', ...env },
        database: { url: database.url, dispose: () => Promise.resolve() },
      },
    );
    onTestFinished(() => node.dispose());
    const after = Buffer.from(`${epoch}.${seq}`).toString('base64url');
    const ids = `variantIds: ["${variant.globalId}"], after: "${after}"`;
    return { node, query: `subscription { stockChanged(${ids}) { available } }` };
  }

  const next = (id: string) => ({ id, type: 'next', payload: { data: { stockChanged: { available: 6 } } } });
  const REPLAY = {
    locations: [{ line: 1, column: 16 }],
    path: ['stockChanged'],
    message: 'Too many subscriptions resuming from your network. Try again in 5 s.',
    extensions: { code: 'RATE_LIMITED', retryAfter: 5 },
  };

  /** Answers as they come, by the ids of their operations. */
  async function answersOf(socket: TestSocket, count: number): Promise<SocketMessage[]> {
    const answers: SocketMessage[] = [];
    while (answers.length < count) answers.push(await socket.messages.take());
    return answers.toSorted((a, b) => String(a.id).localeCompare(String(b.id)));
  }

  /** Subscribes twice: one waits in line, and the other is refused since the line is full. @returns who waits */
  async function fillLine(socket: TestSocket, ids: [string, string], query: string): Promise<string> {
    for (const id of ids) socket.subscribe(id, query);
    const { id: refused, ...message } = await socket.messages.take();
    expect(message).toEqual({ type: 'next', payload: { errors: [REPLAY] } });
    expect(await socket.messages.take()).toEqual({ type: 'complete', id: refused });
    return ids[0] === refused ? ids[1] : ids[0];
  }

  test('waits in line where others of the network read the log, and is refused where the line is full', async () => {
    const { node, query } = await moved();
    const address = newAddress();
    const socket = await socketFrom(address, node);
    await socket.init();
    await using locks = await watchLocks(shop.db);
    await using barrier = await holdBarrier(shop.db, 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE');
    const reading = async () => (await locks.waiters()).filter((statement) => statement.includes('unnest')).length;
    for (const id of ['1', '2']) socket.subscribe(id, query);
    await until('two read', async () => (await reading()) === 2);
    const waits = await fillLine(socket, ['3', '4'], query);
    const stream = await openEventStream(node.url, query, from(address).headers);
    onTestFinished(() => stream.close());
    expect([stream.status, stream.headers['retry-after']]).toEqual([429, '5']);
    expect((await stream.events.take()).data?.errors).toEqual([REPLAY]);
    // Another network has a line of its own.
    const other = await socketFrom(newAddress(), node);
    await other.init();
    for (const id of ['1', '2', '3']) other.subscribe(id, query);

    await barrier.release();
    expect(await answersOf(socket, 3)).toEqual(['1', '2', waits].map(next));
    expect(await answersOf(other, 3)).toEqual(['1', '2', '3'].map(next));
    await until('all are live', () => node.app.fanOut()?.live === 6);
    // There is room for as many as before.
    for (const id of ['5', '6', '7']) socket.subscribe(id, query);
    expect(await answersOf(socket, 3)).toEqual(['5', '6', '7'].map(next));
  });

  test('is not limited, nor is anything else of it, where RATE_LIMITS is off', async () => {
    const { node, query } = await moved({ RATE_LIMITS: 'off' });
    const [address, { accessToken }] = [newAddress(), await newPerson(node)];
    await using barrier = await holdBarrier(shop.db, 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE');
    const ids = ['1', '2', '3', '4', '5'];
    const sockets: TestSocket[] = [];
    for (const id of ids) {
      const socket = await socketFrom(address, node);
      await socket.init({ accessToken });
      socket.subscribe(id, query);
      sockets.push(socket);
    }
    const authorization = `Bearer ${accessToken}`;
    const stream = await openEventStream(node.url, WATCH, { ...from(address).headers, authorization });
    onTestFinished(() => stream.close());
    expect(stream.status).toBe(200);
    await barrier.release();
    const answers = await Promise.all(sockets.map((socket) => socket.messages.take()));
    expect(answers).toEqual(ids.map(next));
  });

  test('makes way when it leaves', async () => {
    const { node, query } = await moved();
    const address = newAddress();
    const [socket, stays] = [await socketFrom(address, node), await socketFrom(address, node)];
    await socket.init();
    await stays.init();
    await using locks = await watchLocks(shop.db);
    await using barrier = await holdBarrier(shop.db, 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE');
    const reading = async () => (await locks.waiters()).filter((statement) => statement.includes('unnest')).length;
    for (const id of ['1', '2']) socket.subscribe(id, query);
    await until('two read', async () => (await reading()) === 2);
    const first = await fillLine(stays, ['a', 'b'], query);
    // Of the two that go one makes way for who waits, and the other for the next one.
    socket.send({ type: 'complete', id: '1' });
    await until('one is gone', () => node.app.fanOut()?.subscribers === 1);
    await socket.close();
    await until('both are gone', () => node.app.fanOut()?.subscribers === 0);
    stays.subscribe('c', query);
    const last = await fillLine(stays, ['d', 'e'], query);
    await barrier.release();
    expect(await answersOf(stays, 3)).toEqual([first, 'c', last].map(next));
  });
});

test('an id that is used again while its first operation still starts belongs to the second alone', async () => {
  const variant = await makeVariant({ ...shop, eventLog: shop.app.eventLog }, { onHand: 5 });
  await settled(shop);
  const { epoch } = await shop.app.eventLog.end();
  const after = Buffer.from(`${epoch}.0`).toString('base64url');
  const { database } = shop.config;
  if (database.kind !== 'url') throw new Error('the shop has its own database');
  const node = await createThrottledShop({}, { database: { url: database.url, dispose: () => Promise.resolve() } });
  onTestFinished(() => node.dispose());
  const socket = await socketFrom(newAddress(), node);
  await socket.init();
  const ids = `variantIds: ["${variant.globalId}"]`;
  await using locks = await watchLocks(shop.db);
  const barrier = await holdBarrier(shop.db, 'LOCK TABLE event_sequence IN ACCESS EXCLUSIVE MODE');
  socket.subscribe('1', `subscription { stockChanged(${ids}, after: "${after}") { first: available } }`);
  await until('it waits', async () => (await locks.waiters()).some((query) => query.includes('event_sequence')));
  socket.send({ type: 'complete', id: '1' });
  socket.subscribe('1', `subscription { stockChanged(${ids}) { second: available } }`);
  await until('the second one stands', () => node.app.fanOut()?.live === 1);
  await barrier.release();
  const { db, services } = shop.app;
  await db.transaction(async (tx) => {
    const at = await services.inventory.lock(tx, [variant.id]);
    await services.inventory.apply(tx, at, [{ variantId: variant.id, reason: 'RESTOCK', onHandDelta: 1 }]);
  });
  expect(await socket.messages.take()).toEqual({
    id: '1',
    type: 'next',
    payload: { data: { stockChanged: { second: 6 } } },
  });
  expect(node.app.fanOut()?.subscribers).toBe(1);
  socket.send({ type: 'complete', id: '1' });
  await until('it is let go', () => node.app.fanOut()?.subscribers === 0);
  expect(node.app.subscriptions()).toBe(0);
  expect(socket.messages.left).toEqual([]);
});
