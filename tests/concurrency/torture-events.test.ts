import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { UsageError } from '../../bench/options.ts';
import { runTortureEvents } from '../../bench/torture-events/main.ts';
import { readOptions } from '../../bench/torture-events/options.ts';
import { compare, judge, type Facts } from '../../bench/torture-events/verdict.ts';
import { newPerson, newStaff, PASSWORD } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { runAsProcess, runInProcess, untilReady } from '../support/command.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { hasRedis } from '../support/redis.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const HAS_REDIS = hasRedis('A torture run that kills it');

let database: TestDatabase;
let shop: TestShop;
beforeAll(async () => {
  database = await createTestDatabase();
  shop = await createTestShop({ database, env: { BCRYPT_COST: '4' } });
  await untilReady(shop);
});
afterAll(async () => {
  await shop.dispose();
  await database.dispose();
});

/** Runs the command in this process. */
const torture = (args: readonly string[], databaseUrl = database.url, signal?: AbortSignal) =>
  runInProcess(runTortureEvents, args, { env: environmentOf(databaseUrl), signal });

/** Runs the command as a person would. */
const tortureAsProcess = (args: readonly string[], databaseUrl = database.url) =>
  runAsProcess('bench/torture-events.ts', args, environmentOf(databaseUrl));

function environmentOf(databaseUrl: string) {
  return { DATABASE_URL: databaseUrl, DATA_DIR: inject('postgres').runFolder };
}

const SHORT = ['--seconds', '3', '--subscribers', '8', '--writers', '4', '--rate', '20'];

