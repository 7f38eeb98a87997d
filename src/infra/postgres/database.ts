import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.ts';
import { noteChange } from './change-watch.ts';
import { beginWith, connect, DIRECT, TIME_LIMITS, type Session, type TimeLimits } from './connection.ts';
import { openPool } from './connection-pool.ts';
import { isRefusedWrite, mayHaveBeenDone, OutcomeUnknownError } from './database-faults.ts';
import type { Logger } from '../logger.ts';
import { createTurnstile, TurnstileTimeout } from '../limits/turnstile.ts';
import { traced, tracedPool } from '../tracing/traced-statements.ts';
import type { Tracer } from '../tracing/tracer.ts';
import {
  isWriting,
  run,
  transaction,
  type Queryable,
  type Statement,
  type Transaction,
  type TransactionOptions,
} from './transaction.ts';

export {
  RetryTransaction,
  type Queryable,
  type Statement,
  type Transaction,
  type TransactionOptions,
} from './transaction.ts';

/** PostgreSQL as the shop uses it: hand-written statements, transactions, and Prisma's client, over one pool. */
export interface Database extends Queryable, AsyncDisposable {
  /** Made when it is first used: one costs a tenth of a second of processor time and 17 MB. */
  readonly prisma: PrismaClient;
  /**
   * Runs `work` in a transaction, commits what it did and gives its result; rolls back where it throws. Deadlocks and
   * serialisation failures, and `RetryTransaction`, run `work` again from the start: it must not do anything that a
   * rollback does not undo.
   * @throws OutcomeUnknownError where the connection broke before the answer to COMMIT
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** A connection of its own, outside the pool, for work that must not wait for a free one. The caller ends it. */
  connect(): Promise<pg.Client>;
  /** How many changes the server has refused to write: its disk is full, or it is a replica now. */
  refusedWrites(): number;
  /** Connections in the pool: all, idle, and callers that wait for one. */
  poolState(): { total: number; idle: number; waiting: number };
}

/** Connections for reading alone, apart from all others. */
export interface Reader extends Queryable, AsyncDisposable {}

const IDLE_MS = 60_000;
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
  let prisma: PrismaClient | undefined;
  const makePrisma = () =>
    new PrismaClient({ adapter: new PrismaPg(tracedPool(tracer, pool), schema === undefined ? {} : { schema }) });
  const writers = createTurnstile({ room: Math.max(1, poolSize - reservedForReads), withinMs: limits.connect });
  const begin = beginWith(session, limits);
  let refusedWrites = 0;
  const countRefused = (error: unknown): never => {
    if (isRefusedWrite(error)) refusedWrites += 1;
    throw error;
  };

  async function dispose(): Promise<void> {
    await prisma?.$disconnect();
    await pool.end();
  }

  return {
    get prisma() {
      return (prisma ??= makePrisma());
    },
    query: <Row extends object>(statement: Statement, values?: readonly unknown[]) =>
      isWriting(statement)
        ? writers
            .pass(() => traced(tracer, statement, () => run<Row>(pool, statement, values)))
            .then(noted, throwOutcome)
            .catch(countRefused)
        : traced(tracer, statement, () => run<Row>(pool, statement, values)),
    transaction: (work, { lockTimeoutMs } = {}) => {
      const start = lockTimeoutMs === undefined ? begin : `${begin}; SET LOCAL lock_timeout = ${lockTimeoutMs}`;
      return transaction({ pool, writers, begin: start, tracer, logger }, work).catch(countRefused);
    },
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
    [Symbol.asyncDispose]: () => (disposal ??= dispose()),
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

/** The name of the constraint that a statement violated, or null where the error is another. */
export function violatedConstraint(error: unknown): string | null {
  const { code, constraint } = (error ?? {}) as { code?: unknown; constraint?: unknown };
  return typeof code === 'string' && code.startsWith('23') && typeof constraint === 'string' ? constraint : null;
}
