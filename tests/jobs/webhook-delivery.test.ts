import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findFaults, rowsOf } from '../support/books.ts';
import { deliver, deliveriesOf, newEntryId, productOf, SECRET } from '../support/contentful.ts';
import { globalId } from '../support/fixtures.ts';
import { createTestJobs, JOB_BACKENDS, type TestJobs } from '../support/job-backends.ts';
import { known } from '../support/known.ts';
import { enter } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const fields = { title: 'Honey', slug: 'honey', price: 1, stock: 5 };

describe.each(JOB_BACKENDS)('deliveries of a CMS, with jobs on %s', (kind) => {
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

  async function open(env: NodeJS.ProcessEnv): Promise<TestShop> {
    const shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: {
        ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }),
        CONTENTFUL_WEBHOOK_SECRET: SECRET,
        ...env,
      },
    });
    shops.push(shop);
    return shop;
  }

  test('are applied by a worker, and what carts hold is taken once it is free', async () => {
    const shop = await open({});
    const id = newEntryId();
    await deliver(shop, { id, fields });
    const settled = (count: number) =>
      until('it was applied', async () => {
        const rows = await deliveriesOf(shop, id);
        return rows.length === count && rows.every(({ status }) => status === 'APPLIED');
      });
    await settled(1);
    const { variantId } = known(await productOf(shop, id));
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ variantId: globalId('ProductVariant', variantId), quantity: 4 });
    await deliver(shop, { id, fields: { ...fields, stock: 2 }, revision: 2, minute: 1 });
    await settled(2);
    expect(await productOf(shop, id)).toMatchObject({ onHand: 4, held: 4, quantity: 2, shortfall: 2 });
    await until('consumers run', async () => {
      const rows = await rowsOf(shop.db, `SELECT FROM event_consumers WHERE name = 'outside-stock-shortfalls'`);
      return rows.length > 0;
    });
    await shopper.remove(known(cart?.lines[0]).id);
    await until('what was owed is taken', async () => (await productOf(shop, id))?.shortfall === 0);
    expect(await productOf(shop, id)).toMatchObject({ onHand: 2, held: 0, quantity: 2 });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('are found again where their job was lost', async () => {
    const api = await open({ ROLES: 'api' });
    const id = newEntryId();
    await deliver(api, { id, fields });
    // As long ago as a sweep needs, and not in the queue any more.
    await rowsOf(api.db, `UPDATE webhook_deliveries SET received_at = received_at - interval '1 hour'`);
    const { webhooks } = api.app.services;
    expect(await webhooks.findLost(10)).toHaveLength(1);
    const worker = await open({ ROLES: 'worker' });
    await until('it was applied', async () => (await deliveriesOf(worker, id))[0]?.status === 'APPLIED');
    expect(await productOf(worker, id)).toMatchObject({ title: 'Honey', onHand: 5 });
  });
});
