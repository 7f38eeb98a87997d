import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Overrides } from '../../src/app.ts';
import { encodeCursor } from '../../src/events/cursor.ts';
import { newPerson, type Person } from '../support/accounts.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import type { TestShop } from '../support/shop.ts';
import { openSocket, upgradeStatus, type TestSocket } from '../support/socket.ts';
import { createThrottledShop, newAddress } from '../support/throttling.ts';
import { until } from '../support/until.ts';

const SOCKETS = 12;
const presence = { connectionsByClient: SOCKETS, connectionsByUser: 4, replaysByClient: 2, replaysWaitingByClient: 3 };
const overrides = { throttling: { presence } } satisfies Overrides;

let shop: TestShop;
let person: Person;
beforeAll(async () => {
  shop = await createThrottledShop({}, { overrides, env: { BCRYPT_COST: '4' } });
  person = await newPerson(shop);
});
afterAll(() => shop.dispose());

async function socketFrom(address: string, at = shop): Promise<TestSocket> {
  const socket = await openSocket(at.wsUrl, { headers: { 'x-forwarded-for': address } });
  onTestFinished(() => socket.raw.terminate());
  return socket;
}

/** Has what is sent meanwhile arrive in one piece. */
function together({ raw }: TestSocket, send: () => void): void {
  const { _socket: wire } = raw as unknown as { _socket: Socket };
  wire.cork();
  send();
  wire.uncork();
}

async function restock(variantId: string): Promise<void> {
  const { db, services } = shop.app;
  await db.transaction(async (tx) => {
    const at = await services.inventory.lock(tx, [variantId]);
    await services.inventory.apply(tx, at, [{ variantId, reason: 'RESTOCK', onHandDelta: 1 }]);
  });
}

const isIdle = ({ app }: TestShop) => app.subscriptions() === 0 && app.fanOut()?.subscribers === 0;
const idle = () => isIdle(shop);

