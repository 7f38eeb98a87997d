import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzzReads } from '../../bench/fuzz-reads/run.ts';
import { bearer, newStaff } from '../support/accounts.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { sized } from '../support/sizes.ts';

let database: TestDatabase;
let redis: TestRedis | null = null;
const shops: TestShop[] = [];

async function open(READ_CACHE_MB: string): Promise<TestShop> {
  const env = { READ_CACHE_MB, ...(redis === null ? {} : { REDIS_URL: redis.url }) };
  const shop = await createTestShop({ env, database, overrides: { quiet: true } });
  shops.push(shop);
  return shop;
}

beforeAll(async () => {
  database = await createTestDatabase();
  redis = hasRedis('reading from memory on several nodes') ? await startRedis() : null;
  // The first is the one without memory; the last is so small that answers are evicted all the time.
  for (const megabytes of ['0', '64', '1']) await open(megabytes);
});
afterAll(async () => {
  for (const shop of shops) await shop.dispose();
  await redis?.dispose();
  await database.dispose();
});

// The long run, with other seeds, is `npm run fuzz:reads`.
test(
  'no node ever gives an answer that the log proves wrong, while two of them write',
  { timeout: 120_000 },
  async () => {
    const [plain, ...nodes] = shops;
    if (plain === undefined) throw new Error('no shop was opened');
    const { accessToken } = await newStaff(plain);
    const wrong = await fuzzReads({
      nodes: nodes.map(({ app }) => app),
      plain: plain.app,
      seed: 20_261_129,
      reads: sized({ inCi: 300, daily: 100 }),
      logIn: () => Promise.resolve(bearer(accessToken)),
    });
    expect(wrong).toEqual([]);
  },
);
