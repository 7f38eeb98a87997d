import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defineConsumer } from '../../src/events/consumer.ts';
import type { EventLog } from '../../src/events/event-log.ts';
import { graphql } from '../generated/gql/index.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { levelOf, makeOverdue, makeVariant } from '../support/fixtures.ts';
import { createTestJobs, JOB_BACKENDS, type TestJobs } from '../support/job-backends.ts';
import { known } from '../support/known.ts';
import { WARN } from '../support/logs.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const addDocument = graphql(`
  mutation JobsShopAdd($variantId: ID!) {
    cartLinesAdd(input: { lines: [{ variantId: $variantId, quantity: 2 }] }) {
      cart {
        expiresAt
      }
      errors {
        code
      }
    }
  }
`);

describe.each(JOB_BACKENDS)('the shop, its jobs on %s', (kind) => {
  let jobs: TestJobs;
  let shops: TestShop[];
  const consumed: string[] = [];

  beforeEach(async () => {
    jobs = await createTestJobs(kind);
    shops = [];
    consumed.length = 0;
  });
  afterEach(async () => {
    for (const shop of shops) await shop.dispose();
    await jobs.dispose();
  });

  async function open(env: NodeJS.ProcessEnv): Promise<TestShop> {
    const shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: { ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }), ...env },
      overrides: {
        consumers: (real) => [
          ...real,
          defineConsumer({
            name: 'witness',
            types: ['cart_changed'],
            async handle(_tx, { payload }) {
              consumed.push((payload as { kind: string }).kind);
              return 'DONE';
            },
          }),
        ],
      },
    });
    shops.push(shop);
    return shop;
  }

  test('enqueues what is due and leaves the rest to workers; with them carts expire and events are taken notice of', async () => {
    const api = await open({ ROLES: 'api', CART_HOLD_SECONDS: '4' });
    const world = { db: api.db, eventLog: api.app.eventLog };
    const { id, globalId } = await makeVariant(world, { onHand: 9 });
    const { cartLinesAdd } = await api.client().data(addDocument, { variantId: globalId });
    const expiresAt = Date.parse(known(cartLinesAdd?.cart?.expiresAt));
    const view = await jobs.look('cart-expiry');
    try {
      await until('a job is there', async () => (await view.ids('delayed')).length > 0);
      expect(await view.ids('delayed')).toEqual([`cart-expiry-${Math.floor(expiresAt / 1000)}`]);
      // It keeps the consumer's place in the log, and runs none.
      await api.app.relay.flush();
      expect(
        await rowsOf(api.db, `SELECT name, seq, fence FROM event_consumers WHERE name = 'witness' OR fence > 0`),
      ).toEqual([{ name: 'witness', seq: 0n, fence: 0n }]);
      expect(consumed).toEqual([]);
      const worker = await open({ ROLES: 'worker' });
      await until('the job is done', async () => (await view.ids('completed')).length > 0);
      await until('the event of it was taken notice of', () => consumed.includes('EXPIRED'));

      expect(await levelOf(world, id)).toEqual({ onHand: 9, held: 0, available: 9 });
      // By the job; or by a timer, where the worker was long in coming.
      const expired = [...api.logs, ...worker.logs].filter((line) => line.msg === 'overdue carts expired');
      expect(expired).toMatchObject([{ carts: 1 }]);
      expect(await findFaults(api.db)).toEqual([]);
      const complaints = [...api.logs, ...worker.logs].filter((line) => line.level >= WARN);
      expect(complaints.filter((line) => !line.msg.startsWith('RATE_LIMITS'))).toEqual([]);
    } finally {
      await view[Symbol.asyncDispose]();
    }
  });

  test('gives units back at once where a worker comes back to holds that ended without it', async () => {
    const quiet = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      overrides: { quiet: true },
    });
    shops.push(quiet);
    const world = { db: quiet.db, eventLog: quiet.app.eventLog };
    const { id, globalId } = await makeVariant(world, { onHand: 9 });
    await quiet.client().data(addDocument, { variantId: globalId });
    await makeOverdue(world);
    expect((await levelOf(world, id)).held).toBe(2);
    const worker = await open({ ROLES: 'worker' });
    await until('the units are back', async () => (await levelOf(world, id)).held === 0);
    const said = () => worker.logs.filter((line) => line.msg === 'overdue carts expired');
    await until('it says so', () => said().length > 0);
    expect(said()).toMatchObject([{ carts: 1, units: 2 }]);
  });

  test('leaves nothing at work where its start fails later', async () => {
    const database = { url: jobs.database.url, dispose: () => Promise.resolve() };
    const env = jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl };
    const eventLog = (real: EventLog) => ({ ...real, end: () => Promise.reject(new Error('there is no end')) });
    await expect(createTestShop({ database, env, overrides: { eventLog } })).rejects.toThrow('there is no end');
    const other = await createTestShop({ database, overrides: { quiet: true } });
    shops.push(other);
    const [row] = await rowsOf<{ at: Date }>(other.db, 'SELECT clock_timestamp() AS at');
    // Nobody polls any more: every connection there is was made after that.
    const older = () =>
      rowsOf(
        other.db,
        `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND backend_start < $1
            AND pid <> pg_backend_pid() AND application_name <> 'vitrine'`,
        [known(row).at],
      );
    await until('the connections are gone', async () => (await older()).length === 0);
  });

  test('leaves nothing connected when it closes', async () => {
    const shop = await open({});
    await until('its workers are there', async () => {
      const listeners = `SELECT FROM pg_stat_activity
                          WHERE datname = current_database() AND application_name = 'vitrine jobs listener'`;
      return kind === 'Redis' || (await rowsOf(shop.db, listeners)).length > 0;
    });
    await shop.dispose();
    shops = [];
    const other = await open({ ROLES: 'api' });
    const left = () =>
      rowsOf(
        other.db,
        `SELECT application_name FROM pg_stat_activity
                         WHERE datname = current_database() AND application_name <> 'vitrine' AND pid <> pg_backend_pid()
                           -- Nor those of the shop that asks, which looks at its queue.
                           AND backend_start < (SELECT min(backend_start) FROM pg_stat_activity
                                                 WHERE datname = current_database() AND application_name = 'vitrine')`,
      );
    await until('the connections are gone', async () => (await left()).length === 0);
    expect(shop.logs.filter((line) => line.level >= WARN && !line.msg.startsWith('RATE_LIMITS'))).toEqual([]);
  });
});
