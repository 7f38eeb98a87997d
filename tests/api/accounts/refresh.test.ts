import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  faultsOf,
  login,
  newPerson,
  openNode,
  refresh,
  whoIs,
  bearer,
  type Auth,
  type Person,
} from '../../support/accounts.ts';
import { holdBarrier, watchLocks, type LockWatch } from '../../support/barriers.ts';
import { rowsOf } from '../../support/books.ts';
import { eventsOf } from '../../support/records.ts';
import { rowId } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';

let shop: TestShop;
let watch: LockWatch;
beforeAll(async () => {
  shop = await createApiNode();
  watch = await watchLocks(shop.db);
});
afterAll(async () => {
  await watch[Symbol.asyncDispose]();
  await shop.dispose();
});

const INVALID = [['TOKEN_INVALID', 'refreshToken']];

/** As if it had been spent so long ago. */
function age(person: Person, interval: string): Promise<unknown> {
  const text = `UPDATE refresh_tokens SET spent_at = spent_at - $2::interval WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)`;
  return rowsOf(shop.db, text, [rowId(person.userId), interval]);
}

async function sessionOf(person: Person): Promise<{ id: string; ended: boolean; tokens: number }[]> {
  const text = `SELECT id, ended_at IS NOT NULL AS ended, (SELECT count(*)::int FROM refresh_tokens WHERE session_id = s.id) AS tokens
                  FROM sessions s WHERE user_id = $1`;
  return rowsOf(shop.db, text, [rowId(person.userId)]);
}

const use = (token: string | null) => refresh(shop.client(), token ?? '');

test('gives new tokens of the same session, and keeps only hashes', async () => {
  const ada = await newPerson(shop);
  const [before] = await rowsOf<{ used: Date; expires: Date }>(
    shop.db,
    'SELECT last_used_at AS used, expires_at AS expires FROM sessions WHERE user_id = $1',
    [rowId(ada.userId)],
  );
  const next = await use(ada.refreshToken);
  expect(next).toMatchObject({ user: { id: ada.userId }, errors: [], cartNotices: [] });
  expect(next.refreshToken).toMatch(/^[\w-]{43}$/);
  expect(next.refreshToken).not.toBe(ada.refreshToken);
  expect(await whoIs(shop.client(), bearer(next.accessToken ?? ''))).toBe(ada.email);
  // The access token of before is good until its own end.
  expect(await whoIs(ada.client)).toBe(ada.email);
  expect(await sessionOf(ada)).toMatchObject([{ ended: false, tokens: 2 }]);
  const [after] = await rowsOf<{ used: Date; expires: Date }>(
    shop.db,
    'SELECT last_used_at AS used, expires_at AS expires FROM sessions WHERE user_id = $1',
    [rowId(ada.userId)],
  );
  expect(after?.used.getTime()).toBeGreaterThan(before?.used.getTime() ?? Infinity);
  expect(after?.expires.getTime()).toBe((after?.used.getTime() ?? 0) + 30 * 24 * 60 * 60 * 1000);

  const [kept] = await rowsOf<{ all: string }>(
    shop.db,
    `SELECT string_agg(t::text || encode(hash, 'base64'), '') AS all FROM refresh_tokens t`,
  );
  expect(kept?.all).not.toContain(ada.refreshToken.slice(0, 30));
  expect((await use(next.refreshToken)).errors).toEqual([]);
});

