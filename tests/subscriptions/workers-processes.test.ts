import { createClient as createWsClient } from 'graphql-ws';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createEventLog } from '../../src/events/event-log.ts';
import { openDatabase } from '../../src/infra/postgres/database.ts';
import { holdCarts, watchLocks } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { createClient, type Client } from '../support/client.ts';
import { openEventStream } from '../support/event-stream.ts';
import { levelOf, makeOverdue, makeVariant, type World } from '../support/fixtures.ts';
import { sendRaw } from '../support/http.ts';
import { known } from '../support/known.ts';
import { readMetrics } from '../support/metrics.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.ts';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { newDataDir, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { enter, rowId, type Shopper } from '../support/shopper.ts';
import { until } from '../support/until.ts';

/** When the jobs of new carts come. The tests put the end of each hold where they want it. */
const HOLD_SECONDS = 6;

interface Guest extends Shopper {
  token: string;
  /** The row of the cart. */
  cartId: string;
}

// Real processes: two that serve the API, and workers that come and go. Slow to start, so the tests share them; each has its
// own variant and its own guests.
describe.skipIf(!hasRedis('Workers in processes of their own'))('API nodes and workers as processes', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let world: World;
  let one: ShopProcess;
  let two: ShopProcess;
  let worker: ShopProcess;
  const started: ShopProcess['child'][] = [];

  beforeAll(async () => {
    database = await createEmptyDatabase();
    redis = await startRedis();
    // All at the same time, the worker first, and no migration has run: who comes first does that, and the others wait.
    [worker, one, two] = await Promise.all([start('worker'), start('api'), start('api')]);
    for (const shop of [worker, one, two]) await until('it is ready', () => statusOf(shop).then(isReady));
    const db = openDatabase({ connectionString: database.url, poolSize: 4, logger: pino({ level: 'silent' }) });
    // What the test itself writes is found and numbered by whichever process looks first.
    world = { db, eventLog: createEventLog({ db, wake: () => {} }) };
  });
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL');
    await world.db[Symbol.asyncDispose]();
    await redis.dispose();
    await database.dispose();
  });

  async function start(role: 'api' | 'worker'): Promise<ShopProcess> {
    const shop = await startShopProcess({
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      DATA_DIR: newDataDir(),
      JWT_SECRET: 'a secret of tests that is long enough',
      SEED: 'none',
      RATE_LIMITS: 'off',
      BCRYPT_COST: '4',
      CART_HOLD_SECONDS: String(HOLD_SECONDS),
      ROLES: role,
    });
    started.push(shop.child);
    return shop;
  }

  const clientOf = ({ url }: ShopProcess): Client => createClient(url);

  async function statusOf({ url }: ShopProcess): Promise<[number, string]> {
    const answer = await fetch(`${url}/health/ready`);
    return [answer.status, ((await answer.json()) as { status: string }).status];
  }
  const isReady = ([, status]: [number, string]) => status === 'ready';

  /** A guest with units in the cart, over one of the nodes. */
  async function fill(node: ShopProcess, variantId: string, quantity: number): Promise<Guest> {
    const shopper = await enter({ client: (options) => createClient(node.url, options) });
    const { cart, errors } = await shopper.add({ variantId, quantity });
    expect(errors).toEqual([]);
    const cartId = rowId(known(cart).id);
    await rowsOf(world.db, `UPDATE carts SET expires_at = expires_at + interval '1 hour' WHERE id = $1`, [cartId]);
    return { ...shopper, cartId };
  }

  /** The values of a field of what a subscription over one of the nodes gives, from a place in the log on. */
  async function follow<Value>(
    node: ShopProcess,
    transport: 'WebSocket' | 'SSE',
    options: { field: string; ask: string; token?: string; pick: (event: Record<string, unknown>) => Value | null },
  ): Promise<Value[]> {
    const { field, ask, token, pick } = options;
    const { eventCursor } = await clientOf(node).data<{ eventCursor: string }>('{ eventCursor }');
    const query = `subscription { ${field}(${ask.replace('$after', JSON.stringify(eventCursor))} }`;
    const got: Value[] = [];
    const take = (data: Record<string, unknown> | null | undefined) => {
      const value = pick(known(data)[field] as Record<string, unknown>);
      if (value !== null) got.push(value);
    };
    if (transport === 'WebSocket') {
      const connectionParams = token === undefined ? {} : { cartToken: token };
      const client = createWsClient({ url: node.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams });
      onTestFinished(() => void client.dispose());
      const sink = {
        next: ({ data }: { data?: object | null }) => take(data as never),
        error() {},
        complete() {},
      };
      client.subscribe({ query }, sink);
    } else {
      const stream = await openEventStream(node.url, query, token === undefined ? {} : { 'x-cart-token': token });
      onTestFinished(() => stream.close());
      void (async () => {
        for (;;) {
          const { event, data } = await stream.events.take(300_000);
          if (event === 'next') take(data?.data);
        }
      })().catch(() => {});
    }
    return got;
  }

  /** The events that the owner of a cart receives from a node, over either transport. */
  const followCart = (node: ShopProcess, transport: 'WebSocket' | 'SSE', { token }: Guest) =>
    follow(node, transport, {
      field: 'cartChanged',
      ask: 'after: $after) { kind cart { status totalQuantity } }',
      token,
      // What the owner did last may have its number after the cursor.
      pick: ({ kind, cart }) =>
        kind === 'LINES' ? null : `${String(kind)} ${Object.values(cart as object).join(' ')}`,
    });
  const followStock = (node: ShopProcess, transport: 'WebSocket' | 'SSE', variantId: string) =>
    follow(node, transport, {
      field: 'stockChanged',
      ask: `variantIds: ["${variantId}"], after: $after) { available }`,
      pick: ({ available }) => Number(available),
    });

  const held = async (variantId: string) => (await levelOf(world, variantId)).held;

  const endHolds = (...carts: Guest[]) =>
    makeOverdue(
      world,
      carts.map(({ cartId }) => cartId),
    );

  test('what is done on one is seen on the other: stock, low stock by the consumer, and the end of a hold by a job', async () => {
    const variant = await makeVariant(world, { onHand: 10 }); // low at 3
    const stock = [
      await followStock(one, 'WebSocket', variant.globalId),
      await followStock(two, 'WebSocket', variant.globalId),
      await followStock(two, 'SSE', variant.globalId),
    ];
    const guest = await fill(one, variant.globalId, 2);
    const received = [await followCart(two, 'WebSocket', guest), await followCart(two, 'SSE', guest)];
    const buyer = await fill(one, variant.globalId, 6);
    await until('the owner has the event on the other node', () => received.every((kinds) => kinds.length === 1));
    expect(received).toEqual([['LOW_STOCK ACTIVE 2'], ['LOW_STOCK ACTIVE 2']]);

    await endHolds(guest, buyer);
    await until('the owner has the event that the hold is over', () => received.every((kinds) => kinds.length === 2));
    expect(received).toEqual(Array.from({ length: 2 }, () => ['LOW_STOCK ACTIVE 2', 'EXPIRED EXPIRED 2']));
    await until('all units are back', async () => (await held(variant.id)) === 0);
    await until('everybody has seen it', () => stock.every((seen) => seen.includes(2) && seen.at(-1) === 10));
    // The opening stock is before the cursor of some and after that of others: it gets its number meanwhile.
    const [first, ...others] = stock.map((seen) => seen.slice(seen.indexOf(8)));
    expect(first?.slice(0, 2)).toEqual([8, 2]);
    for (const seen of others) expect(seen).toEqual(first);
    await until('the worker has counted its job', async () => {
      const metrics = await readMetrics({ request: (request) => sendRaw(worker.url, request) });
      return (metrics.get('vitrine_job_run_seconds_count{job="cart-expiry",outcome="ok"}') ?? 0) > 0;
    });
    expect(await findFaults(world.db)).toEqual([]);
  });

  test('a worker that is killed while it runs a consumer: another takes over, and nobody is notified twice', async () => {
    const variant = await makeVariant(world, { onHand: 10 });
    const guests = [await fill(one, variant.globalId, 1), await fill(two, variant.globalId, 1)];
    const [first, second] = guests as [Guest, Guest];
    const received = [await followCart(two, 'WebSocket', first), await followCart(one, 'SSE', second)];
    const lease = async () =>
      known(
        (
          await rowsOf<{ owner: string | null; fence: bigint }>(
            world.db,
            `SELECT lease_owner AS owner, fence FROM event_consumers WHERE name = 'low-stock-notices'`,
          )
        )[0],
      );
    await using watch = await watchLocks(world.db);
    await using barrier = await holdCarts(world.db, first.cartId, second.cartId);
    await fill(one, variant.globalId, 5);
    await watch.untilWaiting(1, 'low_stock_notified_at');
    const before = await lease();
    expect(before.owner).not.toBeNull();

    // (No more than two workers at a time; this one is the only one that can have had it.)
    const killed = worker;
    worker = await start('worker');
    killed.child.kill('SIGKILL');
    expect(await killed.exited).toBe('SIGKILL');
    // Longer than the holds last otherwise: the carts are to be there still when the other takes over.
    await barrier.query(
      `UPDATE carts SET hold_started_at = clock_timestamp(), expires_at = clock_timestamp() + interval '5 minutes' WHERE id = ANY($1::uuid[])`,
      [guests.map(({ cartId }) => cartId)],
    );
    await barrier.release();

    await until('the other worker has notified them', () => received.every((kinds) => kinds.length > 0));
    const after = await lease();
    expect(after.fence).toBeGreaterThan(before.fence);
    expect(after.owner).not.toBe(before.owner);
    await until('it is through', async () => (await lease()).owner === null);
    const rows = await rowsOf<{ id: string }>(
      world.db,
      `SELECT subject_id AS id FROM event_log
        WHERE type = 'cart_changed' AND payload->>'kind' = 'LOW_STOCK' AND subject_id = ANY($1::uuid[])`,
      [guests.map(({ cartId }) => cartId)],
    );
    expect(rows.map(({ id }) => id).toSorted()).toEqual(guests.map(({ cartId }) => cartId).toSorted());
    expect(received).toEqual([['LOW_STOCK ACTIVE 1'], ['LOW_STOCK ACTIVE 1']]);
    expect(await findFaults(world.db)).toEqual([]);
  });

  test('without Redis the shop sells, delivers events and expires holds; with Redis back, all of its services recover', async () => {
    const variant = await makeVariant(world, { onHand: 100 });
    const stock = [
      await followStock(one, 'SSE', variant.globalId),
      await followStock(two, 'WebSocket', variant.globalId),
    ];
    const guests: Guest[] = [];
    const sell = async (...nodes: ShopProcess[]) => {
      for (const node of nodes) guests.push(await fill(node, variant.globalId, 1));
    };
    await sell(one, two, one, two);

    await redis.kill();
    await sell(one, two, one, two, one, two);
    for (const process of [one, two, worker]) expect(await statusOf(process)).toEqual([200, 'degraded']);
    await until('everybody has seen it', () => stock.every((seen) => seen.includes(90)));
    await endHolds(...guests);
    await until('all holds have ended', async () => (await held(variant.id)) === 0);

    await redis.start();
    for (const process of [one, two, worker]) {
      await until('it is ready again', () => statusOf(process).then(isReady));
    }
    // What was done while Redis delivered nothing, and what is done now.
    await sell(one);
    await until('everybody has seen that too', () => stock.every((seen) => seen.at(-1) === 99));
    const all = await rowsOf<{ available: number }>(
      world.db,
      `SELECT (payload->>'available')::int AS available FROM event_log WHERE type = 'stock_changed' AND subject_id = $1 ORDER BY seq`,
      [variant.id],
    );
    for (const seen of stock) expect(seen).toEqual(all.slice(-seen.length).map(({ available }) => available));
    for (const seen of stock) expect(seen.length).toBeGreaterThanOrEqual(all.length - 1);
    expect(await findFaults(world.db)).toEqual([]);
  });
});
