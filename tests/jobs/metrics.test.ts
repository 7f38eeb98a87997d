import { v7 as uuid } from 'uuid';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { defineConsumer } from '../../src/events/consumer.ts';
import { createMetrics } from '../../src/infra/metrics.ts';
import { defineJob } from '../../src/jobs/define-job.ts';
import { rowsOf } from '../support/books.ts';
import { makeOverdue, makeVariant } from '../support/fixtures.ts';
import { createTestJobs, JOB_BACKENDS, type TestJobs } from '../support/job-backends.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { readMetrics } from '../support/metrics.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openQuietShop } from '../support/quiet-shop.ts';
import { createTestShop, type TestShop, type TestShopOptions } from '../support/shop.ts';
import { enter } from '../support/shopper.ts';
import { recordStatements } from '../support/statements.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/** The values of one name, by what is in its braces. */
function valuesOf(metrics: Map<string, number>, name: string): Record<string, number> {
  const labelled = [...metrics].filter(([key]) => key.startsWith(`${name}{`));
  return Object.fromEntries(
    labelled.map(([key, value]) => [key.slice(name.length + 1, -1).replaceAll(/\w+="([^"]*)"/g, '$1'), value]),
  );
}

async function write(shop: TestShop, ...types: string[]): Promise<void> {
  const events = types.map((type) => ({ type, subjectId: uuid(), payload: {} }));
  await shop.db.transaction((tx) => shop.app.eventLog.append(tx, new Date(), events));
  await shop.app.relay.flush();
}

describe('what the log, the consumers and the relay are at', () => {
  test('is shown as the lag of each consumer in events and seconds, and as the number of parked events', async () => {
    const shop = await openQuietShop();
    onTestFinished(() => shop.dispose());
    await write(shop, 'one', 'two', 'three', 'four', 'five');
    await rowsOf(shop.db, `UPDATE event_log SET occurred_at = clock_timestamp() - interval '100 s' WHERE seq = 3`);
    await rowsOf(
      shop.db,
      `INSERT INTO event_consumers (name, seq, epoch)
       SELECT name, seq, CASE name WHEN 'of-another-log' THEN 'another' ELSE epoch END FROM event_sequence,
              (VALUES ('behind', 2), ('at-the-end', 5), ('of-another-log', 1)) AS c(name, seq)`,
    );
    await rowsOf(
      shop.db,
      `INSERT INTO parked_events (consumer, epoch, seq, type, subject_id, payload, occurred_at, error, attempts, parked_at, resolved_at)
       SELECT consumer, 'e', seq, 'one', gen_random_uuid(), '{}', now(), 'no', 4, now(), resolved
         FROM (VALUES ('behind', 1, NULL), ('behind', 2, NULL), ('behind', 3, now()), ('gone', 1, NULL), ('at-the-end', 1, now()))
           AS p(consumer, seq, resolved)`,
    );
    const metrics = await readMetrics(shop);
    expect(valuesOf(metrics, 'vitrine_consumer_lag_events')).toEqual({
      behind: 3,
      'at-the-end': 0,
      'of-another-log': 0,
    });
    const { behind, ...others } = valuesOf(metrics, 'vitrine_consumer_lag_seconds');
    expect(others).toEqual({ 'at-the-end': 0, 'of-another-log': 0 });
    expect(behind).toBeGreaterThanOrEqual(100);
    expect(valuesOf(metrics, 'vitrine_parked_events')).toEqual({
      behind: 2,
      gone: 1,
      'at-the-end': 0,
      'of-another-log': 0,
    });
    // What is dealt with is gone from here, too.
    await rowsOf(shop.db, 'DELETE FROM parked_events');
    await rowsOf(shop.db, `DELETE FROM event_consumers WHERE name <> 'behind'`);
    expect(valuesOf(await readMetrics(shop), 'vitrine_parked_events')).toEqual({ behind: 0 });
  });

  test('is shown as the number of events that the relay numbered, batch by batch', async () => {
    const shop = await openQuietShop();
    onTestFinished(() => shop.dispose());
    await write(shop, 'one');
    await write(shop, 'one', 'two', 'three');
    // (Nothing is no batch.)
    await shop.app.relay.flush();
    const metrics = await readMetrics(shop);
    expect(metrics.get('vitrine_relay_events_total')).toBe(4);
    expect(metrics.get('vitrine_relay_batch_events_count')).toBe(2);
    expect(metrics.get('vitrine_relay_batch_events_sum')).toBe(4);
    expect(metrics.get('vitrine_relay_batch_events_bucket{le="1"}')).toBe(1);
    expect(metrics.get('vitrine_relay_batch_events_bucket{le="5"}')).toBe(2);
  });

  test('is shown as the number of events read from the log because no message about them arrived', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.dispose());
    const [one, other] = await Promise.all([openQuietNode(database), openQuietNode(database)]);
    const before = known((await other.app.eventLog.end()).seq);
    await write(one, 'one', 'two');
    await until('the other has them', () => other.app.feed?.position().seq === before + 2);
    const read = valuesOf(await readMetrics(other), 'vitrine_events_read_from_log_total');
    expect(read).toEqual({ hole: 0, end: 2 });
    expect(valuesOf(await readMetrics(one), 'vitrine_events_read_from_log_total')).toEqual({});
  });

  test('is shown as the number of units held, and of carts that expired in any process', async () => {
    const shop = await openQuietShop();
    onTestFinished(() => shop.dispose());
    const { globalId } = await makeVariant(shop, { onHand: 9 });
    for (const quantity of [2, 3]) await (await enter(shop)).add({ variantId: globalId, quantity });
    const before = await readMetrics(shop);
    expect([before.get('vitrine_units_held'), before.get('vitrine_carts_holding')]).toEqual([5, 2]);
    expect([before.get('vitrine_carts_expired_total'), before.get('vitrine_units_released_total')]).toEqual([0, 0]);
    await makeOverdue(shop);
    // By a command that lacks the units; the other cart is left.
    const third = await enter(shop);
    expect((await third.add({ variantId: globalId, quantity: 5 })).errors).toEqual([]);
    const expired = known((await readMetrics(shop)).get('vitrine_carts_expired_total'));
    expect(expired).toBe(1);
    await shop.expireOverdue();
    const after = await readMetrics(shop);
    expect([after.get('vitrine_carts_expired_total'), after.get('vitrine_units_released_total')]).toEqual([2, 5]);
    expect([after.get('vitrine_units_held'), after.get('vitrine_carts_holding')]).toEqual([5, 1]);
  });
});

