import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { checksumsOf, MIGRATIONS_DIR, readMigrations } from '../../src/infra/migrations/migration-files.ts';
import { migrate } from '../../src/infra/migrations/migrations.ts';
import { describeDatabase } from '../support/catalog.ts';
import { startMessageProxy } from '../support/message-proxy.ts';
import { folderOfMigrations } from '../support/migration-folders.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startProcess } from '../support/shop-process.ts';
import { isCi } from '../support/sizes.ts';
import { until } from '../support/until.ts';

const logger = pino({ level: 'silent' });
const shop = readMigrations(MIGRATIONS_DIR);
const names = shop.map(({ name }) => name);
/** Migrations that versions before this migrator applied: only they can be half-way. */
const BY_EARLIER = 6;

let database: TestDatabase;

beforeEach(async () => {
  database = await createEmptyDatabase();
});

afterEach(() => database.dispose());

describe('a migration whose process is cut off', () => {
  const scripts: [string, string][] = [
    [
      '20270101000000_one',
      'CREATE TABLE one (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);\nINSERT INTO one VALUES (1);',
    ],
    // Would show that it ran twice.
    ['20270102000000_two', 'UPDATE one SET n = n + 1;\nALTER TABLE one ADD COLUMN two int;'],
    [
      '20270103000000_three',
      `UPDATE one SET n = n + 10;
       CREATE INDEX CONCURRENTLY one_n_idx ON one (n);
       UPDATE one SET n = n + 100;
       CREATE UNIQUE INDEX CONCURRENTLY "One ; N" ON one (n);
       DROP INDEX CONCURRENTLY one_n_idx`,
    ],
  ];
  /** Before the lock nothing is changed. */
  const FIRST_REQUEST = 4;

  test('at any request is finished by the next start, each statement once', async () => {
    const migrationsDir = folderOfMigrations(scripts);
    const whole = await attempt(database.url, migrationsDir, null);
    expect(whole.error).toBeNull();
    const expected = await outcome(database.url);
    expect(expected).toEqual({
      n: 111,
      records: scripts.map(([name]) => ({ name, finished: true, logs: null })),
      indexes: ['One ; N', 'one_pkey'],
      tables: ['one'],
    });
    // In daily work at a third of them.
    for (let at = FIRST_REQUEST; at <= whole.requests; at += isCi ? 1 : 3) {
      await query(database.url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      const { error } = await attempt(database.url, migrationsDir, at);
      expect(error, `request ${at}`).toBeInstanceOf(Error);
      await migrate({ connectionString: database.url, logger, migrationsDir });
      expect(await outcome(database.url), `request ${at} of ${whole.requests}`).toEqual(expected);
    }
  });

  test('an index that was cut off in the making is made anew', async () => {
    const [one] = scripts as [[string, string]];
    const index: [string, string] = ['20270103000000_three', 'CREATE UNIQUE INDEX CONCURRENTLY one_n_idx ON one (n)'];
    await migrate({ connectionString: database.url, logger, migrationsDir: folderOfMigrations([one]) });
    await query(database.url, 'INSERT INTO one VALUES (2), (3)');
    const migrationsDir = folderOfMigrations([one, index]);
    await expect(migrate({ connectionString: database.url, logger, migrationsDir })).rejects.toThrow(
      'Migration 20270103000000_three failed: could not create unique index "one_n_idx" (23505)',
    );
    expect(await query(database.url, `SELECT FROM pg_index WHERE NOT indisvalid`)).toHaveLength(1);
    await query(database.url, 'UPDATE one SET n = -id WHERE id > 1');
    await migrate({ connectionString: database.url, logger, migrationsDir });
    expect(await query(database.url, `SELECT FROM pg_index WHERE NOT indisvalid`)).toEqual([]);
    expect((await outcome(database.url)).indexes).toEqual(['one_n_idx', 'one_pkey']);
  });

  test('a script that was applied in part may be changed behind that part only', async () => {
    const [one] = scripts as [[string, string]];
    const three = (sql: string): string =>
      folderOfMigrations([
        one,
        ['20270103000000_three', `UPDATE one SET n = n + 10;\nCREATE INDEX CONCURRENTLY i ON one (n);\n${sql}`],
      ]);
    const failing = migrate({ connectionString: database.url, logger, migrationsDir: three('UPDATE none SET n = 1') });
    await expect(failing).rejects.toThrow('Migration 20270103000000_three failed at line 3: relation "none"');
    const edited = folderOfMigrations([
      one,
      ['20270103000000_three', 'UPDATE one SET n = n + 20;\nCREATE INDEX CONCURRENTLY i ON one (n)'],
    ]);
    await expect(migrate({ connectionString: database.url, logger, migrationsDir: edited })).rejects.toThrow(
      /applied in part, and statement 1 .* was changed since\. Put the first 2 back/s,
    );
    await migrate({ connectionString: database.url, logger, migrationsDir: three('UPDATE one SET n = n + 100') });
    expect(await outcome(database.url)).toMatchObject({ n: 110, indexes: ['i', 'one_pkey'] });
  });

  test('killed within a statement, a start of `npm run migrate` is followed by one that works', async () => {
    const env = { DATABASE_URL: database.url, LOG_LEVEL: 'silent', JWT_SECRET: 'x'.repeat(32) };
    await migrate({ connectionString: database.url, logger, migrationsDir: folderOfMigrations(firstMigrations(2)) });
    const gate = new pg.Client({ connectionString: database.url });
    gate.on('error', () => undefined); // where the test fails before it lets go
    await gate.connect();
    // The third migration alters this table, after it has made others.
    await gate.query('BEGIN; LOCK TABLE stock_movements IN ACCESS SHARE MODE');
    const { child, exited, output } = startProcess('src/commands/migrate.ts', env);
    const waiting = `SELECT FROM pg_stat_activity WHERE application_name = 'vitrine migrate' AND wait_event_type = 'Lock'
                       AND datname = current_database()`;
    await until(
      `it waits for the table: ${output()}`,
      async () => (await query(database.url, waiting)).length > 0,
      25_000,
    );
    child.kill('SIGKILL');
    expect(await exited).toBe('SIGKILL');
    await gate.end();

    const again = startProcess('src/commands/migrate.ts', env);
    expect(await again.exited).toBe(0);
    expect(again.output()).toBe(
      `Applied:\n${names
        .slice(2)
        .map((name) => `  ${name}`)
        .join('\n')}\n`,
    );
    await expectWhole();
  });
});

describe('a database that an earlier version left half-way', () => {
  test.each(['nothing', 'everything'])(
    'with the record of a migration begun and %s of it there goes on',
    async (there) => {
      for (const [i, { name, sql }] of shop.slice(0, BY_EARLIER).entries()) {
        await noteBegun(name);
        if (there === 'everything') await query(database.url, sql);
        const migrationsDir = folderOfMigrations(firstMigrations(i + 1));
        const { applied } = await migrate({ connectionString: database.url, logger, migrationsDir });
        expect({ name, applied }).toEqual({ name, applied: there === 'everything' ? [] : [name] });
      }
      await migrate({ connectionString: database.url, logger });
      await expectWhole();
    },
  );

  test('is explained where it was changed by hand since, and works once that is undone', async () => {
    await migrate({ connectionString: database.url, logger, migrationsDir: folderOfMigrations(firstMigrations(2)) });
    await noteBegun(names[2] ?? '');
    await query(database.url, 'ALTER TABLE stock_movements ADD COLUMN actor_id uuid');
    const refusal = await migrate({ connectionString: database.url, logger }).catch((error: Error) => error.message);
    expect(refusal).toMatch(
      /a part of it is\nthere and a part is not.*There:\n {2}line 8: ALTER TABLE "stock_movements" ADD.*Missing:\n.*staff_actions/s,
    );
    await query(database.url, 'ALTER TABLE stock_movements DROP COLUMN actor_id');
    await migrate({ connectionString: database.url, logger });
    await expectWhole();
  });

  async function noteBegun(name: string): Promise<void> {
    await query(
      database.url,
      `CREATE TABLE IF NOT EXISTS _prisma_migrations (
         id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
         migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
         started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`,
    );
    const checksum = checksumsOf(shop.find((migration) => migration.name === name)?.sql ?? '')[0] ?? '';
    await query(
      database.url,
      `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('${randomUUID()}', '${checksum}', '${name}')`,
    );
  }
});

/** The database is as one that was migrated without any trouble. */
async function expectWhole(): Promise<void> {
  const untroubled = await createTestDatabase();
  try {
    expect(await describeDatabase(database.url)).toEqual(await describeDatabase(untroubled.url));
    expect(await query(database.url, 'SELECT count(*)::int AS rows FROM event_sequence')).toEqual([{ rows: 1 }]);
  } finally {
    await untroubled.dispose();
  }
}

function firstMigrations(count: number): [string, string][] {
  return shop.slice(0, count).map(({ name, sql }) => [name, sql]);
}

/** Migrates over a connection that breaks. */
async function attempt(databaseUrl: string, migrationsDir: string, cut: number | null) {
  const url = new URL(overTcp(databaseUrl));
  const way = await startMessageProxy({ host: url.hostname, port: Number(url.port) }, cut);
  try {
    url.port = String(way.port);
    const error = await migrate({ connectionString: url.href, logger, migrationsDir }).then(
      () => null,
      (reason: unknown) => reason,
    );
    return { error, requests: way.requests() };
  } finally {
    await way[Symbol.asyncDispose]();
  }
}

async function outcome(url: string) {
  const [row] = await query(
    url,
    `SELECT (SELECT max(n) FROM one WHERE id = 1) AS n,
            (SELECT json_agg(json_build_object('name', migration_name, 'finished', finished_at IS NOT NULL, 'logs', logs)
                             ORDER BY migration_name) FROM _prisma_migrations) AS records,
            (SELECT array_agg(indexname::text ORDER BY indexname) FROM pg_indexes WHERE tablename = 'one') AS indexes,
            (SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables
              WHERE schemaname = 'public' AND tablename <> '_prisma_migrations') AS tables`,
  );
  return row as { n: number; records: unknown[]; indexes: string[]; tables: string[] };
}

async function query(connectionString: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
