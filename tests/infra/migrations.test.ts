import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pino, type Logger } from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { MIGRATIONS_DIR, readMigrations } from '../../src/infra/migrations/migration-files.ts';
import { migrate, pendingMigrations } from '../../src/infra/migrations/migrations.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const silent = pino({ level: 'silent' });
const names = readMigrations(MIGRATIONS_DIR).map((migration) => migration.name);

let database: TestDatabase;
let connectionString: string;

beforeEach(async () => {
  database = await createEmptyDatabase();
  connectionString = database.url;
});

afterEach(() => database.dispose());

describe('migrating', () => {
  test('is noted as `prisma migrate deploy` notes it', async () => {
    expect(await pendingMigrations({ connectionString, logger: silent })).toEqual(names);
    expect(await migrate({ connectionString, logger: silent })).toEqual({ applied: names });
    expect(await pendingMigrations({ connectionString, logger: silent })).toEqual([]);

    const columns = await query(
      `SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
                'DEFAULT ' || pg_get_expr(adbin, adrelid)) AS line
         FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = '_prisma_migrations'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    expect(columns.map((row) => row.line)).toEqual([
      'id character varying(36) NOT NULL',
      'checksum character varying(64) NOT NULL',
      'finished_at timestamp with time zone',
      'migration_name character varying(255) NOT NULL',
      'logs text',
      'rolled_back_at timestamp with time zone',
      'started_at timestamp with time zone NOT NULL DEFAULT now()',
      'applied_steps_count integer NOT NULL DEFAULT 0',
    ]);
    const rows = await query('SELECT * FROM _prisma_migrations ORDER BY migration_name');
    const expected = names.map((name) => ({
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      checksum: createHash('sha256')
        .update(readFileSync(join(MIGRATIONS_DIR, name, 'migration.sql')))
        .digest('hex'),
      finished_at: expect.any(Date) as Date,
      migration_name: name,
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date) as Date,
      applied_steps_count: 1,
    }));
    expect(rows).toEqual(expected);
  });

  test('the files are what Prisma takes: folders of a time and a name, each with a script, and a lock file', () => {
    for (const entry of readdirSync(MIGRATIONS_DIR, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      expect(entry.name).toMatch(/^\d{14}_[a-z0-9_]+$/);
      expect(existsSync(join(MIGRATIONS_DIR, entry.name, 'migration.sql'))).toBe(true);
    }
    expect(readFileSync(join(MIGRATIONS_DIR, 'migration_lock.toml'), 'utf8')).toContain('provider = "postgresql"');
  });

  test('by five at once is done by one of them', async () => {
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => migrate({ connectionString, logger: silent })));
    expect(results.toSorted((a, b) => b.applied.length - a.applied.length)).toEqual([
      { applied: names },
      ...Array.from({ length: 4 }, () => ({ applied: [] })),
    ]);
    expect(await query('SELECT migration_name AS name FROM _prisma_migrations')).toEqual(
      names.map((name) => ({ name })),
    );
  });

  test('waits for another process that is in the midst of a migration', async () => {
    await migrate({ connectionString, logger: silent });
    const other = new pg.Client({ connectionString });
    await other.connect();
    await other.query('SELECT pg_advisory_lock(6847720351)');
    await query('UPDATE _prisma_migrations SET finished_at = NULL');
    const waiting = migrate({ connectionString, logger: silent });
    await until('the other one polls for the lock', async () => {
      const polls = `query LIKE '%pg_try_advisory_lock%' AND application_name = 'vitrine migrate'`;
      return (await query(`SELECT FROM pg_stat_activity WHERE ${polls}`)).length > 0;
    });
    await query('UPDATE _prisma_migrations SET finished_at = now()');
    await other.end();
    expect(await waiting).toEqual({ applied: [] });
  });

  test('gives up on another process that does not get done', async () => {
    const other = new pg.Client({ connectionString });
    await other.connect();
    await other.query('SELECT pg_advisory_lock(6847720351)');
    await expect(migrate({ connectionString, logger: silent, lockTimeoutMs: 100 })).rejects.toThrow(/Another process/);
    await other.end();
    expect(await query(`SELECT to_regclass('_prisma_migrations') AS made`)).toEqual([{ made: null }]);
  });

  test('needs no package that only development has', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
      string,
      object
    >;
    expect(Object.keys(dependencies ?? {}).filter((name) => name.includes('schema-engine'))).toEqual([]);
    expect(devDependencies).toHaveProperty('@prisma/schema-engine-wasm');
  });
});

describe('migrations of a folder', () => {
  let migrationsDir: string;

  beforeEach(() => {
    migrationsDir = mkdtempSync(join(inject('postgres').runFolder, 'migrations-'));
    cpSync(join(MIGRATIONS_DIR, 'migration_lock.toml'), join(migrationsDir, 'migration_lock.toml'));
    add('20270101000000_one', 'CREATE TABLE one (id int);\n');
  });

  test('may make an index concurrently, though others wait for their turn', async () => {
    add('20270102000000_two', '-- Alone in its script.\nCREATE INDEX CONCURRENTLY one_id_idx ON one (id);\n');
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat()).toEqual(['20270101000000_one', '20270102000000_two']);
  });

  test('are refused where an applied one was edited', async () => {
    await run();
    appendFileSync(join(migrationsDir, '20270101000000_one/migration.sql'), '-- and more\n');
    add('20270102000000_two', 'CREATE TABLE two (id int);');
    await expect(run()).rejects.toThrow(/20270101000000_one was edited after it had been applied.*put the file back/s);
    expect(await tables()).toEqual(['one']);
  });

  test('are taken where only the line ends of a checkout differ', async () => {
    await run();
    add('20270101000000_one', 'CREATE TABLE one (id int);\r\n');
    expect(await run()).toEqual([]);
  });

  test('leave nothing where one failed, and go on once its script is mended', async () => {
    const two = `
      CREATE TABLE two (id int);
      CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;

      INSERT INTO two VALUES ('a;b');`;
    add('20270102000000_two', two);
    await expect(run()).rejects.toThrow(
      'Migration 20270102000000_two failed at line 5: invalid input syntax for type integer: "a;b" (22P02)',
    );
    expect(await tables()).toEqual(['one']);
    expect(await query('SELECT migration_name AS name FROM _prisma_migrations')).toEqual([
      { name: '20270101000000_one' },
    ]);
    add('20270102000000_two', two.replace('a;b', '42'));
    expect(await run()).toEqual(['20270102000000_two']);
    expect(await tables()).toEqual(['one', 'two']);
  });

  test.each(['COMMIT', 'begin', 'START TRANSACTION', 'ROLLBACK'])(
    'are refused where a script has a %s of its own, before anything is applied',
    async (control) => {
      add(
        '20270102000000_two',
        `-- commit;\nCREATE TABLE two (id int);\n/* ; */ ${control};\nCREATE TABLE three (id int);`,
      );
      await expect(run()).rejects.toThrow(`Migration 20270102000000_two, line 3: a migration is one transaction`);
      expect(await tables()).toEqual(['one']);
    },
  );

  test('are refused where the database has an older one that we do not have', async () => {
    await run();
    await note('20261231000000_theirs');
    await expect(run()).rejects.toThrow(/a migration 20261231000000_theirs that is not among ours/);
  });

  test('are taken where the database has a newer one, with a warning', async () => {
    await run();
    await note('20270201000000_theirs');
    const warnings: unknown[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line)) });
    expect(await run(logger)).toEqual([]);
    expect(warnings).toMatchObject([{ newer: ['20270201000000_theirs'] }]);
  });

  function add(name: string, sql: string): void {
    mkdirSync(join(migrationsDir, name), { recursive: true });
    writeFileSync(join(migrationsDir, name, 'migration.sql'), sql);
  }

  async function run(logger: Logger = silent): Promise<string[]> {
    return (await migrate({ connectionString, logger, migrationsDir })).applied;
  }

  async function note(name: string): Promise<void> {
    await query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES (gen_random_uuid(), repeat('0', 64), '${name}', now(), 1)`,
    );
  }

  async function tables(): Promise<unknown[]> {
    const rows = await query(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1`,
    );
    return rows.map((row) => row.name);
  }
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
