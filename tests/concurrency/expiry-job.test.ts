import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { startBackgroundWork, type BackgroundWork } from '../../src/jobs/background-work.ts';
import { createCartExpiryJob } from '../../src/modules/cart/cart.jobs.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { levelOf, makeOverdue, makeProduct, makeVariant } from '../support/fixtures.ts';
import { createTestJobs, homeOf, JOB_BACKENDS, type QueueView, type TestJobs } from '../support/job-backends.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { fillCarts } from '../support/overdue-carts.ts';
import { newGuest, openServices, type TestServices, type TestServicesOptions } from '../support/services.ts';
import { until } from '../support/until.ts';

const { logger } = recordLogs();

function wanted(variantId: string, quantity: number) {
  return { variantId, quantity, variantPath: [], quantityPath: [] };
}

// No timer anywhere here: what expires, a job has expired.
describe.each(JOB_BACKENDS)('carts expired by jobs on %s', (kind) => {
  let jobs: TestJobs;
  let view: QueueView;
  let home: string;
  let opened: (() => Promise<void>)[];

  beforeEach(async () => {
    jobs = await createTestJobs(kind);
    view = await jobs.look('cart-expiry');
    ({ home } = await homeOf(jobs.database.url));
    opened = [];
  });
  afterEach(async () => {
    for (const close of opened.toReversed()) await close();
    await view[Symbol.asyncDispose]();
    await jobs.dispose();
  });

  /** As one more process: its use cases, which pass it deadlines, and its jobs. */
  async function open(options: TestServicesOptions & { worker?: boolean } = {}): Promise<TestServices> {
    const told: { by?: BackgroundWork } = {};
    const services = openServices(jobs.database.url, {
      nudges: { cart: (due) => told.by?.nudges.cart(due) },
      ...options,
    });
    const started = await startBackgroundWork({
      config: {
        redisUrl: jobs.redisUrl,
        roles: options.worker === false ? ['api'] : ['worker'],
        eventRetentionDays: 7,
        shop: { name: 'Vitrine', currency: 'USD', storefrontUrl: null, window: false },
        retention: { guestDays: 400, cartDays: 90, stockAlertDays: 90, parkedEventDays: 90 },
      },
      publicUrl: 'http://localhost',
      core: {
        db: services.db,
        bus: createLocalBus(),
        connectionString: jobs.database.url,
        home,
        services,
        consumers: [],
      },
      mailer: { send: () => Promise.resolve() },
      roleOf: () => Promise.resolve(null),
      logger,
    });
    told.by = started;
    opened.push(async () => {
      await started.drain();
      await started[Symbol.asyncDispose]();
      await services.dispose();
    });
    return services;
  }

  async function deadlineOf({ db }: TestServices, cartId: string): Promise<Date> {
    const [row] = await rowsOf<{ at: Date }>(db, 'SELECT expires_at AS at FROM carts WHERE id = $1', [cartId]);
    return known(row).at;
  }

  async function secondsOf(services: TestServices): Promise<string[]> {
    const carts = await rowsOf<{ second: string }>(
      services.db,
      'SELECT DISTINCT floor(extract(epoch FROM expires_at))::bigint::text AS second FROM carts ORDER BY second',
    );
    return carts.map(({ second }) => `cart-expiry-${second}`);
  }

  test('many of them in the same second: one job, and their units are back, none before its time', async () => {
    // Several batches.
    const CARTS = 1_200;
    const services = await open({ cart: { holdSeconds: 2 } });
    const product = await makeProduct(services, { variants: Array.from({ length: 40 }, () => ({ onHand: CARTS })) });
    const variantIds = product.variants.map((variant) => variant.id);
    const { cartIds } = await fillCarts(services, CARTS, variantIds);
    const { cart } = await services.cart.addLines(await newGuest(services), [wanted(known(variantIds[0]), 1)]);
    const at = await deadlineOf(services, cart.id);
    await rowsOf(services.db, 'UPDATE carts SET expires_at = $1 WHERE id = ANY($2::uuid[])', [at, cartIds]);

    await until('all units are back', async () => {
      const [row] = await rowsOf<{ held: number }>(services.db, 'SELECT sum(held)::int AS held FROM product_variants');
      return row?.held === 0;
    });
    expect(await rowsOf(services.db, 'SELECT FROM carts WHERE updated_at < expires_at')).toEqual([]);
    await until('the job is done', async () => (await view.ids('completed')).length > 0);
    expect(await view.ids('completed')).toEqual(await secondsOf(services));
    expect(
      await rowsOf(services.db, `SELECT count(*)::int AS events FROM event_log WHERE payload->>'kind' = 'EXPIRED'`),
    ).toEqual([{ events: CARTS + 1 }]);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('each at its own time, within the second that they share', async () => {
    const services = await open({ cart: { holdSeconds: 2 } });
    const variant = await makeVariant(services, { onHand: 10 });
    const first = await services.cart.addLines(await newGuest(services), [wanted(variant.id, 1)]);
    const second = Math.floor((await deadlineOf(services, first.cart.id)).getTime() / 1000);
    // All in the second of the first: right at its start, in its midst, at its end.
    const others = [await newGuest(services), await newGuest(services)];
    const carts = [first.cart.id];
    for (const guest of others) carts.push((await services.cart.addLines(guest, [wanted(variant.id, 1)])).cart.id);
    for (const [index, ms] of [0, 500, 999].entries()) {
      await rowsOf(services.db, 'UPDATE carts SET expires_at = $1 WHERE id = $2', [
        new Date(second * 1000 + ms),
        carts[index],
      ]);
    }
    await until('all are expired', async () => (await levelOf(services, variant.id)).held === 0);

    const late = await rowsOf<{ ms: number }>(
      services.db,
      'SELECT (extract(epoch FROM updated_at - expires_at) * 1000)::float8 AS ms FROM carts ORDER BY expires_at',
    );
    expect(late).toHaveLength(3);
    for (const { ms } of late) expect(ms).toBeGreaterThanOrEqual(0);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('a process without workers has them expired by one that has', async () => {
    const api = await open({ worker: false, cart: { holdSeconds: 1 } });
    const variant = await makeVariant(api, { onHand: 3 });
    const guest = await newGuest(api);
    await api.cart.addLines(guest, [wanted(variant.id, 1)]);
    await api.cart.addLines(guest, [wanted(variant.id, 1)]);
    await until('its job is there', async () => (await view.ids('delayed')).length > 0);
    await open();
    await until('the units are back', async () => (await levelOf(api, variant.id)).available === 3);

    expect(await api.cart.find(guest)).toMatchObject({ status: 'EXPIRED' });
    expect(await findFaults(api.db)).toEqual([]);
  });

  test('a deadline that moves has a job at its new time; many changes in one second have one', async () => {
    const api = await open({ worker: false });
    const variant = await makeVariant(api, { onHand: 100 });
    const guest = await newGuest(api);
    const ids = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      await api.cart.addLines(guest, [wanted(variant.id, 1)]);
      for (const id of await secondsOf(api)) ids.add(id);
    }
    await until('all are enqueued', async () => (await view.ids('delayed')).length >= ids.size);

    expect((await view.ids('delayed')).toSorted()).toEqual([...ids].toSorted());
  });

  test('a command that is refused enqueues nothing', async () => {
    const api = await open({ worker: false });
    const variant = await makeVariant(api, { onHand: 1 });
    await expect(api.cart.addLines(await newGuest(api), [wanted(variant.id, 2)])).rejects.toThrow('INSUFFICIENT_STOCK');
    const guest = await newGuest(api);
    const { cart } = await api.cart.addLines(guest, [wanted(variant.id, 1)]);
    await until('the other is enqueued', async () => (await view.ids('delayed')).length > 0);
    // A cart that holds nothing has no deadline.
    await api.cart.updateLines(guest, [{ id: known(cart.lines[0]).id, quantity: 0, idPath: [], quantityPath: [] }]);
    const second = Math.floor((cart.expiresAt?.getTime() ?? 0) / 1000);

    expect(await view.ids('delayed')).toEqual([`cart-expiry-${second}`]);
  });

  test('a job that runs twice, and in two processes at once, releases each unit once', async () => {
    const services = await open({ worker: false });
    const other = await open({ worker: false });
    const variant = await makeVariant(services, { onHand: 20 });
    for (let index = 0; index < 10; index += 1) {
      await services.cart.addLines(await newGuest(services), [wanted(variant.id, 2)]);
    }
    await makeOverdue(services);
    const second = Math.floor(Date.now() / 1000);
    const run = { signal: new AbortController().signal, logger };
    const expiries = [services, other].map((process) => createCartExpiryJob(process.cart));
    await Promise.all(expiries.flatMap((job) => [job.run({ second }, run), job.run({ second }, run)]));

    expect(await levelOf(services, variant.id)).toEqual({ onHand: 20, held: 0, available: 20 });
    expect(
      await rowsOf(services.db, `SELECT count(*)::int AS n FROM stock_movements WHERE reason = 'RELEASE'`),
    ).toEqual([{ n: 10 }]);
    expect(await findFaults(services.db)).toEqual([]);
  });
});
