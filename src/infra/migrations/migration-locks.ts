import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../logger.ts';
import { MigrationError } from './migration-error.ts';

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';

/** How long a migration waits for the locks of others. */
export interface LockPatience {
  /** For one lock. Statements of the shop queue behind a migration that waits for a table. */
  timeoutMs: number;
  /** Before the second try, the third and so on; there is one try more than pauses. */
  pausesMs: readonly number[];
}

/**
 * A wait is shorter than the 3 s after which statements of the shop give up a lock, and longer than the second after which
 * PostgreSQL cancels an autovacuum that is in the way. All tries take less than the two minutes for which other processes
 * wait for this one.
 */
export const LOCK_PATIENCE: LockPatience = {
  timeoutMs: 2_000,
  pausesMs: [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000],
};

/** Transactions of migrations, which give up a lock that others hold and try again. */
export interface LockRetries extends AsyncDisposable {
  /**
   * Runs work in a transaction, without the limits that the role or the database may set for statements of the shop. If a
   * lock is not free in time, the transaction is rolled back, and the work runs again in another one.
   * @throws MigrationError if no try got its locks
   */
  transaction<T>(migration: string, work: () => Promise<T>): Promise<T>;
  /** Runs one statement that cannot be part of a transaction in the same way. */
  alone(migration: string, work: () => Promise<void>): Promise<void>;
}

/** A session that held what a migration waited for. */
interface Holder {
  pid: number;
  application: string | null;
  role: string | null;
  state: string | null;
  /** Since its transaction began; null if this role may not see it. */
  seconds: number | null;
}

/** What a migration waited for, as last seen. */
interface Wait {
  table: string | null;
  holders: Holder[];
}

/**
 * @param options.pid the server process of `client`
 * @param options.observer opens a connection on which the holders of locks are looked up, once a try has failed
 */
export function createLockRetries(options: {
  client: pg.ClientBase;
  pid: number;
  patience: LockPatience;
  observer: () => Promise<pg.Client>;
  logger: Logger;
  signal?: AbortSignal | undefined;
}): LockRetries {
  const { client, pid, patience, observer, logger, signal } = options;
  const { timeoutMs, pausesMs } = patience;
  let watch: LockWatch | null = null;

  async function retry<T>(migration: string, attempt: () => Promise<T>): Promise<T> {
    const tries = pausesMs.length + 1;
    const began = performance.now();
    let wait: Wait | null = null;
    for (let number = 1; ; number += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isForLock(error)) throw error;
        wait = watch?.take() ?? wait;
        const pauseMs = pausesMs[number - 1];
        if (pauseMs === undefined) {
          const seconds = Math.round((performance.now() - began) / 1000);
          throw new MigrationError(tooManyTries({ migration, tries, timeoutMs, seconds, wait }), { cause: error });
        }
        logger.warn(
          { migration, try: number, tries, pauseMs, ...wait },
          'a migration did not get a lock in time; it was rolled back and is retried after a pause',
        );
        // The holder of a lock is known only while somebody waits for it, so there is no earlier look.
        watch ??= startWatch(observer, pid, timeoutMs / 8, logger);
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
        signal?.throwIfAborted();
      }
    }
  }

  return {
    transaction: (migration, work) => retry(migration, () => inTransaction(client, timeoutMs, work)),
    alone: (migration, work) =>
      retry(migration, async () => {
        await client.query(`SET statement_timeout = 0; SET lock_timeout = ${timeoutMs}`);
        await work();
        await client.query('SET lock_timeout = 0');
      }),
    async [Symbol.asyncDispose]() {
      await watch?.[Symbol.asyncDispose]();
    },
  };
}

/** Whether a statement failed because of a lock that another session held. */
export function isForLock(error: unknown): boolean {
  const of = error instanceof MigrationError ? error.cause : error;
  return of instanceof pg.DatabaseError && (of.code === LOCK_NOT_AVAILABLE || of.code === DEADLOCK_DETECTED);
}

async function inTransaction<T>(client: pg.ClientBase, lockTimeoutMs: number, work: () => Promise<T>): Promise<T> {
  await client.query(
    'BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; ' +
      `SET LOCAL lock_timeout = ${lockTimeoutMs}`,
  );
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Without the statements of the holders: they may contain data of customers. */
const WAIT = `
  SELECT (SELECT relation::regclass::text FROM pg_locks
           WHERE pid = $1 AND NOT granted AND relation IS NOT NULL LIMIT 1) AS table,
         json_agg(json_build_object(
           'pid', b.pid, 'application', a.application_name, 'role', a.usename, 'state', a.state,
           'seconds', floor(extract(epoch FROM clock_timestamp() - a.xact_start))) ORDER BY a.xact_start) AS holders
    FROM (SELECT DISTINCT unnest(pg_blocking_pids($1)) AS pid) b LEFT JOIN pg_stat_activity a USING (pid)
  HAVING count(*) > 0`;

/** Looks whom a session waits for. */
interface LockWatch extends AsyncDisposable {
  /** What was seen since the last call; null if nothing was. */
  take(): Wait | null;
}

function startWatch(open: () => Promise<pg.Client>, pid: number, everyMs: number, logger: Logger): LockWatch {
  const stop = new AbortController();
  let seen: Wait | null = null;

  async function look(): Promise<void> {
    const client = await open();
    try {
      while (!stop.signal.aborted) {
        const { rows } = await client.query<Wait>(WAIT, [pid]);
        seen = rows[0] ?? seen;
        await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const looking = look().catch((error: unknown) => {
    logger.warn({ err: error }, 'the holders of locks that a migration waits for could not be looked up');
  });
  return {
    take() {
      const taken = seen;
      seen = null;
      return taken;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
    },
  };
}

function tooManyTries(end: {
  migration: string;
  tries: number;
  timeoutMs: number;
  seconds: number;
  wait: Wait | null;
}): string {
  const { migration, tries, timeoutMs, seconds, wait } = end;
  const tried =
    `Migration ${migration} did not get a lock within ${timeoutMs / 1000} s, in ${tries} tries over ${seconds} s, because ` +
    'other sessions held it. What was not committed is rolled back. ';
  if (wait === null) {
    return `${tried}Wait until long transactions are over (pg_stat_activity, pg_prepared_xacts), or end them, then start again.`;
  }
  const pids = wait.holders.map(({ pid }) => pid).filter((pid) => pid !== 0);
  return [
    `${tried}It last waited for ${wait.table === null ? 'a lock' : `the table or index ${wait.table}`} of:`,
    ...wait.holders.map((holder) => `  ${describe(holder)}`),
    pids.length === 0
      ? 'Commit it or roll it back, then start again.'
      : `Wait until that is over, or end it (${pids.map((pid) => `SELECT pg_terminate_backend(${pid})`).join('; ')}), then start again.`,
  ].join('\n');
}

function describe({ pid, application, role, state, seconds }: Holder): string {
  if (pid === 0) return 'a prepared transaction (see pg_prepared_xacts)';
  return [
    `pid ${pid}`,
    ...(application === null || application === '' ? [] : [`application_name ${application}`]),
    ...(role === null ? [] : [`role ${role}`]),
    ...(state === null ? [] : [state]),
    ...(seconds === null ? [] : [`in a transaction for ${seconds} s`]),
  ].join(', ');
}
