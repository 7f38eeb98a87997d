import { spawnSync } from 'node:child_process';
import pg from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { redisName, renewLog, settleLogHome } from '../../src/events/log-home.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { createDatabase, dropDatabase } from '../support/databases.ts';
import { recordLogs, WARN } from '../support/logs.ts';
import { nodeArguments } from '../support/compiled.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { rowsOf } from '../support/books.ts';

const silent = pino({ level: 'silent' });
const { serverUrl } = inject('postgres');

let original: TestDatabase;
let db: Database;
const dropped: string[] = [];

beforeEach(async () => {
  original = await createTestDatabase();
  db = openDatabase({ connectionString: original.url, poolSize: 2, logger: silent });
  await rowsOf(db, `UPDATE event_sequence SET last = 40`);
  await rowsOf(db, `INSERT INTO event_consumers (name, seq, epoch) SELECT 'mailing', 30, epoch FROM event_sequence`);
});

afterEach(async () => {
  await db[Symbol.asyncDispose]();
  for (const name of dropped.splice(0)) await dropDatabase(serverUrl, name);
  await original.dispose();
});

/** A copy of the database as a backup is restored: under another name, or under the same after it was dropped. */
async function copy(): Promise<{ name: string; copied: Database }> {
  await db[Symbol.asyncDispose]();
  const { name, url } = await createDatabase(serverUrl, new URL(original.url).pathname.slice(1));
  dropped.push(name);
  db = openDatabase({ connectionString: original.url, poolSize: 2, logger: silent });
  return { name, copied: openDatabase({ connectionString: url, poolSize: 2, logger: silent }) };
}

test('a log that stays where it is keeps its epoch, however often the shop is started', async () => {
  const first = await settleLogHome(db, silent);
  expect(first.epoch).toMatch(/^[\da-f]{16}$/);
  expect(first.home).toMatch(/^[\da-f]{8}$/);
  expect(await settleLogHome(db, silent)).toEqual(first);
  const other = openDatabase({ connectionString: original.url, poolSize: 2, logger: silent });
  expect(await settleLogHome(other, silent)).toEqual(first);
  await other[Symbol.asyncDispose]();
});

test('a copy has another epoch, channel and queues from its first start on; its consumers go on where they were', async () => {
  const before = await settleLogHome(db, silent);
  const { copied } = await copy();
  const { logger, logs } = recordLogs();
  // Several processes that start at once agree.
  const [after, again] = await Promise.all([settleLogHome(copied, logger), settleLogHome(copied, logger)]);
  expect(again).toEqual(after);
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.home).not.toBe(before.home);
  expect(redisName(after)).not.toBe(redisName(before));
  expect(logs.filter(({ level }) => level === WARN)).toMatchObject([
    { msg: expect.stringContaining('is a copy or was restored') as string },
  ]);
  expect(await rowsOf(copied, 'SELECT seq::int, epoch FROM event_consumers')).toEqual([
    { seq: 30, epoch: after.epoch },
  ]);
  expect(await rowsOf(copied, 'SELECT last::int FROM event_sequence')).toEqual([{ last: 40 }]);
  await copied[Symbol.asyncDispose]();
  expect(await settleLogHome(db, silent)).toEqual(before);
});

test('a database that was dropped and restored under its name is recognised', async () => {
  const before = await settleLogHome(db, silent);
  const { name, copied } = await copy();
  await copied[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  const own = new URL(original.url).pathname.slice(1);
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`DROP DATABASE ${own} WITH (FORCE)`);
  await server.query(`ALTER DATABASE ${name} RENAME TO ${own}`);
  await server.end();
  db = openDatabase({ connectionString: original.url, poolSize: 2, logger: silent });
  expect((await settleLogHome(db, silent)).epoch).not.toBe(before.epoch);
});

test('a runner that is at work while the epoch changes is cut off, and the consumer misses nothing', async () => {
  const { epoch } = await settleLogHome(db, silent);
  await rowsOf(
    db,
    `UPDATE event_consumers SET fence = 7, lease_owner = gen_random_uuid(), lease_until = now() + interval '1 min'`,
  );
  const renewed = await renewLog(db);
  expect(renewed.epoch).not.toBe(epoch);
  expect(await rowsOf(db, 'SELECT seq::int, epoch, fence::int, lease_owner FROM event_consumers')).toEqual([
    { seq: 30, epoch: renewed.epoch, fence: 8, lease_owner: null },
  ]);
});

test('npm run db:restored gives the log a new epoch, and says so', async () => {
  const { epoch } = await settleLogHome(db, silent);
  const { PATH } = process.env;
  const env = { PATH, DATABASE_URL: original.url, JWT_SECRET: 'x'.repeat(40), SMTP_URL: 'smtp://localhost' };
  const { status, stdout, stderr } = spawnSync(process.execPath, nodeArguments('src/commands/db-restored.ts'), {
    env,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const [row] = await rowsOf<{ epoch: string }>(db, 'SELECT epoch FROM event_sequence');
  expect(row?.epoch).not.toBe(epoch);
  expect(stdout).toContain(`The event log has a new epoch, ${row?.epoch}`);
  expect(status).toBe(0);
  // The next start takes it as it is.
  expect((await settleLogHome(db, silent)).epoch).toBe(row?.epoch);
});
