import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checksumsOf } from '../../src/infra/migrations/migration-files.ts';
import { LOCK_PATIENCE } from '../../src/infra/migrations/migration-locks.ts';
import { migrate, MIGRATOR_WAIT_MS } from '../../src/infra/migrations/migrations.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { TIME_LIMITS } from '../../src/infra/postgres/connection.ts';
import { holdBarrier, watchLocks, type Barrier, type LockWatch } from '../support/barriers.ts';
import { known } from '../support/known.ts';
import { recordLogs, WARN } from '../support/logs.ts';
import { folderOfMigrations } from '../support/migration-folders.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const ONE: [string, string] = ['20270101000000_one', 'CREATE TABLE one (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)'];
const COLUMN: [string, string] = [
  '20270102000000_column',
  'CREATE TABLE other (id int);\nALTER TABLE one ADD COLUMN label text',
];
/** As many tries as a test needs until it lets go. */
const UNTIL_FREE = { timeoutMs: 300, pausesMs: Array.from({ length: 500 }, () => 10) };

let database: TestDatabase;
let db: Database;
let locks: LockWatch;

beforeEach(async () => {
  database = await createEmptyDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 4, logger: recordLogs().logger });
  locks = await watchLocks(db);
});

afterEach(async () => {
  await locks[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

function start(scripts: [string, string][], patience = UNTIL_FREE, signal?: AbortSignal) {
  const { logger, logs } = recordLogs();
  const migrating = migrate({
    connectionString: database.url,
    logger,
    migrationsDir: folderOfMigrations(scripts),
    patience,
    signal,
  });
  migrating.catch(() => {});
  return { migrating, logs };
}

/** A transaction that has read the table and goes on. */
async function holdReader(): Promise<Barrier> {
  return holdBarrier(db, `SET idle_in_transaction_session_timeout = 0; SELECT FROM one`);
}

async function columns(): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    text: `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'one'::regclass AND attnum > 0 ORDER BY attnum`,
  });
  return rows.map(({ name }) => name);
}

