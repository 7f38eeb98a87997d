import { randomUUID } from 'node:crypto';
import { createClient as createWsClient } from 'graphql-ws';
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { decodeCursor } from '../../src/events/cursor.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { openDatabase } from '../../src/infra/postgres/database.ts';
import { bearer, login } from '../support/accounts.ts';
import { findFaults } from '../support/books.ts';
import { createClient } from '../support/client.ts';
import { makeOverdue, makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { changesAfter } from '../support/nodes.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { newDataDir, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { enter } from '../support/shopper.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';
import { until } from '../support/until.ts';

const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a long enough password' };

const started: ShopProcess['child'][] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

interface Reader {
  /** The places in the log of what it got, over all of its connections. */
  seqs: number[];
  /** Leaves. */
  stop(): void;
  /** Comes back, to any node, after the last cursor that it saw. */
  resume(wsUrl: string): void;
}

/** A subscriber who follows all changes of stock from the beginning of the log, and reconnects where the test says. */
function readFrom(wsUrl: string, begin: string): Reader {
  let after = begin;
  let stop = () => {};
  const seqs: number[] = [];

  function resume(address: string): void {
    stop();
    const client = createWsClient({
      url: address,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      onNonLazyError: () => {},
    });
    let gone = false;
    client.subscribe<{ stockChanged: { cursor: string } }>(
      {
        query: 'subscription NodesResume($after: EventCursor) { stockChanged(after: $after) { cursor } }',
        variables: { after },
      },
      {
        next({ data }) {
          if (gone) return;
          after = known(data).stockChanged.cursor;
          seqs.push(known(decodeCursor(after)).seq);
        },
        error: () => {},
        complete: () => {},
      },
    );
    stop = () => {
      gone = true;
      void client.dispose();
    };
  }
  resume(wsUrl);
  onTestFinished(() => stop());
  return { seqs, stop: () => stop(), resume };
}

describe.skipIf(!hasRedis('A shop of many processes'))(
  'two API nodes and two workers with PostgreSQL and Redis',
  () => {
    test('in any order, one killed meanwhile: a subscriber who reconnects to another node gets the whole sequence', async () => {
      const database = await createTestDatabase();
      onTestFinished(() => database.dispose());
      const redis = await startRedis();
      onTestFinished(() => redis.dispose());
      const env = {
        ...ADMIN,
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        DATA_DIR: newDataDir(),
        JWT_SECRET: 'a secret of tests that is long enough',
        SEED: 'none',
        RATE_LIMITS: 'off',
        BCRYPT_COST: '4',
      };
      async function start(role: 'api' | 'worker'): Promise<ShopProcess> {
        const shop = await startShopProcess({ ...env, ROLES: role });
        started.push(shop.child);
        return shop;
      }
      const isReady = async ({ url }: ShopProcess) =>
        ((await (await fetch(`${url}/health/ready`)).json()) as { status: string }).status === 'ready';

      // A worker before there is any Redis; then a node, Redis, and the others at the same time.
      await redis.kill();
      const workers = [await start('worker')];
      const one = await start('api');
      await redis.start();
      const [two, worker] = await Promise.all([start('api'), start('worker')]);
      workers.push(worker);
      for (const shop of [one, two, ...workers]) await until('it is ready', () => isReady(shop));

      const logger = pino({ level: 'silent' });
      const db = openDatabase({ connectionString: database.url, poolSize: 3, logger });
      onTestFinished(() => db[Symbol.asyncDispose]());
      // What the test itself writes is found and numbered by whichever process looks first.
      const world: World = { db, eventLog: createEventLog({ db, wake: () => {} }) };
      const variants = [await makeVariant(world, { onHand: 500 }), await makeVariant(world, { onHand: 500 })];
      const clientOf = ({ url }: ShopProcess) => createClient(url);
      const { accessToken } = await login(clientOf(one), { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD });
      const keeperAt = ({ url }: ShopProcess) =>
        stockKeeperOf(createClient(url, { headers: bearer(known(accessToken)) }));

      /** Shoppers and staff at work on one node until it is over, or the node is. */
      async function work(shop: ShopProcess, rounds: number): Promise<number> {
        const keeper = keeperAt(shop);
        for (let round = 0; round < rounds; round += 1) {
          const variantId = known(variants[round % 2]).globalId;
          try {
            const shopper = await enter({ client: (options) => createClient(shop.url, options) });
            await shopper.add({ variantId, quantity: 2 });
            await keeper.adjust({ variantId, delta: 1, idempotencyKey: randomUUID() });
          } catch {
            return round;
          }
        }
        return rounds;
      }
      const { eventCursor } = await clientOf(one).data<{ eventCursor: string }>('{ eventCursor }');
      const start0 = known(decodeCursor(eventCursor)).seq;
      const readers = [
        readFrom(one.wsUrl, eventCursor),
        readFrom(two.wsUrl, eventCursor),
        readFrom(two.wsUrl, eventCursor),
      ];
      const [steady, mover, returner] = readers as [Reader, Reader, Reader];
      await Promise.all([work(one, 6), work(two, 6)]);
      await until('they have seen some of it', () => readers.every(({ seqs }) => seqs.length > 10));

      // In the midst of the next: what it had under way is lost or not, and the log knows which.
      const busy = Promise.all([work(one, 15), work(two, 400)]);
      const seen = steady.seqs.length;
      await until('it is under way', () => steady.seqs.length > seen + 10);
      two.child.kill('SIGKILL');
      await two.exited;
      mover.resume(one.wsUrl);
      returner.stop();
      const [done, cut] = await busy;
      expect(done).toBe(15);
      expect(cut).toBeLessThan(400);

      const again = await start('api');
      returner.resume(again.wsUrl);
      // The workers have their part, too: what the carts held goes back.
      await makeOverdue(world);
      await work(again, 5);
      const held = { name: 'test_held', text: 'SELECT sum(held)::int AS held FROM product_variants' };
      // (Of the carts of the last round, which are not overdue, 5 hold 2 each.)
      await until('overdue carts are expired', async () => (await db.query<{ held: number }>(held))[0]?.held === 10);
      await work(again, 1);

      const pending = { name: 'test_pending', text: 'SELECT 1 FROM event_log WHERE seq IS NULL LIMIT 1' };
      await until('every event has its number', async () => (await db.query(pending)).length === 0);
      const all = await changesAfter({ db }, start0);
      await until('each has the last one', () => readers.every(({ seqs }) => seqs.at(-1) === all.at(-1)));
      for (const { seqs } of readers) expect(seqs).toEqual(all);
      expect(all.length).toBeGreaterThan(50);
      expect(await findFaults(db)).toEqual([]);
      for (const shop of [one, again, ...workers]) expect(await isReady(shop)).toBe(true);
    });
  },
);