describe('npm run torture:events', () => {
  test('passes while Redis and a node are killed and come back', async () => {
    const own = await createTestDatabase();
    try {
      const { code, output } = await tortureAsProcess(['--spawn', ...SHORT, '--seconds', '5'], own.url);
      expect(output).not.toContain('✗');
      const acts = output
        .split('\n')
        .flatMap((line) => /^ {2}((?:killed|started) +(?:http|Redis))/.exec(line)?.[1] ?? []);
      const node = ['killed   http', 'started  http'];
      expect(acts).toEqual(HAS_REDIS ? ['killed   Redis', ...node, 'started  Redis'] : node);
      if (HAS_REDIS)
        expect(output).toContain('✓ Redis was killed and came back: 2 of 2 nodes missed it, 2 have it again');
      else expect(output).toContain('There is no redis-server here');
      const redis = HAS_REDIS ? ', Redis killed and back' : '';
      expect(output).toMatch(
        new RegExp(
          `^5 s, \\d+ events, 8 subscribers dropped [1-9]\\d* times, who saw [1-9]\\d*${redis}: gaps 0, repeats 0, disorder 0, strangers 0 → PASS$`,
          'm',
        ),
      );
      expect(code).toBe(0);
    } finally {
      await own.dispose();
    }
  });

  test('passes on a running shop, with staff and guests; its products are not to be found after it', async () => {
    const staff = await newStaff(shop);
    const second = await createTestShop({ database, env: { BCRYPT_COST: '4' } });
    try {
      await untilReady(second);
      const where = ['--url', shop.url, '--url', second.url];
      const { code, output } = await torture([
        ...SHORT,
        ...where,
        '--admin-email',
        staff.email,
        '--admin-password',
        PASSWORD,
      ]);
      expect(output).not.toContain('✗');
      expect(output).toContain('(staff and guests)');
      expect(output).toMatch(/→ PASS$/m);
      expect(code).toBe(0);
    } finally {
      await second.dispose();
    }
    const reasons = await rowsOf(
      shop.db,
      `SELECT DISTINCT reason::text FROM stock_movements WHERE reason IN ('RESTOCK', 'HOLD') ORDER BY 1`,
    );
    expect(reasons).toEqual([{ reason: 'HOLD' }, { reason: 'RESTOCK' }]);
    expect(await rowsOf(shop.db, 'SELECT DISTINCT status FROM products')).toEqual([{ status: 'ARCHIVED' }]);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('fails where the log has not what was seen', async () => {
    const run = torture([...SHORT, '--url', shop.url]);
    // A change that all subscribers received is deleted from the log.
    const seen = await until('stock moves', async () => {
      const [row] = await rowsOf<{ id: bigint }>(
        shop.db,
        `SELECT e.id FROM event_log e JOIN product_variants v ON v.id = e.subject_id JOIN products p ON p.id = v.product_id
            WHERE p.status = 'ACTIVE' AND e.seq + 20 < (SELECT last FROM event_sequence)
              AND (e.payload->>'previousAvailable')::int > 0 ORDER BY e.seq LIMIT 1`,
      );
      return row;
    });
    await rowsOf(shop.db, 'DELETE FROM event_log WHERE id = $1', [known(seen).id]);
    const { code, output } = await run;
    expect(output).toContain('✗ nothing came that the log does not have');
    expect(output).toMatch(/gaps 0, repeats 0, disorder 0, strangers [1-9]\d* → FAIL$/m);
    expect(code).toBe(1);
  });

  test('says what to do where there is no shop, one with another database, or one that limits its clients', async () => {
    const nowhere = await torture(['--url', 'http://localhost:9']);
    expect(nowhere).toMatchObject({ code: 2, output: expect.stringContaining('npm start') as string });

    const other = await createTestDatabase();
    const throttling = { limits: { guestsByClient: { points: 5, seconds: 3600 } } };
    const limited = await createTestShop({ database, env: { RATE_LIMITS: 'on' }, overrides: { throttling } });
    try {
      await untilReady(limited);
      const elsewhere = await torture(['--url', shop.url], other.url);
      expect(elsewhere).toMatchObject({ code: 2, output: expect.stringContaining('DATABASE_URL') as string });
      const refused = await torture([...SHORT, '--seconds', '60', '--writers', '20', '--url', limited.url]);
      expect(refused).toMatchObject({ code: 2, output: expect.stringContaining('RATE_LIMITS=off') as string });
    } finally {
      await limited.dispose();
      await other.dispose();
    }
  });

  test('reports an account that is not of staff', async () => {
    const customer = await newPerson(shop);
    const admin = ['--admin-email', customer.email, '--admin-password', PASSWORD];
    expect(await torture([...SHORT, ...admin, '--url', shop.url])).toMatchObject({
      code: 2,
      output: expect.stringContaining('nobody of the staff') as string,
    });
  });

  test('gives no verdict when it is interrupted', async () => {
    const { code, output } = await torture([...SHORT, '--url', shop.url], database.url, AbortSignal.abort());
    expect(output).toContain('Interrupted: no verdict.');
    expect(output).not.toContain('→');
    expect(code).toBe(130);
  });

  test('explains itself', async () => {
    const { code, output } = await tortureAsProcess(['--fast']);
    expect(output).toContain("Unknown option '--fast'");
    expect(output).toContain('npm run torture:events --');
    expect(code).toBe(2);
  });

  test.each([
    [['--seconds', '1'], '--seconds takes a whole number from 2'],
    [['--subscribers', 'many'], '--subscribers takes a whole number from 2'],
    [['--url', 'localhost'], '--url takes an address'],
    [['--spawn', '--url', 'http://localhost:4000'], '--spawn starts nodes of its own'],
    [['--admin-email', 'grace@example.com'], 'go together'],
  ])('refuses %s', (args, explanation) => {
    const read = () => readOptions(args, { url: 'http://localhost:4000', admin: null });
    expect(read).toThrow(UsageError);
    expect(read).toThrow(explanation);
  });
});

describe('what was seen, beside the log', () => {
  const log = [1, 2, 5, 6].map((seq) => ({ seq, available: 10 * seq }));
  const seen = (...numbers: number[]) => numbers.map((seq) => ({ seq, available: 10 * seq }));
  const none = { gaps: 0, repeats: 0, disorder: 0, strangers: 0 };

  test.each([
    ['all of it', seen(1, 2, 5, 6), none],
    ['nothing', [], { ...none, gaps: 4 }],
    ['not the first', seen(2, 5, 6), { ...none, gaps: 1 }],
    ['not the last', seen(1, 2, 5), { ...none, gaps: 1 }],
    ['one twice', seen(1, 2, 2, 5, 6), { ...none, repeats: 1 }],
    ['all twice', seen(1, 2, 5, 6, 1, 2, 5, 6), { ...none, repeats: 4 }],
    ['two the wrong way round', seen(1, 5, 2, 6), { ...none, disorder: 1 }],
    ['one that is not there', seen(1, 2, 3, 5, 6), { ...none, strangers: 1 }],
    ['one that says something else', [...seen(1, 2, 5), { seq: 6, available: 61 }], { ...none, gaps: 1, strangers: 1 }],
  ])('%s', (_what, sequence, difference) => {
    expect(compare(sequence, log)).toEqual(difference);
  });
});

describe('the verdict', () => {
  const log = [
    { seq: 1, available: 9, variantId: 'a' },
    { seq: 2, available: 5, variantId: 'b' },
    { seq: 4, available: 8, variantId: 'a' },
  ];
  const at = (...numbers: number[]) => log.filter(({ seq }) => numbers.includes(seq));
  const both = { name: 'one over SSE', variantIds: new Set(['a', 'b']), seen: at(1, 2, 4) };
  const single = { name: 'another', variantIds: new Set(['a']), seen: at(1, 4) };
  const sound: Facts = {
    seconds: 9,
    log,
    followed: [both, single],
    drops: 3,
    faults: [],
    usedAfterKill: null,
    redis: null,
  };

  test('is good where each saw what it watched', () => {
    expect(judge(sound)).toMatchObject({
      exitCode: 0,
      line: '9 s, 3 events, 2 subscribers dropped 3 times, who saw 5: gaps 0, repeats 0, disorder 0, strangers 0 → PASS',
    });
    expect(judge({ ...sound, usedAfterKill: 1 }).exitCode).toBe(0);
    expect(judge({ ...sound, redis: { missed: 2, met: 2, nodes: 2 } })).toMatchObject({
      exitCode: 0,
      line: expect.stringContaining('who saw 5, Redis killed and back: gaps 0') as string,
    });
  });

  test.each<[string, Partial<Facts>]>([
    ['one missed something', { followed: [both, { ...single, seen: at(4) }] }],
    ['one received an event twice', { followed: [{ ...both, seen: [...at(1, 2, 4), ...at(4)] }, single] }],
    ['one received what it did not watch', { followed: [both, { ...single, seen: at(1, 2, 4) }] }],
    ['one received events in another order', { followed: [{ ...both, seen: at(1, 2, 4).toReversed() }, single] }],
    ['nobody was dropped', { drops: 0 }],
    ['nothing happened', { log: [], followed: [] }],
    ['there was a server error', { faults: ['a write: status 500'] }],
    ['nobody came back to the node that was killed', { usedAfterKill: 0 }],
    ['a node did not notice that Redis was gone', { redis: { missed: 1, met: 2, nodes: 2 } }],
    ['a node did not find Redis again', { redis: { missed: 2, met: 1, nodes: 2 } }],
  ])('is bad where %s', (_what, broken) => {
    const verdict = judge({ ...sound, ...broken });
    expect(verdict.exitCode).toBe(1);
    expect(verdict.line).toMatch(/→ FAIL$/);
    expect(verdict.checks.filter((check) => !check.passed).length).toBeGreaterThan(0);
  });
});
