import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newStaff } from '../support/accounts.ts';
import { findFaults } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { changesAfter, follow, openNodeOf, untilReady, type TestNode } from '../support/nodes.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { settled } from '../support/settled.ts';
import { enter } from '../support/shopper.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';

/** Puts one unit after the other on the shelf, through the nodes in turn. */
async function keeperOf(nodes: readonly TestNode[]) {
  const first = known(nodes[0]);
  const staff = await newStaff(first);
  // Far from sold out and from running low: each step is one event.
  const variant = await makeVariant(first, { onHand: 100 });
  const keepers = nodes.map((node) => stockKeeperOf(node.client({ headers: staff.client.headers() })));
  return {
    variant,
    async restock(times: number, by: readonly number[] = [...keepers.keys()]): Promise<void> {
      for (let index = 0; index < times; index += 1) {
        const keeper = known(keepers[known(by[index % by.length])]);
        const { errors } = await keeper.adjust({ variantId: variant.globalId, delta: 1 });
        expect(errors).toEqual([]);
      }
    },
  };
}

describe.skipIf(!hasRedis('Events over many nodes'))('nodes with a Redis between them', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.dispose();
    await redis.dispose();
  });

  const open = (env: NodeJS.ProcessEnv = { REDIS_URL: redis.url }) => openNodeOf(database, env);
  /** The end of the log, all of it delivered on these nodes. */
  async function startOf(...nodes: readonly TestNode[]): Promise<number> {
    for (const node of nodes) await settled(node);
    return (await known(nodes[0]).eventLog.end()).seq;
  }

  test('get the events of each other at once, over Redis, without a look at the log', async () => {
    const [a, b] = [await open(), await open()];
    await untilReady(a, b);
    const { restock, variant } = await keeperOf([a, b]);
    const start = await startOf(a, b);
    const followers = [await follow(a, 'WebSocket'), await follow(b, 'SSE'), await follow(b, 'WebSocket')];
    await a.holdLook();
    await b.holdLook();

    await restock(20);
    for (const follower of followers) await follower.untilHas(20);
    // An event that a newer version wrote, in their midst.
    const newer = { type: 'of_next_year', subjectId: variant.id, payload: { units: [1] } };
    await a.db.transaction((tx) => a.eventLog.append(tx, new Date(), [newer]));
    await a.app.relay.flush();
    await restock(2);
    for (const follower of followers) await follower.untilHas(22);
    const all = await changesAfter(a, start);
    expect(all).toHaveLength(22);
    expect(known(all[21]) - known(all[0])).toBe(22);
    for (const { seqs } of followers) expect(seqs).toEqual(all);
  });

  test.each([
    ['killed', () => redis.kill(), () => redis.start()],
    ['silent', async () => redis.freeze(), async () => redis.thaw()],
  ] as const)(
    'while Redis is %s mutations go on, and every subscriber gets all events in order, before, meanwhile and after',
    async (_how, stop, back) => {
      const [a, b] = [await open(), await open()];
      await untilReady(a, b);
      const { restock } = await keeperOf([a, b]);
      const start = await startOf(a, b);
      const followers = [
        await follow(a, 'WebSocket'),
        await follow(a, 'SSE'),
        await follow(b, 'WebSocket'),
        await follow(b, 'SSE'),
      ];
      await restock(10);

      // In the midst of what is under way.
      const under = restock(20);
      await stop();
      onTestFinished(back);
      await under;
      await restock(10);
      for (const follower of followers) await follower.untilHas(40);
      expect(await a.ready()).toEqual({
        status: 200,
        body: {
          status: 'degraded',
          degraded: expect.objectContaining({ redis: expect.stringMatching(/^(not connected|no answer)/) }) as object,
        },
      });

      const returning = restock(20);
      await back();
      await returning;
      await untilReady(a, b);
      for (const follower of followers) await follower.untilHas(60);
      // By the bus again.
      await a.holdLook();
      await b.holdLook();
      await restock(10);
      for (const follower of followers) await follower.untilHas(70);
      a.releaseLook();
      b.releaseLook();

      await startOf(a, b);
      const all = await changesAfter(a, start);
      expect(all).toHaveLength(70);
      for (const { seqs } of followers) expect(seqs).toEqual(all);
      expect(await findFaults(a.db)).toEqual([]);
    },
  );

  test('a node that is not on Redis gets the events of those that are, and they get its own, through the log', async () => {
    const [a, b, alone] = [await open(), await open(), await open({})];
    await untilReady(a, b, alone);
    const { restock } = await keeperOf([a, b, alone]);
    const start = await startOf(a, b, alone);
    const followers = [await follow(a, 'WebSocket'), await follow(b, 'SSE'), await follow(alone, 'WebSocket')];
    await restock(30);
    for (const follower of followers) await follower.untilHas(30);
    await restock(1, [0]);
    for (const follower of followers) await follower.untilHas(31);
    const all = await changesAfter(a, start);
    for (const { seqs } of followers) expect(seqs).toEqual(all);
  });

  test('a shop that starts while Redis is away opens, sells, says so, and is whole when Redis comes', async () => {
    await redis.kill();
    onTestFinished(() => redis.start());
    const [a, b] = [await open(), await open()];
    const away = {
      status: 200,
      body: { status: 'degraded', degraded: { redis: 'not connected', jobs: expect.any(String) as string } },
    };
    // A node first checks the job queue after it has opened.
    const look = async () => [await a.ready(), await b.ready()];
    await expect.poll(look, { timeout: PATIENCE_MS }).toEqual([away, away]);
    const { restock, variant } = await keeperOf([a, b]);
    const start = await startOf(a, b);
    const followers = [await follow(a, 'WebSocket'), await follow(b, 'WebSocket')];
    await restock(5);
    const shopper = await enter(b);
    expect((await shopper.add({ variantId: variant.globalId, quantity: 2 })).errors).toEqual([]);
    const { order, errors } = await shopper.checkout({
      idempotencyKey: uuid(),
      email: 'ada@example.com',
      shippingAddress: { name: 'Ada', line1: 'Street 1', city: 'Town', postalCode: '12345', countryCode: 'DE' },
    });
    expect(errors).toEqual([]);
    expect(order?.totalQuantity).toBe(2);

    await redis.start();
    await untilReady(a, b);
    for (const follower of followers) await follower.untilHas(6);
    await a.holdLook();
    await b.holdLook();
    await restock(4);
    for (const follower of followers) await follower.untilHas(10);
    for (const { seqs } of followers) expect(seqs).toEqual(await changesAfter(a, start));
  });

  test('workers and commands publish what they did over Redis, and receive nothing', async () => {
    const [api, worker] = [await open(), await open({ REDIS_URL: redis.url, ROLES: 'worker' })];
    await untilReady(api, worker);
    expect(worker.app.feed).toBeNull();
    const variant = await makeVariant(worker, { onHand: 1 });
    const follower = await follow(api, 'WebSocket');
    await api.holdLook();
    await worker.db.transaction(async (tx) => {
      const { inventory } = worker.app.services;
      const at = await inventory.lock(tx, [variant.id]);
      await inventory.apply(tx, at, [{ variantId: variant.id, reason: 'RESTOCK', onHandDelta: 1 }]);
    });
    await follower.untilHas(1);
  });
});
