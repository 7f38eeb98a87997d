import { inject, expect, onTestFinished, test } from 'vitest';
import { measure } from '../../bench/memory/compare.ts';
import { createTestDatabase } from '../support/postgres.ts';

const SOCKETS = 500;

test('an idle subscriber costs less than twice the memory of a bare socket', { timeout: 120_000 }, async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: database.url,
    DATA_DIR: inject('postgres').runFolder,
    JWT_SECRET: 'a secret of tests that is long enough',
    // All sockets come from one address.
    RATE_LIMITS: 'off',
  };
  const [shop, bare] = [
    await measure('shop', { sockets: SOCKETS, env }),
    await measure('bare', { sockets: SOCKETS, env }),
  ];
  // What a socket of `ws` takes does not depend on us: this says that something was measured.
  expect(bare.heap + bare.external).toBeGreaterThan(2000);
  expect((shop.heap + shop.external) / (bare.heap + bare.external)).toBeLessThan(2);
});
