import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { connect, PATIENT, TIME_LIMITS, type Session, type TimeLimits } from '../postgres/connection.ts';
import type { Logger } from '../logger.ts';
import { applyMigration } from './migration-apply.ts';
import { MigrationError } from './migration-error.ts';
import { checksumsOf, MIGRATIONS_DIR, readMigrations, type Migration } from './migration-files.ts';
import { createLockRetries, LOCK_PATIENCE, type LockPatience, type LockRetries } from './migration-locks.ts';
import {
  createRecordTable,
  readRecords,
  recordEnd,
  recordRolledBack,
  type MigrationRecord,
} from './migration-record.ts';
import { findHowFar } from './migration-repair.ts';
import { runsAlone, splitStatements } from './migration-script.ts';

export interface MigrateOptions {
  /** Straight to the database, or through a pooler that keeps a connection: the lock lasts as long as it. */
  connectionString: string;
  session?: Session | undefined;
  logger: Logger;
  /** The shop's own by default. */
  migrationsDir?: string;
  /** How long to wait for another process that migrates the same database. */
  lockTimeoutMs?: number;
  /** How long to wait for locks that others hold on tables and rows. */
  patience?: LockPatience;
  /** Ends a pause between two tries. */
  signal?: AbortSignal | undefined;
  /** The records, if they have just been read. If they show that nothing is pending, no connection is opened. */
  seen?: readonly MigrationRecord[] | undefined;
}

/** Any number will do; earlier versions of the shop take the same. */
const LOCK_KEY = 6_847_720_351;
const LOCK_POLL_MS = 50;
/** How long a process waits for another one that migrates. */
export const MIGRATOR_WAIT_MS = 120_000;
/** Maximum time for finding out what only improves a message. */
const OBSERVER_CONNECT_MS = 3_000;

/**
 * Brings a database up to date; gives the names of the migrations that it applied. Each migration and its record are one
 * transaction. Reads and writes the files and the `_prisma_migrations` table of `prisma migrate deploy`. Of several
 * processes that start at once one migrates, and the others wait. A migration that an earlier attempt left half-way is
 * finished, or found to be whole. One that does not get its locks soon gives up its place in their queues and tries again.
 * @throws MigrationError where an applied migration was edited or is unknown, or one failed or got no lock
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const {
    logger,
    migrationsDir = MIGRATIONS_DIR,
    lockTimeoutMs = MIGRATOR_WAIT_MS,
    patience = LOCK_PATIENCE,
    seen,
    signal,
  } = options;
  const migrations = readMigrations(migrationsDir);
  if (seen !== undefined) {
    const { pending, begun } = judge(seen, migrations, logger);
    if (pending.length === 0 && begun.length === 0) return { applied: [] };
  }
  return withClient(options, async (client) => {
    const { pending, begun } = judge(await readRecords(client), migrations, logger);
    if (pending.length === 0 && begun.length === 0) return { applied: [] };
    // Ends with the connection. Once we have it, another process may have done the work.
    const pid = await lock(client, lockTimeoutMs);
    const began = performance.now();
    const observer = () => open(options, { ...TIME_LIMITS, connect: OBSERVER_CONNECT_MS }, 'vitrine migrate locks');
    await using locks = createLockRetries({ client, pid, patience, observer, logger, signal });
    await createRecordTable(client);
    await repair(client, locks, migrations, logger);
    const applied: string[] = [];
    const now = judge(await readRecords(client), migrations, logger);
    for (const migration of now.pending) {
      await applyMigration(client, locks, migration, now.begun.find(({ name }) => name === migration.name) ?? null);
      applied.push(migration.name);
    }
    if (applied.length > 0) logger.info({ applied, ms: Math.round(performance.now() - began) }, 'database migrated');
    return { applied };
  });
}

/** The names of the migrations that a database still lacks. Changes nothing. */
export async function pendingMigrations(options: Omit<MigrateOptions, 'lockTimeoutMs' | 'seen'>): Promise<string[]> {
  const migrations = readMigrations(options.migrationsDir ?? MIGRATIONS_DIR);
  return withClient(options, async (client) => {
    const { pending } = judge(await readRecords(client), migrations, options.logger);
    return pending.map(({ name }) => name);
  });
}

/** What a database has of the migrations. */
interface Judgement {
  /** To be applied, in this order; those that were begun are among them. */
  pending: Migration[];
  begun: MigrationRecord[];
}

function judge(records: readonly MigrationRecord[], migrations: readonly Migration[], logger: Logger): Judgement {
  const finished = records.filter((record) => record.finished);
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const newest = migrations.at(-1)?.name ?? '';
  for (const { name, checksum } of finished) {
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
  const applied = new Set(finished.map(({ name }) => name));
  // While a new version is rolled out, nodes of the old one go on, and restart, on the newer database.
  const newer = [...applied].filter((name) => !known.has(name));
  if (newer.length > 0)
    logger.warn({ newer }, 'the database has migrations that are newer than this version of the shop');
  return {
    pending: migrations.filter(({ name }) => !applied.has(name)),
    // One of a newer version is that version's to finish.
    begun: records.filter(({ name, finished: done }) => !done && known.has(name)),
  };
}

/** Settles the records of attempts that did not finish, where the script is one transaction. */
async function repair(
  client: pg.ClientBase,
  locks: LockRetries,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  const records = await readRecords(client);
  for (const { id, name, finished } of records) {
    const migration = migrations.find((one) => one.name === name);
    if (finished || migration === undefined) continue;
    if (records.some((other) => other.name === name && other.finished)) {
      await recordRolledBack(client, id);
      continue;
    }
    // A script that is committed statement by statement goes on by itself.
    if (splitStatements(migration.sql).some(runsAlone)) continue;
    const found = await findHowFar(client, locks, migration);
    logger.warn(
      { migration: name },
      found === 'all'
        ? 'a migration was interrupted after its commit: it is recorded as applied'
        : 'a migration was interrupted before its commit: it is applied again',
    );
    if (found === 'all') await recordEnd(client, { id, sql: migration.sql, steps: 1 });
    else await recordRolledBack(client, id);
  }
}

/**
 * Gets the lock of migrating processes; gives the server process of the connection. Polls, because a session that waits
 * inside `pg_advisory_lock` holds a snapshot, for which CREATE INDEX CONCURRENTLY would wait.
 */
async function lock(client: pg.ClientBase, timeoutMs: number): Promise<number> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean; pid: number }>(
      'SELECT pg_try_advisory_lock($1) AS taken, pg_backend_pid() AS pid',
      [LOCK_KEY],
    );
    if (rows[0]?.taken === true) return rows[0].pid;
    if (Date.now() > deadline) {
      throw new MigrationError(`Another process has been migrating this database for more than ${timeoutMs / 1000} s.`);
    }
    await delay(LOCK_POLL_MS);
  }
}

/** The one connection of a migration: its lock, its scripts and its records are all on it. */
async function withClient<T>(options: MigrateOptions, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await open(options, PATIENT, 'vitrine migrate');
  try {
    return await work(client);
  } finally {
    // A connection that broke cannot say goodbye.
    await client.end().catch(() => undefined);
  }
}

async function open(options: MigrateOptions, limits: TimeLimits, name: string): Promise<pg.Client> {
  const { connectionString, session, logger } = options;
  const client = await connect({ connectionString, session, limits, name });
  client.on('error', (error) => logger.warn({ err: error }, 'a connection for migrations broke'));
  return client;
}