async function recorded(): Promise<{ name: string; finished: boolean }[]> {
  return db.query({
    text: `SELECT migration_name AS name, finished_at IS NOT NULL AS finished FROM _prisma_migrations
            WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  });
}

describe('a migration that needs a table which a long transaction has read', () => {
  beforeEach(async () => {
    await start([ONE]).migrating;
  });

  test('lets other statements pass, and is applied once the transaction is over', async () => {
    await using reader = await holdReader();
    const { migrating, logs } = start([ONE, COLUMN]);
    await locks.untilWaiting(1, 'ALTER TABLE');
    // This read queues behind the migration, and the transaction of the test is still open when it gets through.
    expect(await db.query({ text: 'SELECT count(*)::int AS rows FROM one' })).toEqual([{ rows: 0 }]);
    expect(await reader.query('SELECT 1 AS open')).toEqual([{ open: 1 }]);
    expect(await columns()).toEqual(['id', 'n']);
    await until('the log has the first try', () => logs.some(({ level }) => level === WARN));
    expect(logs.find(({ level }) => level === WARN)).toMatchObject({
      msg: 'a migration did not get a lock in time; it was rolled back and is retried after a pause',
      migration: COLUMN[0],
      try: 1,
      tries: 501,
      pauseMs: 10,
    });
    await reader.release();
    expect(await migrating).toEqual({ applied: [COLUMN[0]] });
    expect(await columns()).toEqual(['id', 'n', 'label']);
    expect(await recorded()).toEqual([ONE, COLUMN].map(([name]) => ({ name, finished: true })));
  });

  test('fails after the last try, names the transaction, and leaves nothing behind', async () => {
    await using reader = await holdReader();
    await reader.query(`SET application_name = 'a report'`);
    const [{ pid } = { pid: 0 }] = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { migrating } = start([ONE, COLUMN], { timeoutMs: 1000, pausesMs: [10, 10] });
    const message = await migrating.then(
      () => 'applied',
      (error: Error) => error.message,
    );
    expect(message).toMatch(
      new RegExp(
        String.raw`^Migration 20270102000000_column did not get a lock within 1 s, in 3 tries over \d+ s, because other sessions held it\. ` +
          String.raw`What was not committed is rolled back\. It last waited for the table or index one of:\n` +
          String.raw`  pid ${pid}, application_name a report, role \w+, idle in transaction, in a transaction for \d+ s\n` +
          String.raw`Wait until that is over, or end it \(SELECT pg_terminate_backend\(${pid}\)\), then start again\.$`,
      ),
    );
    expect(await columns()).toEqual(['id', 'n']);
    expect(await recorded()).toEqual([{ name: ONE[0], finished: true }]);
    await reader.release();
    expect(await start([ONE, COLUMN]).migrating).toEqual({ applied: [COLUMN[0]] });
  });

  test('ends at a stop signal', async () => {
    await using _reader = await holdReader();
    const stop = new AbortController();
    const { migrating, logs } = start([ONE, COLUMN], { timeoutMs: 100, pausesMs: [3_600_000] }, stop.signal);
    await until('it pauses', () => logs.some(({ level }) => level === WARN));
    stop.abort();
    await expect(migrating).rejects.toBe(stop.signal.reason);
    expect(await columns()).toEqual(['id', 'n']);
  });

  test('statement by statement goes on where it is', async () => {
    const steps: [string, string] = [
      '20270103000000_steps',
      'INSERT INTO one VALUES (1, 1);\nALTER TABLE one ADD COLUMN label text;\n' +
        'CREATE INDEX CONCURRENTLY one_n ON one (n);\nUPDATE one SET n = n + 10;\nVACUUM (FULL) one',
    ];
    await using reader = await holdReader();
    const { migrating, logs } = start([ONE, steps]);
    await until('it gave up once', () => logs.some(({ level }) => level === WARN));
    expect(await recorded()).toEqual([
      { name: ONE[0], finished: true },
      { name: steps[0], finished: false },
    ]);
    await reader.release();
    expect(await migrating).toEqual({ applied: [steps[0]] });
    expect(await db.query({ text: 'SELECT n FROM one' })).toEqual([{ n: 11 }]);
  });

  test('found by an earlier version half-way is judged once the table is free', async () => {
    await db.query({ text: COLUMN[1] });
    await db.query(
      {
        text: `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)`,
      },
      [randomUUID(), known(checksumsOf(COLUMN[1])[0]), COLUMN[0]],
    );
    await using reader = await holdBarrier(db, 'LOCK TABLE one IN ACCESS SHARE MODE');
    const { migrating, logs } = start([ONE, COLUMN]);
    await until('it gave up once', () => logs.some((record) => record.try === 1));
    await reader.release();
    expect(await migrating).toEqual({ applied: [] });
    expect(await recorded()).toEqual([ONE, COLUMN].map(([name]) => ({ name, finished: true })));
  });
});

test('VACUUM FULL gives up its place in the queue, too', async () => {
  await start([ONE]).migrating;
  await using reader = await holdReader();
  const { migrating, logs } = start([ONE, ['20270103000000_full', 'VACUUM FULL one']]);
  await locks.untilWaiting(1, 'VACUUM');
  expect(await db.query({ text: 'SELECT FROM one' })).toEqual([]);
  await reader.release();
  expect(await migrating).toEqual({ applied: ['20270103000000_full'] });
  expect(logs.some(({ level }) => level === WARN)).toBe(true);
});

test('an index that is made concurrently waits for a transaction as long as it takes, since nobody waits behind it', async () => {
  await start([ONE]).migrating;
  await using writer = await holdBarrier(db, 'INSERT INTO one VALUES (1)');
  const index: [string, string] = ['20270103000000_index', 'CREATE INDEX CONCURRENTLY one_n ON one (n)'];
  const { migrating, logs } = start([ONE, index], { timeoutMs: 50, pausesMs: [] });
  await locks.untilWaiting(1, 'CREATE INDEX');
  await locks.untilPast(new Date(Date.now() + 200));
  expect(await locks.waiters()).toHaveLength(1);
  await db.query({ text: 'INSERT INTO one VALUES (2)' });
  await writer.release();
  expect(await migrating).toEqual({ applied: [index[0]] });
  expect(await db.query({ text: 'SELECT FROM pg_index WHERE NOT indisvalid' })).toEqual([]);
  expect(logs.filter(({ level }) => level >= WARN)).toEqual([]);
});

test('a migration that PostgreSQL cancels in a deadlock is retried', async () => {
  // The migration looks for a deadlock after the test has closed the circle; the test never looks.
  await db.query({ text: `ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET deadlock_timeout = '3s'` });
  await start([ONE, ['20270102000000_two', 'CREATE TABLE two (id int)']]).migrating;
  await using other = await holdBarrier(db, `SET deadlock_timeout = '1h'; SET lock_timeout = 0; LOCK TABLE two`);
  const scripts: [string, string][] = [
    ONE,
    ['20270102000000_two', 'CREATE TABLE two (id int)'],
    ['20270103000000_both', 'ALTER TABLE one ADD COLUMN a int;\nALTER TABLE two ADD COLUMN a int'],
  ];
  const { migrating, logs } = start(scripts, { timeoutMs: 30_000, pausesMs: [10] });
  await locks.untilWaiting(1, 'ALTER TABLE two');
  await other.query('LOCK TABLE one');
  await other.release();
  expect(await migrating).toEqual({ applied: ['20270103000000_both'] });
  expect(logs.filter(({ level }) => level === WARN)).toHaveLength(1);
});

test('a migration waits for a lock less long than the statements of the shop that queue behind it', () => {
  expect(LOCK_PATIENCE.timeoutMs).toBeLessThan(TIME_LIMITS.lock);
  const { timeoutMs, pausesMs } = LOCK_PATIENCE;
  expect(pausesMs.reduce((sum, pause) => sum + pause, timeoutMs * (pausesMs.length + 1))).toBeLessThan(
    MIGRATOR_WAIT_MS,
  );
});