describe('a spent token that comes again', () => {
  test('within ten seconds gets the same successor: there is one branch', async () => {
    const ada = await newPerson(shop);
    const first = await use(ada.refreshToken);
    await age(ada, '9 seconds');
    const second = await use(ada.refreshToken);
    expect(second.errors).toEqual([]);
    expect(second.refreshToken).toBe(first.refreshToken);
    expect(await whoIs(shop.client(), bearer(second.accessToken ?? ''))).toBe(ada.email);
    expect((await use(first.refreshToken)).errors).toEqual([]);
    expect(await sessionOf(ada)).toMatchObject([{ ended: false, tokens: 3 }]);
  });

  test('gets the token that is live, where the successor was spent meanwhile', async () => {
    const ada = await newPerson(shop);
    const first = await use(ada.refreshToken);
    const second = await use(first.refreshToken);
    const late = await use(ada.refreshToken);
    expect([late.errors, late.refreshToken]).toEqual([[], second.refreshToken]);
    await age(ada, '11 seconds');
    expect((await use(late.refreshToken)).errors).toEqual([]);
  });

  test('gets its successor after the secret was rotated, too', async () => {
    const ada = await newPerson(shop);
    const first = await use(ada.refreshToken);
    const secrets = ['another secret of tests that is long enough', ...shop.config.secrets];
    const rotated = await openNode(shop, { JWT_SECRET: secrets.join(',') });
    try {
      expect((await refresh(rotated.client(), ada.refreshToken)).refreshToken).toBe(first.refreshToken);
    } finally {
      await rotated.dispose();
    }
  });

  test('has a successor that cannot be computed without the secret of the shop', async () => {
    const ada = await newPerson(shop);
    const { refreshToken } = await use(ada.refreshToken);
    for (const key of ['', ada.refreshToken]) {
      expect(createHmac('sha256', key).update(ada.refreshToken).digest('base64url')).not.toBe(refreshToken);
    }
    expect(createHash('sha256').update(ada.refreshToken).digest('base64url')).not.toBe(refreshToken);
  });

  test('later ends the session, with all that was given out for it', async () => {
    const ada = await newPerson(shop);
    const stolen = await use(ada.refreshToken);
    await age(ada, '11 seconds');
    expect(faultsOf(await use(ada.refreshToken))).toEqual(INVALID);
    const [session] = await sessionOf(ada);
    expect(session).toMatchObject({ ended: true, tokens: 2 });
    expect(faultsOf(await use(stolen.refreshToken))).toEqual(INVALID);
    expect(await whoIs(ada.client)).toEqual(['401', 'UNAUTHENTICATED']);
    expect(await whoIs(shop.client(), bearer(stolen.accessToken ?? ''))).toEqual(['401', 'UNAUTHENTICATED']);
    const payload = { sessionId: session?.id, userId: rowId(ada.userId), reason: 'TOKEN_REUSED' };
    expect(await eventsOf(shop, session?.id ?? '')).toEqual([{ type: 'session_ended', payload }]);
    // Once more changes nothing.
    expect(faultsOf(await use(ada.refreshToken))).toEqual(INVALID);
    expect(await eventsOf(shop, session?.id ?? '')).toHaveLength(1);
  });

  test('does not get more time by coming often', async () => {
    const ada = await newPerson(shop);
    await use(ada.refreshToken);
    await age(ada, '6 seconds');
    expect((await use(ada.refreshToken)).errors).toEqual([]);
    await age(ada, '6 seconds');
    expect(faultsOf(await use(ada.refreshToken))).toEqual(INVALID);
  });

  test('ends no other session', async () => {
    const ada = await newPerson(shop);
    const elsewhere = await newPerson(shop);
    await use(ada.refreshToken);
    await age(ada, '11 seconds');
    await use(ada.refreshToken);
    expect(await whoIs(elsewhere.client)).toBe(elsewhere.email);
  });
});

test('tabs that refresh at once, all waiting for the session, get one live token', async () => {
  const ada = await newPerson(shop);
  await using barrier = await holdBarrier(shop.db, 'SELECT FROM sessions WHERE user_id = $1 FOR UPDATE', [
    rowId(ada.userId),
  ]);
  const tabs = Promise.all([use(ada.refreshToken), use(ada.refreshToken), use(ada.refreshToken)]);
  await watch.untilWaiting(3, 'FROM sessions');
  await barrier.release();
  const given: Auth[] = await tabs;
  expect(given.flatMap((auth) => auth.errors)).toEqual([]);
  expect(new Set(given.map((auth) => auth.refreshToken)).size).toBe(1);
  expect(await sessionOf(ada)).toMatchObject([{ ended: false, tokens: 2 }]);
});