async function openQuietNode(database: { url: string; dispose(): Promise<void> }): Promise<TestShop> {
  const shop = await createTestShop({ database, overrides: { quiet: true } });
  onTestFinished(() => shop.dispose());
  return shop;
}

test('a scrape is a few statements', async () => {
  const shop = await openQuietShop();
  onTestFinished(() => shop.dispose());
  const { statements } = await recordStatements(() => readMetrics(shop));
  expect(statements.filter((name) => !name.startsWith('health')).toSorted()).toEqual(['gauge_consumers', 'gauge_shop']);
});

test('two scrapes at the same time ask once; what was asked for and is no more is not shown', async () => {
  const metrics = createMetrics({ logger: recordLogs().logger });
  let answer: (samples: { name: 'size'; value: number; labels: { of: string } }[]) => void = () => {};
  let asked = 0;
  metrics.probe('sizes', { size: 'How large' }, ['of'], () => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const both = [metrics.text(), metrics.text()];
  answer([{ name: 'size', value: 3, labels: { of: 'it' } }]);
  const [one, other] = await Promise.all(both);
  expect(asked).toBe(1);
  expect(one).toContain('vitrine_size{of="it"} 3\n');
  expect(other).toBe(one);
  const next = metrics.text();
  answer([]);
  expect(asked).toBe(2);
  expect(await next).not.toContain('vitrine_size{');
});

test('without an answer of the database, metrics of the process itself are returned without delay', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const { hostname, port } = new URL(overTcp(database.url));
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  onTestFinished(() => proxy.dispose());
  const through = new URL(overTcp(database.url));
  through.hostname = '127.0.0.1';
  through.port = String(proxy.port);
  const shop = await openQuietNode({ url: through.href, dispose: () => Promise.resolve() });
  await shop.client().execute('{ serverTime }');
  expect((await readMetrics(shop)).get('vitrine_units_held')).toBe(0);
  // The answer comes while the database still says nothing.
  proxy.block();
  const metrics = await readMetrics(shop);
  proxy.open();
  expect(metrics.get('vitrine_units_held')).toBeNaN();
  expect(metrics.get('vitrine_process_resident_bytes')).toBeGreaterThan(10_000_000);
  expect(metrics.get('vitrine_graphql_operations_total{type="query",field="serverTime",outcome="ok"}')).toBe(1);
  await until('the value is right again', async () => (await readMetrics(shop)).get('vitrine_units_held') === 0);
});

