import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from './logger.ts';
import { applyMigrations } from './migration-engine.ts';
import { MigrationError } from './migration-error.ts';
import { checksumsOf, MIGRATIONS_DIR, readMigrations, type Migration } from './migration-files.ts';

export interface MigrateOptions {
  connectionString: string;
  logger: Logger;
  /** The shop's own by default. */
  migrationsDir?: string;
  /** How long to wait for another process that migrates the same database. */
  lockTimeoutMs?: number;
}

/** Any number will do, but Prisma's 72707369: the engine takes that one itself, on another connection. */
const LOCK_KEY = 6_847_720_351;
const LOCK_POLL_MS = 50;
const UNDEFINED_TABLE = '42P01';

/**
 * Brings a database up to date; gives the names of what it applied. The same files and the same `_prisma_migrations`
 * table as `prisma migrate deploy`. Where everything is applied already that costs one statement. Of several processes
 * that start at once one migrates, and the others wait.
 * @throws MigrationError where an applied migration was edited or is unknown, or one failed
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const { connectionString, logger, migrationsDir = MIGRATIONS_DIR, lockTimeoutMs = 120_000 } = options;
  const migrations = readMigrations(migrationsDir);
  return withClient(options, async (client) => {
    // One that is unfinished now may be another process's, at work on it this moment: judged once we have the lock.
    const busy = (await readRows(client)).some((row) => !row.finished);
    if (!busy && (await findPending(client, migrations, logger)).length === 0) return { applied: [] };
    await lock(client, lockTimeoutMs);
    // Ends with the connection. Once we have it, another process may have done the work.
    const pending = await findPending(client, migrations, logger);
    if (pending.length === 0) return { applied: [] };
    const began = performance.now();
    const applied = await applyMigrations({ connectionString, logger, migrationsDir, migrations });
    logger.info({ applied, ms: Math.round(performance.now() - began) }, 'database migrated');
    return { applied };
  });
}

/** The names of the migrations that a database still lacks. Changes nothing. */
export async function pendingMigrations(options: Omit<MigrateOptions, 'lockTimeoutMs'>): Promise<string[]> {
  const migrations = readMigrations(options.migrationsDir ?? MIGRATIONS_DIR);
  return withClient(options, (client) => findPending(client, migrations, options.logger));
}

/** A row of Prisma's table. */
interface Row {
  migration_name: string;
  checksum: string;
  finished: boolean;
  logs: string | null;
}

async function findPending(client: pg.Client, migrations: readonly Migration[], logger: Logger): Promise<string[]> {
  const rows = await readRows(client);
  const failed = rows.find((row) => !row.finished);
  if (failed !== undefined) throw new MigrationError(describeFailed(failed));

  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const newest = migrations.at(-1)?.name ?? '';
  for (const { migration_name: name, checksum } of rows) {
    const migration = known.get(name);
    if (migration !== undefined && !checksumsOf(migration.sql).includes(checksum)) {
      throw new MigrationError(
        `Migration ${name} was edited after it had been applied to this database: put the file back as it was, and make ` +
          'the change in a new migration (npm run migrate:new -- NAME).',
      );
    }
    if (migration === undefined && name < newest) {
      throw new MigrationError(
        `The database has a migration ${name} that is not among ours, though we have later ones: it belongs to another ` +
          'version of the shop. Deploy a version that has it, or use another database.',
      );
    }
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  // While a new version is rolled out, nodes of the old one go on, and restart, on the newer database.
  const newer = [...applied].filter((name) => !known.has(name));
  if (newer.length > 0)
    logger.warn({ newer }, 'the database has migrations that are newer than this version of the shop');
  return migrations.map((migration) => migration.name).filter((name) => !applied.has(name));
}

async function readRows(client: pg.Client): Promise<Row[]> {
  try {
    const { rows } = await client.query<Row>(
      `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, logs
         FROM public._prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
    );
    return rows;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

function describeFailed({ migration_name: name, logs }: Row): string {
  return [
    `Migration ${name} was begun on this database and did not finish${logs === null ? ': its process was stopped.' : ':'}`,
    // Without the engine's own stack, which begins with "0:".
    ...(logs === null
      ? []
      : [
          logs
            .split(/^ +0: /m, 1)
            .join()
            .trim()
            .replaceAll(/^/gm, '    '),
        ]),
    'A script is one transaction, unless it says otherwise: see whether it left anything, and mend that. Then have it run again:',
    `  UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${name}' AND finished_at IS NULL;`,
  ].join('\n');
}

/** Polls: who waits inside `pg_advisory_lock` holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for it in turn. */
async function lock(client: pg.Client, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [LOCK_KEY]);
    if (rows[0]?.taken === true) return;
    if (Date.now() > deadline) {
      throw new MigrationError(`Another process has been migrating this database for more than ${timeoutMs / 1000} s.`);
    }
    await delay(LOCK_POLL_MS);
  }
}

async function withClient<T>(
  { connectionString, logger }: MigrateOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString, application_name: 'vitrine migrate' });
  client.on('error', (error) => logger.warn({ err: error }, 'the connection that migrates broke'));
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}
