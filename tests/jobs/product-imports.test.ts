import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff, type Person } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { openEventStream } from '../support/event-stream.ts';
import { createTestJobs, JOB_BACKENDS, type TestJobs } from '../support/job-backends.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

interface State {
  status: string;
  productCount: number;
  createdCount: number;
  rejectedCount: number;
}

const header = 'Handle,Title,Variant SKU,Variant Price\n';

describe.each(JOB_BACKENDS)('an import, with jobs on %s', (kind) => {
  let jobs: TestJobs;
  let shop: TestShop;
  let staff: Person;

  beforeAll(async () => {
    jobs = await createTestJobs(kind);
    shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: { BCRYPT_COST: '4', ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }) },
    });
    staff = await newStaff(shop);
  });
  afterAll(async () => {
    await shop?.dispose();
    await jobs?.dispose();
  });

  test('runs in the background once it is started, and reports its progress', async () => {
    const rows = Array.from({ length: 210 }, (_, n) => `p-${n},Product ${n},P-${n},${n === 7 ? 'much' : '1.00'}\n`);
    const { client } = staff;
    const { productImportCreate } = await client.data<{ productImportCreate: { productImport: { id: string } } }>(
      'mutation ($content: String!) { productImportCreate(input: { fileName: "p.csv", content: $content }) { productImport { id } } }',
      { content: header + rows.join('') },
    );
    const { id } = productImportCreate.productImport;
    const stream = await openEventStream(
      shop.url,
      `subscription { productImportChanged(importId: "${id}") { productImport { status productCount createdCount rejectedCount } } }`,
      client.headers(),
    );
    await client.data(
      'mutation ($id: ID!) { productImportStart(input: { id: $id, dryRun: false }) { errors { code } } }',
      { id },
    );
    const states: State[] = [];
    do {
      const { data } = await stream.events.take();
      const changed = data?.data?.['productImportChanged'] as { productImport: State };
      states.push(changed.productImport);
    } while (!['COMPLETED', 'FAILED'].includes(states.at(-1)?.status ?? ''));
    stream.close();
    expect(states.at(-1)).toEqual({ status: 'COMPLETED', productCount: 210, createdCount: 209, rejectedCount: 1 });
    const counts = states.map(({ productCount }) => productCount);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    // Each checkpoint is an event of its own; a subscriber sees the import as it is by then.
    expect(states.length).toBeGreaterThanOrEqual(3);
    expect(await rowsOf(shop.db, `SELECT count(*)::int AS n FROM products WHERE slug LIKE 'p-%'`)).toEqual([
      { n: 209 },
    ]);
  });
});
