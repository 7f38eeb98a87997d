import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNudges } from '../../src/modules/nudges.ts';
import { createServices } from '../../src/modules/services.ts';
import { newStaff, type Person } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { createTestJobs, JOB_BACKENDS, type QueueView, type TestJobs } from '../support/job-backends.ts';
import { WARN } from '../support/logs.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';
import { alertsOf, chainsOf, mailsOf, signUpMany } from '../support/stock-alerts.ts';
import { until } from '../support/until.ts';

const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `waiter-${String(from + index).padStart(6, '0')}@example.com`);

describe.each(JOB_BACKENDS)('stock alerts, their jobs on %s', (kind) => {
  let jobs: TestJobs;
  let view: QueueView;
  let shops: TestShop[];

  beforeEach(async () => {
    jobs = await createTestJobs(kind);
    view = await jobs.look('stock-alerts');
    shops = [];
  });
  afterEach(async () => {
    for (const shop of shops) await shop.dispose();
    await view[Symbol.asyncDispose]();
    await jobs.dispose();
  });

  async function open(env: NodeJS.ProcessEnv): Promise<TestShop> {
    const shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: { ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }), ...env },
    });
    shops.push(shop);
    return shop;
  }

  /** A variant that is sold out, for which so many wait, and who brings goods in. */
  async function waitedFor(shop: TestShop, count: number) {
    const { id, globalId } = await makeVariant(shop.app, { onHand: 0 });
    await signUpMany(shop.db, id, count);
    const staff: Person = await newStaff(shop);
    const keeper = stockKeeperOf(staff.client);
    return { id, adjust: (delta: number) => keeper.adjust({ variantId: globalId, delta }) };
  }

  const complaints = () =>
    shops.flatMap((shop) => shop.logs.filter((line) => line.level >= WARN && !line.msg.startsWith('RATE_LIMITS')));

  test('batch after batch, spaced by the setting, from the restock to the last of them', async () => {
    const shop = await open({ STOCK_ALERT_BATCH_SECONDS: '1' });
    const { id, adjust } = await waitedFor(shop, 7);
    expect((await adjust(3)).errors).toEqual([]);
    await until('all are notified', async () => (await alertsOf(shop.db, id)).waiting.length === 0);

    expect(await mailsOf(shop.db, id)).toEqual(names(1, 7));
    expect(await chainsOf(shop.db)).toEqual([]);
    const batches = await shop.db.query<{ at: Date; people: number }>({
      name: 'test_batches',
      text: 'SELECT notified_at AS at, count(*)::int AS people FROM stock_alerts GROUP BY notified_at ORDER BY 1',
    });
    expect(batches.map(({ people }) => people)).toEqual([3, 3, 1]);
    const times = batches.map(({ at }) => at.getTime());
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(1000);
    expect(await findFaults(shop.db)).toEqual([]);
    expect(complaints()).toEqual([]);
  });

  test('a batch that is done, by a worker, leaves a job for the next one', async () => {
    const api = await open({ ROLES: 'api' });
    const { id, adjust } = await waitedFor(api, 5);
    const worker = await open({ ROLES: 'worker', STOCK_ALERT_BATCH_SECONDS: '600' });
    await until('its consumer has a place in the log', async () => {
      const name = 'stock-alert-chains';
      return (await rowsOf(api.db, 'SELECT FROM event_consumers WHERE name = $1', [name])).length > 0;
    });
    await adjust(2);
    await until('the first are notified', async () => (await alertsOf(api.db, id)).notified.length > 0);
    expect(await mailsOf(api.db, id)).toEqual(names(1, 2));
    await until('the next job is there', async () => (await view.ids('delayed')).length > 0);
    expect(await view.ids('delayed')).toHaveLength(1);
    expect(await chainsOf(worker.db)).toEqual([{ variantId: id, batchLeft: 0 }]);
    expect(complaints()).toEqual([]);
  });

  test('where the process died after a batch, and its job with it, the others go on by themselves', async () => {
    // Whoever does the first batch dies before the queue hears of the next: its nudges go nowhere.
    const shop = await open({ ROLES: 'api', STOCK_ALERT_BATCH_SECONDS: '1' });
    const { id, adjust } = await waitedFor(shop, 4);
    await adjust(2);
    const dying = createServices({
      config: shop.config,
      db: shop.db,
      eventLog: shop.app.eventLog,
      nudges: createNudges(),
      logger: { error: () => {}, warn: () => {} },
    });
    await shop.db.transaction((tx) => dying.stockAlerts.start(tx, { variantIds: [id], productIds: [] }));
    expect(await dying.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 2 });
    expect(await view.ids('delayed')).toEqual([]);

    await open({ ROLES: 'worker', STOCK_ALERT_BATCH_SECONDS: '1' });
    await until('all are notified', async () => (await alertsOf(shop.db, id)).waiting.length === 0);
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 4));
    expect(await chainsOf(shop.db)).toEqual([]);
  });

  test('a job with an invalid payload fails, and nobody is notified', async () => {
    const shop = await open({});
    await view.addRaw({ payload: { variantId: 'x' }, requestId: null });
    await until('it is refused', async () => (await view.failures()).length > 0);
    expect((await view.failures()).map(({ tries }) => tries)).toEqual([1]);
    expect(await chainsOf(shop.db)).toEqual([]);
  });
});
