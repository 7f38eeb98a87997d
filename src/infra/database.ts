import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { Logger } from './logger.ts';

/** A statement. A name is its identity on each connection, so it is parsed and planned once; without one it is planned for its values. */
export interface Statement {
  name?: string | undefined;
  text: string;
}

/** Where statements can be sent: the pool (each on its own) or a transaction. */
export interface Queryable {
  /** Runs a statement. The row type is the caller's promise about the SQL that it wrote. */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/** One READ COMMITTED transaction. */
export interface Transaction extends Queryable {
  /** Runs once after the commit, never after a rollback; the same function only once. Must not throw, nor wait. */
  afterCommit(callback: () => void): void;
}

/** PostgreSQL as the shop uses it: hand-written statements, transactions, and Prisma's client, over one pool. */
export interface Database extends Queryable, AsyncDisposable {
  prisma: PrismaClient;
  /**
   * Runs `work` in a transaction, commits what it did and gives its result; rolls back where it throws. Deadlocks and
   * serialisation failures, and `RetryTransaction`, run `work` again from the start: it must not do anything that a
   * rollback does not undo.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** A connection of its own, outside the pool, for work that must not wait for a free one. The caller ends it. */
  connect(): Promise<pg.Client>;
  /** Connections in the pool: all, idle, and callers that wait for one. */
  poolState(): { total: number; idle: number; waiting: number };
}

/** Connections for reading alone, apart from all others. */
export interface Reader extends Queryable, AsyncDisposable {}

/** Thrown inside a transaction whose view of the world went stale under it: roll back and run it again. */
export class RetryTransaction extends Error {}

const DEADLOCK_DETECTED = '40P01';
const SERIALIZATION_FAILURE = '40001';
const MAX_ATTEMPTS = 8;
/** A database that does not answer must not keep its caller waiting for ever. */
const CONNECT_WITHIN_MS = 10_000;

// int8 as bigint (Prisma sets its own parsers by query); everything else as `pg` does it.
const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: unknown) =>
    oid === INT8 && format !== 'binary'
      ? (value: string) => BigInt(value)
      : pg.types.getTypeParser(oid, format as 'text'),
};

/**
 * Opens the pool. Nothing is connected until the first statement.
 * @param options.poolSize connections at most; a small pool is faster on a hot row than a large one
 */
export function openDatabase(options: { connectionString: string; poolSize: number; logger: Logger }): Database {
  const { connectionString, poolSize, logger } = options;
  const settings: pg.ClientConfig = {
    connectionString,
    types,
    application_name: 'vitrine',
    // An abandoned transaction would hold its locks, and keep dead rows from being vacuumed.
    idle_in_transaction_session_timeout: 15_000,
    statement_timeout: 60_000,
  };
  let disposal: Promise<void> | undefined;
  const pool = new pg.Pool({ ...settings, max: poolSize, connectionTimeoutMillis: 30_000, idleTimeoutMillis: 60_000 });
  const broke = (what: string) => (error: Error) => {
    // Without the rest of the error: it holds the connection with all that it knows. Once we close, breaking is no news.
    if (disposal === undefined) logger.warn({ code: (error as { code?: unknown }).code, reason: error.message }, what);
  };
  pool.on('error', broke('an idle database connection broke'));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

  return {
    prisma,
    query: (statement, values) => run(pool, statement, values),
    transaction: (work) => transaction(pool, work, logger),
    connect: async () => {
      const client = new pg.Client({ ...settings, connectionTimeoutMillis: CONNECT_WITHIN_MS });
      client.on('error', broke('a database connection broke'));
      await client.connect();
      return client;
    },
    poolState: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    [Symbol.asyncDispose]: () => (disposal ??= prisma.$disconnect().then(() => pool.end())),
  };
}

/**
 * Opens a small pool for reading. Who finds all of its connections busy waits for as long as it takes.
 * @param options.poolSize connections at most
 */
export function openReader(options: { connectionString: string; poolSize: number; logger: Logger }): Reader {
  const { connectionString, poolSize, logger } = options;
  const pool = new pg.Pool({
    connectionString,
    types,
    application_name: 'vitrine reader',
    statement_timeout: 60_000,
    max: poolSize,
    idleTimeoutMillis: 10_000,
  });
  let disposal: Promise<void> | undefined;
  pool.on('error', (error) => {
    if (disposal === undefined) logger.warn({ reason: error.message }, 'an idle reading connection broke');
  });
  return {
    query: (statement, values) => run(pool, statement, values),
    [Symbol.asyncDispose]: () => (disposal ??= pool.end()),
  };
}

async function run<Row extends object>(
  target: pg.Pool | pg.ClientBase,
  { name, text }: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const named = name === undefined ? {} : { name };
  const result = await target.query<Row>({ ...named, text, values: [...values] });
  return result.rows;
}

async function transaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>, logger: Logger): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptTransaction(pool, work);
    } catch (error) {
      if (!isRetryable(error) || attempt === MAX_ATTEMPTS) throw error;
      logger.debug({ err: error, attempt }, 'transaction is run again');
      // Spread the losers of a deadlock, so that they do not meet again at once.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * attempt));
    }
  }
}

function isRetryable(error: unknown): boolean {
  if (error instanceof RetryTransaction) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return code === DEADLOCK_DETECTED || code === SERIALIZATION_FAILURE;
}

async function attemptTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The pool listens only while a connection is idle, and what nobody hears ends the process. The next statement tells.
  const unheard = () => {};
  client.on('error', unheard);
  const callbacks = new Set<() => void>();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work({
      query: (statement, values) => run(client, statement, values),
      afterCommit: (callback) => callbacks.add(callback),
    });
    await client.query('COMMIT');
    for (const callback of callbacks) callback();
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    // A connection that could not roll back is in an unknown state: it is closed, not reused.
    client.release(broken);
    client.off('error', unheard);
  }
}

/** The name of the constraint that a statement violated, or null where the error is another. */
export function violatedConstraint(error: unknown): string | null {
  const { code, constraint } = (error ?? {}) as { code?: unknown; constraint?: unknown };
  return typeof code === 'string' && code.startsWith('23') && typeof constraint === 'string' ? constraint : null;
}
