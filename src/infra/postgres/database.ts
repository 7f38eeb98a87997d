import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.ts';
import { noteChange } from './change-watch.ts';
import { beginWith, connect, DIRECT, openPool, TIME_LIMITS, type Session, type TimeLimits } from './connection.ts';
import { isRefusedWrite, mayHaveBeenDone, OutcomeUnknownError } from './database-faults.ts';
import type { Logger } from '../logger.ts';
import { createTurnstile, TurnstileTimeout, type Turnstile } from '../limits/turnstile.ts';
import { beginTraced, traced, tracedPool } from '../tracing/traced-statements.ts';
import type { Tracer } from '../tracing/tracer.ts';

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
   * @throws OutcomeUnknownError where the connection broke before the answer to COMMIT
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** A connection of its own, outside the pool, for work that must not wait for a free one. The caller ends it. */
  connect(): Promise<pg.Client>;
  /** How many changes the server has refused to write: its disk is full, or it is a replica now. */
  refusedWrites(): number;
  /** Connections in the pool: all, idle, and callers that wait for one. */
  poolState(): { total: number; idle: number; waiting: number };
}

/** Connections for reading alone, apart from all others. */
export interface Reader extends Queryable, AsyncDisposable {}

/** Thrown inside a transaction whose view of the world went stale under it: roll back and run it again. */
export class RetryTransaction extends Error {}

const DEADLOCK_DETECTED = '40P01';
const SERIALIZATION_FAILURE = '40001';
const READ_ONLY = '25006';
const MAX_ATTEMPTS = 8;
const IDLE_MS = 60_000;
/** A statement that may wait for the lock of a row. */
const WRITES = /\b(insert\s+into|update|delete\s+from|merge\s+into)\b|\bpg_advisory_/i;

// int8 as bigint (Prisma sets its own parsers by query); everything else as `pg` does it.
const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: unknown) =>
    oid === INT8 && format !== 'binary'
      ? (value: string) => BigInt(value)
      : pg.types.getTypeParser(oid, format as 'text'),
};

export interface DatabaseOptions {
  connectionString: string;
  /** Connections at most; a small pool is faster on a hot row than a large one. */
  poolSize: number;
  logger: Logger;
  /** Connections of the pool that are left to reads while changes wait for locks; by default none. */
  reservedForReads?: number | undefined;
  /** How the database is reached; by default straight. */
  session?: Session | undefined;
  /** Records statements as spans; by default none are recorded. */
  tracer?: Tracer | null | undefined;
  /** For tests. */
  limits?: Partial<TimeLimits> | undefined;
}