test('what a query comes to that its client has left does not meet the next operation of its id', async () => {
  const variant = await makeVariant(shop.app, { onHand: 5 });
  await settled(shop);
  const socket = await socketFrom(newAddress());
  await socket.init();
  await using locks = await watchLocks(shop.db);
  const barrier = await holdBarrier(shop.db, 'LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
  socket.subscribe('1', '{ products(first: 1) { edges { node { title } } } }');
  await until('it waits', async () => (await locks.waiters()).length === 1);
  socket.send({ type: 'complete', id: '1' });
  socket.subscribe('1', `subscription { stockChanged(variantIds: ["${variant.globalId}"]) { available } }`);
  await until('the second one stands', () => shop.app.fanOut()?.live === 1);
  await barrier.release();
  socket.subscribe('2', '{ products(first: 1) { edges { node { id } } } }');
  expect(await socket.messages.take()).toMatchObject({ id: '2', type: 'next' });
  expect(await socket.messages.take()).toEqual({ id: '2', type: 'complete' });
  await restock(variant.id);
  const payload = { data: { stockChanged: { available: 6 } } };
  expect(await socket.messages.take()).toEqual({ id: '1', type: 'next', payload });
  await socket.close();
  await until('nothing is left of it', idle);
});

test('an id that is free again in the same breath belongs to the second operation, however the first one ran', async () => {
  const variant = await makeVariant(shop.app, { onHand: 5 });
  await settled(shop);
  const socket = await socketFrom(newAddress());
  await socket.init({ accessToken: person.accessToken });
  // It is executed for its viewer alone.
  socket.subscribe('1', 'subscription { cartChanged { kind } }');
  await until('the first one runs', () => shop.app.subscriptions() === 1);
  // From the present end of the log: it gets the restock, however long it takes to begin.
  const after = encodeCursor(await shop.app.eventLog.end());
  const query = `subscription { stockChanged(variantIds: ["${variant.globalId}"], after: "${after}") { available } }`;
  together(socket, () => {
    socket.send({ type: 'complete', id: '1' });
    socket.subscribe('1', query);
  });
  await restock(variant.id);
  const payload = { data: { stockChanged: { available: 6 } } };
  expect(await socket.messages.take()).toEqual({ id: '1', type: 'next', payload });
  await socket.close();
  await until('nothing is left of it', idle);
});

/** As in a test that can be run again: a linear congruential generator. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each([1, 2, 3])('whatever sockets do, nothing is left of them (%i)', async (seed) => {
  const random = randomOf(seed);
  const address = newAddress();
  const variant = await makeVariant(shop.app, { onHand: 5 });
  await settled(shop);
  const { epoch, seq: start } = await shop.app.eventLog.end();
  for (let more = 0; more < 5; more += 1) await restock(variant.id);
  await settled(shop);
  // It has none of that in memory: who comes back to it stands in line for the log.
  const { database } = shop.config;
  if (database.kind !== 'url') throw new Error('the shop has its own database');
  const node = await createThrottledShop(
    {},
    { overrides, database: { url: database.url, dispose: () => Promise.resolve() } },
  );
  onTestFinished(() => node.dispose());
  const ids = `variantIds: ["${variant.globalId}"]`;
  const operations = [
    '{ shop { name } }',
    '{ products(first: 2) { totalCount } }',
    '{ nothing }',
    'subscription { cartChanged { kind } }',
    'subscription { cartChanged { kind cart { totalQuantity } } }',
    'subscription { stockChanged { available } }',
    `subscription { stockChanged(${ids}) { available } }`,
    `subscription { stockChanged(${ids}, after: "${encodeCursor({ epoch, seq: start })}") { available } }`,
    `subscription { stockChanged(after: "${encodeCursor({ epoch, seq: start })}") { available variant { sku } } }`,
    `subscription { stockChanged(after: "${encodeCursor({ epoch, seq: 1_000_000 })}") { available } }`,
    'subscription { stockChanged(after: "none") { available } }',
  ];
  const sockets: TestSocket[] = [];
  const pick = <T>(from: readonly T[]): T | undefined => from[random(from.length)];
  const params = () => (random(2) === 0 ? { accessToken: person.accessToken } : {});

  async function open(): Promise<void> {
    const opening = socketFrom(address, node).catch(() => null);
    // Some do not even wait until they are open.
    const socket = random(4) === 0 ? null : await opening;
    if (socket === null) {
      (await opening)?.raw.terminate();
      return;
    }
    sockets.push(socket);
    if (random(6) === 0) return;
    together(socket, () => {
      socket.send({ type: 'connection_init', payload: params() });
      if (random(8) === 0) socket.send({ type: 'connection_init' });
    });
    if (random(3) > 0) await Promise.race([socket.messages.take(), socket.closed]);
  }

  function act(socket: TestSocket): void {
    if (socket.raw.readyState !== socket.raw.OPEN) return;
    const id = String(random(4));
    const subscribe = () => socket.subscribe(id, known(pick(operations)));
    const complete = () => socket.send({ type: 'complete', id });
    const acts = [
      subscribe,
      () => together(socket, () => (complete(), subscribe())),
      () => together(socket, () => (complete(), subscribe(), complete())),
      () => together(socket, () => (complete(), subscribe(), complete(), subscribe())),
      complete,
      () => socket.send({ type: 'ping' }),
    ];
    known(pick(acts))();
    const end = random(40);
    if (end === 0) socket.raw.close();
    if (end === 1) socket.raw.terminate();
    if (end === 2) socket.send('{');
  }

  for (let step = 0; step < 400; step += 1) {
    if (sockets.length < 4 || random(15) === 0) await open();
    const socket = pick(sockets);
    if (socket !== undefined) act(socket);
    if (step % 25 === 0) await restock(variant.id);
    // Now and then what was sent is dealt with before the next thing comes.
    if (random(5) === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const [at, { raw }] of [...sockets.entries()].toReversed())
      if (raw.readyState === raw.CLOSED) sockets.splice(at, 1);
  }
  for (const socket of sockets) if (random(2) === 0) socket.raw.terminate();
  for (const socket of sockets) socket.raw.close();
  await until('no subscription is left', () => isIdle(node));

  // All places are free: of the network, of the account, and of those who replay.
  const again: TestSocket[] = [];
  while (again.length < SOCKETS)
    again.push(known(await until('there is a place', () => socketFrom(address, node).catch(() => null))));
  expect(await upgradeStatus(node.wsUrl, { headers: { 'x-forwarded-for': address } })).toBe(429);
  for (const socket of again.slice(0, 4)) await socket.init({ accessToken: person.accessToken });
  const [fifth, line] = again.slice(4).map((socket) => known(socket));
  fifth?.send({ type: 'connection_init', payload: { accessToken: person.accessToken } });
  expect(await fifth?.closed).toMatchObject({ code: 1013 });
  await line?.init();
  const all = ['a', 'b', 'c', 'd', 'e'];
  // Two read and three wait, and one more would be refused.
  await using barrier = await holdBarrier(shop.db, 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE');
  for (const id of all) line?.subscribe(id, known(operations[8]));
  line?.subscribe('f', known(operations[8]));
  const refused = await line?.messages.take();
  expect(refused).toMatchObject({ type: 'next', payload: { errors: [{ extensions: { code: 'RATE_LIMITED' } }] } });
  await barrier.release();
  for (const socket of again) socket.raw.terminate();
  await until('nothing is left', () => isIdle(node));
});
