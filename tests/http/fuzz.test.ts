import { afterAll, beforeAll, expect, test } from 'vitest';
import { somebodyOfEachKind } from '../../bench/fuzz/people.ts';
import { runFuzz } from '../../bench/fuzz/run.ts';
import { makeProduct } from '../support/fixtures.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

const ADMIN = { email: 'fuzz-admin@example.com', password: 'a password for fuzzing' };

let shop: TestShop;
beforeAll(async () => {
  shop = await createTestShop({
    env: { BCRYPT_COST: '4', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password },
  });
  for (let i = 0; i < 5; i += 1) await makeProduct(shop.app);
});
afterAll(() => shop.dispose());

// The long run, with other seeds, is `npm run fuzz`.
test(
  'operations of the schema, bytes and frames of every kind come to no fault of the shop',
  { timeout: 120_000 },
  async () => {
    const findings = await runFuzz({
      url: shop.url,
      seed: 20_261_128,
      inputs: 600,
      identities: () => somebodyOfEachKind(shop.url, ADMIN),
    });
    expect(findings).toEqual([]);
    expect(shop.logs.filter(({ level }) => level >= 50)).toEqual([]);
    expect((await shop.request({ path: '/health/ready' })).status).toBe(200);
  },
);