test('twenty refreshes at once leave one live token', async () => {
  const ada = await newPerson(shop);
  const given = await Promise.all(Array.from({ length: 20 }, () => use(ada.refreshToken)));
  expect(given.flatMap((auth) => auth.errors)).toEqual([]);
  expect(new Set(given.map((auth) => auth.refreshToken)).size).toBe(1);
  const text = `SELECT FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.user_id = $1 AND t.spent_at IS NULL`;
  expect(await rowsOf(shop.db, text, [rowId(ada.userId)])).toHaveLength(1);
});

test('a session has an absolute end, however often it is refreshed', async () => {
  const ada = await newPerson(shop);
  const made = (interval: string) =>
    rowsOf(shop.db, 'UPDATE sessions SET created_at = created_at - $2::interval WHERE user_id = $1', [
      rowId(ada.userId),
      interval,
    ]);
  await made('170 days');
  const next = await use(ada.refreshToken);
  expect(next.errors).toEqual([]);
  const [session] = await rowsOf<{ days: number }>(
    shop.db,
    'SELECT extract(epoch FROM expires_at - created_at)::int / 86400 AS days FROM sessions WHERE user_id = $1',
    [rowId(ada.userId)],
  );
  expect(session?.days).toBe(180);
  await made('10 days');
  expect(faultsOf(await use(next.refreshToken))).toEqual(INVALID);
});

test('SESSION_MAX_DAYS says when a session ends', async () => {
  const brief = await openNode(shop, { SESSION_MAX_DAYS: '2' });
  try {
    const ada = await newPerson(shop);
    await login(brief.client(), { email: ada.email });
    const rows = await rowsOf<{ days: number }>(
      shop.db,
      `SELECT extract(epoch FROM expires_at - created_at)::int / 86400 AS days FROM sessions WHERE user_id = $1 ORDER BY days`,
      [rowId(ada.userId)],
    );
    expect(rows.map(({ days }) => days)).toEqual([2, 30]);
  } finally {
    await brief.dispose();
  }
});

test('a refresh that waits while the session ends gets nothing', async () => {
  const ada = await newPerson(shop);
  await using barrier = await holdBarrier(
    shop.db,
    'UPDATE sessions SET ended_at = clock_timestamp() WHERE user_id = $1',
    [rowId(ada.userId)],
  );
  const waiting = use(ada.refreshToken);
  await watch.untilWaiting(1, 'FROM sessions');
  await barrier.release();
  expect(faultsOf(await waiting)).toEqual(INVALID);
  expect(await sessionOf(ada)).toMatchObject([{ ended: true, tokens: 1 }]);
});

test.each<[string, string]>([
  [
    'the session has run out',
    `UPDATE sessions SET expires_at = created_at + interval '1 microsecond' WHERE user_id = $1`,
  ],
  ['the session has ended', 'UPDATE sessions SET ended_at = clock_timestamp() WHERE user_id = $1'],
  [
    'the token is older than 30 days',
    `UPDATE refresh_tokens SET created_at = created_at - interval '30 days' WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)`,
  ],
])('is refused where %s', async (_what, change) => {
  const ada = await newPerson(shop);
  await rowsOf(shop.db, change, [rowId(ada.userId)]);
  expect(faultsOf(await use(ada.refreshToken))).toEqual(INVALID);
  expect(await sessionOf(ada)).toMatchObject([{ tokens: 1 }]);
});

test.each(['', 'x', 'a'.repeat(43), `${'a'.repeat(42)}\u0000`, 'a'.repeat(5000)])('refuses %j', async (token) => {
  expect(faultsOf(await use(token))).toEqual(INVALID);
});