describe.each(JOB_BACKENDS)('jobs and consumers, on %s,', (kind) => {
  let jobs: TestJobs;
  let shops: TestShop[];
  beforeEach(async () => {
    jobs = await createTestJobs(kind);
    shops = [];
  });
  afterEach(async () => {
    for (const shop of shops) await shop.dispose();
    await jobs.dispose();
  });

  async function open(role: 'api' | 'worker', overrides: TestShopOptions['overrides'] = {}): Promise<TestShop> {
    const shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: { ROLES: role, ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }) },
      overrides,
    });
    shops.push(shop);
    return shop;
  }

  const stateOf = async (shop: TestShop) => valuesOf(await readMetrics(shop), 'vitrine_jobs');

  test('are counted by queue and state, also by a process that runs no jobs', async () => {
    const shop = await open('api');
    const view = await jobs.look('cart-expiry');
    onTestFinished(() => view[Symbol.asyncDispose]());
    await until('the queue answers', async () => Object.keys(await stateOf(shop)).length > 0);
    const states = ['waiting', 'delayed', 'active', 'failed'];
    const queues = ['cart-expiry', 'mail', 'payment-operation', 'product-import', 'stock-alerts', 'webhook-delivery'];
    expect(await stateOf(shop)).toEqual(
      Object.fromEntries(queues.flatMap((queue) => states.map((state) => [`${queue},${state}`, 0]))),
    );
    await view.addRaw({ payload: { second: 1 }, requestId: null });
    await view.addRaw({ payload: { second: 2 }, requestId: null });
    const { globalId } = await makeVariant({ db: shop.db, eventLog: shop.app.eventLog }, { onHand: 1 });
    await (await enter(shop)).add({ variantId: globalId, quantity: 1 });
    await until('the nudge is there', async () => (await view.ids('delayed')).length === 1);
    expect(await stateOf(shop)).toMatchObject({ 'cart-expiry,waiting': 2, 'cart-expiry,delayed': 1 });
  });

  test('are counted and timed by the worker that ran them, with how that ended', async () => {
    let faults = 1;
    const worker = await open('worker', {
      jobs: (real) => ({
        ...real,
        cartExpiry: defineJob({
          name: 'cart-expiry',
          schema: z.object({ second: z.int() }),
          attempts: 2,
          backoffMs: 10,
          async run({ second }) {
            if (second === 2 || (second === 3 && (faults -= 1) >= 0)) throw new Error('it is broken');
          },
        }),
      }),
      consumers: () => [
        defineConsumer({
          name: 'fragile',
          types: ['good', 'poison'],
          async handle(_tx, { type }) {
            if (type === 'poison') throw new Error('it is poison');
            return 'DONE';
          },
        }),
      ],
    });
    const view = await jobs.look('cart-expiry');
    onTestFinished(() => view[Symbol.asyncDispose]());
    for (const second of [1, 2, 3]) await view.addRaw({ payload: { second }, requestId: null });
    // (They stand in the queue with five tries each, whatever the job says now.)
    await until('two are done', async () => (await view.ids('completed')).length === 2);
    await until('one has failed', async () => (await view.ids('failed')).length === 1, 20_000);
    const runs = valuesOf(await readMetrics(worker), 'vitrine_job_run_seconds_count');
    expect(runs['cart-expiry,ok']).toBe(2);
    expect((runs['cart-expiry,failed'] ?? 0) + (runs['cart-expiry,failed_for_good'] ?? 0)).toBe(6);
    expect(runs['cart-expiry,failed_for_good']).toBeGreaterThan(0);
    expect(await stateOf(worker)).toMatchObject({ 'cart-expiry,failed': 1, 'cart-expiry,waiting': 0 });

    await until('the consumer is there', async () => {
      const rows = await rowsOf(worker.db, `SELECT FROM event_consumers WHERE name = 'fragile'`);
      return rows.length === 1;
    });
    await write(worker, 'good', 'poison', 'good');
    await until('it is through', async () => {
      const lag = valuesOf(await readMetrics(worker), 'vitrine_consumer_lag_events');
      return lag.fragile === 0;
    });
    await until('it is counted', async () => {
      const events = valuesOf(await readMetrics(worker), 'vitrine_consumer_events_total');
      return (
        JSON.stringify(events) === JSON.stringify({ 'fragile,handled': 2, 'fragile,failed': 4, 'fragile,parked': 1 })
      );
    });
    expect(valuesOf(await readMetrics(worker), 'vitrine_parked_events')).toEqual({ fragile: 1 });
    expect(valuesOf(await readMetrics(worker), 'vitrine_consumer_runs_total')['fragile,ok']).toBeGreaterThan(0);
  });

  // On PostgreSQL the queue is away when the shop is.
  test.each(kind === 'Redis' ? [kind] : [])(
    'are left out if the queue is away, and the others do not wait for it',
    async () => {
      const shop = await open('api');
      await until('the queue answers', async () => Object.keys(await stateOf(shop)).length > 0);
      const redis = known(jobs.redis);
      await redis.kill();
      const metrics = await readMetrics(shop);
      expect(valuesOf(metrics, 'vitrine_jobs')).toEqual({});
      expect(metrics.get('vitrine_units_held')).toBe(0);
      await redis.start();
      await until('the state is shown again', async () => Object.keys(await stateOf(shop)).length > 0, 20_000);
    },
  );
});