/**
 * Opens the pool. Nothing is connected until the first statement. Where changes wait for a lock, the connections that are
 * reserved for reads go on.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { connectionString, poolSize, reservedForReads = 0, logger, session = DIRECT, tracer = null } = options;
  const limits = { ...TIME_LIMITS, ...options.limits };
  const settings = { connectionString, session, limits, types, name: 'vitrine' };
  let disposal: Promise<void> | undefined;
  const pool = openPool({ ...settings, max: poolSize, idleMs: IDLE_MS });
  const broke = (what: string) => (error: Error) => {
    // Without the rest of the error: it holds the connection with all that it knows. Once we close, breaking is no news.
    if (disposal === undefined) logger.warn({ code: (error as { code?: unknown }).code, reason: error.message }, what);
  };
  pool.on('error', broke('an idle database connection broke'));
  const [schema] = session.searchPath ?? [];
  const prisma = new PrismaClient({
    adapter: new PrismaPg(tracedPool(tracer, pool), schema === undefined ? {} : { schema }),
  });
  const writers = createTurnstile({ room: Math.max(1, poolSize - reservedForReads), withinMs: limits.connect });
  const begin = beginWith(session, limits);
  let refusedWrites = 0;
  const countRefused = (error: unknown): never => {
    if (isRefusedWrite(error)) refusedWrites += 1;
    throw error;
  };

  return {
    prisma,
    query: <Row extends object>(statement: Statement, values?: readonly unknown[]) =>
      isWriting(statement)
        ? writers
            .pass(() => traced(tracer, statement, () => run<Row>(pool, statement, values)))
            .then(noted, throwOutcome)
            .catch(countRefused)
        : traced(tracer, statement, () => run<Row>(pool, statement, values)),
    transaction: (work) => transaction({ pool, writers, begin, tracer, logger }, work).catch(countRefused),
    connect: async () => {
      const client = await connect(settings);
      client.on('error', broke('a database connection broke'));
      return client;
    },
    refusedWrites: () => refusedWrites,
    poolState: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount + writers.waiting(),
    }),
    [Symbol.asyncDispose]: () => (disposal ??= prisma.$disconnect().then(() => pool.end())),
  };
}

/** Opens a small pool for reading. A caller that finds all of its connections busy waits. */
export function openReader(options: DatabaseOptions): Reader {
  const { connectionString, poolSize, logger, session } = options;
  // Subscribers that resume in large numbers wait for a turn, without a time limit.
  const limits = { ...TIME_LIMITS, connect: 0, ...options.limits };
  const pool = openPool({
    connectionString,
    session,
    limits,
    types,
    name: 'vitrine reader',
    max: poolSize,
    idleMs: 10_000,
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

const writing = new Map<string, boolean>();

/** Whether a statement may wait for the lock of a row: judged once for each text. */
function isWriting({ text }: Statement): boolean {
  let known = writing.get(text);
  if (known === undefined) {
    known = WRITES.test(text);
    // Texts that are put together for a request (filters, sorting) are many, and none of them writes.
    if (known || writing.size < 1000) writing.set(text, known);
  }
  return known;
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

function noted<T>(rows: T): T {
  noteChange();
  return rows;
}

/** Passes an error on; as `OutcomeUnknownError` where the database may have done what it was sent. */
function throwOutcome(error: unknown): never {
  if (!isSent(error) || !mayHaveBeenDone(error)) throw error;
  noteChange();
  throw new OutcomeUnknownError(error);
}

/** Errors of a pool that had no connection to give: nothing was sent. */
const NOT_SENT =
  /^(timeout e|Connection terminated due to connection timeout|Cannot use a pool after|connect |getaddrinfo )/;

function isSent(error: unknown): boolean {
  if (error instanceof AggregateError || error instanceof TurnstileTimeout) return false;
  const { code, syscall, message } = error as { code?: unknown; syscall?: unknown; message?: unknown };
  if (syscall === 'connect' || syscall === 'getaddrinfo') return false;
  if (typeof code === 'string' && /^(57P03|53300|28|3D)/.test(code)) return false;
  return !NOT_SENT.test(String(message));
}

interface Transactions {
  pool: pg.Pool;
  /** Of those that may wait for a lock, only so many have a connection. */
  writers: Turnstile;
  begin: string;
  tracer: Tracer | null;
  logger: Logger;
}

async function transaction<T>(given: Transactions, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await given.writers.pass(() => attemptTransaction(given, work));
    } catch (error) {
      if (!isRetryable(error) || attempt === MAX_ATTEMPTS) throw error;
      given.logger.debug({ err: error, attempt }, 'retrying transaction');
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

async function attemptTransaction<T>(
  { pool, begin, tracer }: Transactions,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const callbacks = new Map<() => void, () => void>();
  let broken: Error | undefined;
  try {
    await client.query(beginTraced(tracer, begin));
    const result = await work({
      query: <Row extends object>(statement: Statement, values?: readonly unknown[]) =>
        traced(tracer, statement, () => run<Row>(client, statement, values)),
      afterCommit: (callback) => callbacks.set(callback, tracer?.bind(callback) ?? callback),
    });
    await traced(tracer, { text: 'COMMIT' }, () => commit(client));
    for (const callback of callbacks.values()) callback();
    return result;
  } catch (error) {
    // A server that became a replica stays one: the next connection finds its successor.
    if ((error as { code?: unknown } | null)?.code === READ_ONLY) broken = error as Error;
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    // A connection that could not roll back is in an unknown state: it is closed, not reused.
    client.release(broken);
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  let command: string;
  try {
    ({ command } = await client.query('COMMIT'));
  } catch (error) {
    if (!mayHaveBeenDone(error)) throw error;
    noteChange();
    throw new OutcomeUnknownError(error);
  }
  // COMMIT of a transaction in which a statement failed rolls back, and is no error.
  if (command !== 'COMMIT')
    throw new Error('the transaction was rolled back: an error in it was caught and not passed on');
  noteChange();
}

/** The name of the constraint that a statement violated, or null where the error is another. */
export function violatedConstraint(error: unknown): string | null {
  const { code, constraint } = (error ?? {}) as { code?: unknown; constraint?: unknown };
  return typeof code === 'string' && code.startsWith('23') && typeof constraint === 'string' ? constraint : null;
}
