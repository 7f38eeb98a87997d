import type pg from 'pg';
import { noteChange } from './change-watch.ts';
import { mayHaveBeenDone, OutcomeUnknownError } from './database-faults.ts';
import { together } from './together.ts';
import type { Logger } from '../logger.ts';
import type { Turnstile } from '../limits/turnstile.ts';
import { beginTraced, traced } from '../tracing/traced-statements.ts';
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

/** One READ COMMITTED transaction. Statements that are sent without waiting for each other share a round trip, and run in order. */
export interface Transaction extends Queryable {
  /**
   * Sends the last statement and COMMIT right behind it, in one round trip. Nothing may be sent afterwards. If the statement fails,
   * or one that was sent before it, the transaction is rolled back.
   * @returns the rows of the statement, once the transaction is committed
   */
  commitWith<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs once after the commit, never after a rollback; the same function only once. Must not throw, nor wait. */
  afterCommit(callback: () => void): void;
}

export interface TransactionOptions {
  /** Milliseconds that a statement waits for a lock at most. The default is the limit of the pool. */
  lockTimeoutMs?: number;
}

/** Thrown inside a transaction whose view of the world went stale under it: roll back and run it again. */
export class RetryTransaction extends Error {}

const DEADLOCK_DETECTED = '40P01';
const SERIALIZATION_FAILURE = '40001';
const READ_ONLY = '25006';
const MAX_ATTEMPTS = 8;

/** A statement that may wait for the lock of a row. */
const WRITES = /\b(insert\s+into|update|delete\s+from|merge\s+into)\b|\bpg_advisory_/i;
const LOCKS_ROWS = /\bfor\s+(no\s+key\s+)?update\b/gi;

/** What is known of texts of statements. Those that are put together for a request (filters, sorting) are many, and none of them writes. */
const known = new Map<string, { isWriting: boolean; changesRows: boolean }>();

function natureOf({ text }: Statement): { isWriting: boolean; changesRows: boolean } {
  let nature = known.get(text);
  if (nature === undefined) {
    nature = { isWriting: WRITES.test(text), changesRows: WRITES.test(text.replaceAll(LOCKS_ROWS, '')) };
    if (nature.isWriting || known.size < 1000) known.set(text, nature);
  }
  return nature;
}

/** Whether a statement may wait for the lock of a row. */
export function isWriting(statement: Statement): boolean {
  return natureOf(statement).isWriting;
}

/** Runs a statement on a connection, or on any of a pool. */
export async function run<Row extends object>(
  target: pg.Pool | pg.ClientBase,
  { name, text }: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const named = name === undefined ? {} : { name };
  const result = await target.query<Row>({ ...named, text, values: [...values] });
  return result.rows;
}

/** What transactions need of the database. */
export interface Transactions {
  pool: pg.Pool;
  /** Of those that may wait for a lock, only so many have a connection. */
  writers: Turnstile;
  begin: string;
  tracer: Tracer | null;
  logger: Logger;
}

/** Runs work in a transaction; see `Database.transaction`. */
export async function transaction<T>(given: Transactions, work: (tx: Transaction) => Promise<T>): Promise<T> {
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
  let committed: Promise<void> | undefined;
  try {
    const sender = createSender(client, beginTraced(tracer, begin));
    const query = <Row extends object>(statement: Statement, values?: readonly unknown[]) => {
      if (committed !== undefined) throw new Error('a statement was sent after COMMIT');
      return traced(tracer, statement, () => sender.send<Row>(statement, values));
    };
    const end = () => traced(tracer, { text: 'COMMIT' }, () => commit(client));
    const result = await work({
      query,
      afterCommit: (callback) => callbacks.set(callback, tracer?.bind(callback) ?? callback),
      async commitWith<Row extends object>(statement: Statement, values?: readonly unknown[]) {
        if (!sender.isOpen()) await sender.opened;
        const rows = query<Row>(statement, values);
        committed = end();
        const [first] = await together(rows, committed);
        return first;
      },
    });
    await sender.opened;
    await (committed ?? end());
    for (const callback of callbacks.values()) callback();
    return result;
  } catch (error) {
    // A server that became a replica stays one: the next connection finds its successor.
    if ((error as { code?: unknown } | null)?.code === READ_ONLY) broken = error as Error;
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    // COMMIT was on its way when a statement before it failed: what became of it is what counts.
    const outcome: unknown = await committed?.catch((commitError: unknown) => commitError);
    throw outcome instanceof OutcomeUnknownError ? outcome : error;
  } finally {
    // A connection that could not roll back is in an unknown state: it is closed, not reused.
    client.release(broken);
  }
}

/** The statements of one transaction, behind its BEGIN. */
interface Sender {
  send<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /** Settles with the answer to BEGIN. */
  opened: Promise<unknown>;
  isOpen(): boolean;
}

/**
 * Sends BEGIN. What reads or locks follows without waiting for the answer, which saves a round trip; outside of a transaction it would
 * do no harm. What changes rows, and all that is sent after it, waits.
 */
function createSender(client: pg.PoolClient, begin: string): Sender {
  let isOpen = false;
  let waits = false;
  const opened = client.query(begin).then(() => {
    isOpen = true;
  });
  opened.catch(() => {});
  return {
    opened,
    isOpen: () => isOpen,
    async send<Row extends object>(statement: Statement, values?: readonly unknown[]) {
      if (isOpen) return run<Row>(client, statement, values);
      waits ||= natureOf(statement).changesRows;
      if (waits) {
        await opened;
        return run<Row>(client, statement, values);
      }
      const [rows] = await Promise.all([run<Row>(client, statement, values), opened]);
      return rows;
    },
  };
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
