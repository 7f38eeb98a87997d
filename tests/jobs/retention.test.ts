import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeOld, type RetentionRule } from '../../src/infra/retention.ts';
import { accountRetention } from '../../src/modules/accounts/account.retention.ts';
import { login, newPerson, refresh, resetToken } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const ruleOf = (name: string): RetentionRule => known(accountRetention.find((rule) => rule.remove.name === name));
const counts = async () =>
  known(
    (
      await rowsOf<{ sessions: number; tokens: number; resets: number }>(
        shop.db,
        `SELECT (SELECT count(*)::int FROM sessions) AS sessions, (SELECT count(*)::int FROM refresh_tokens) AS tokens,
                (SELECT count(*)::int FROM password_resets) AS resets`,
      )
    )[0],
  );

async function change(sql: string): Promise<void> {
  await rowsOf(shop.db, sql);
}

test('sessions go 30 days after they were over, with their tokens; live ones stay', async () => {
  const ada = await newPerson(shop);
  await login(shop.client(), { email: ada.email });
  await login(shop.client(), { email: ada.email });
  const rule = ruleOf('retention_sessions');
  const before = await counts();
  expect(await removeOld({ db: shop.db, rule })).toBe(0);
  await change(
    `UPDATE sessions SET ended_at = clock_timestamp() - interval '29 days' WHERE id = (SELECT max(id::text)::uuid FROM sessions)`,
  );
  await change(
    `UPDATE sessions SET created_at = created_at - interval '61 days', expires_at = clock_timestamp() - interval '31 days' WHERE id = (SELECT min(id::text)::uuid FROM sessions)`,
  );
  expect(await removeOld({ db: shop.db, rule })).toBe(1);
  expect(await counts()).toEqual({ ...before, sessions: before.sessions - 1, tokens: before.tokens - 1 });
});

test('tokens go 30 days after they were spent; the session goes on', async () => {
  const ada = await newPerson(shop);
  const { refreshToken } = await refresh(shop.client(), ada.refreshToken);
  const rule = ruleOf('retention_refresh_tokens');
  const before = await counts();
  expect(await removeOld({ db: shop.db, rule })).toBe(0);
  await change(`UPDATE refresh_tokens SET spent_at = spent_at - interval '30 days 1 second'`);
  expect(await removeOld({ db: shop.db, rule })).toBe(1);
  expect((await counts()).tokens).toBe(before.tokens - 1);
  expect((await refresh(shop.client(), known(refreshToken))).errors).toEqual([]);
});

test('links for forgotten passwords go a day after they were over', async () => {
  const ada = await newPerson(shop);
  await resetToken(shop, ada.email);
  const rule = ruleOf('retention_password_resets');
  expect(await removeOld({ db: shop.db, rule })).toBe(0);
  await change(`UPDATE password_resets SET expires_at = clock_timestamp() - interval '25 hours'`);
  expect(await removeOld({ db: shop.db, rule })).toBe(1);
  expect((await counts()).resets).toBe(0);
});

test('many go in batches, until it is told to stop', async () => {
  const fill = () =>
    change(`INSERT INTO password_resets (id, requested_at, expires_at)
            SELECT gen_random_uuid(), t, t FROM generate_series(1, 2500), (SELECT clock_timestamp() - interval '2 days' AS t) AS past`);
  const rule = ruleOf('retention_password_resets');
  await fill();
  const stop = new AbortController();
  const db = {
    query: async <Row extends object>(...args: Parameters<typeof shop.db.query>) => {
      const rows = await shop.db.query<Row>(...args);
      stop.abort();
      return rows;
    },
  };
  expect(await removeOld({ db, rule, signal: stop.signal })).toBe(1000);
  expect(await removeOld({ db: shop.db, rule })).toBe(1500);
});
