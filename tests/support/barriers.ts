import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Database } from '../../src/infra/postgres/database.ts';
import { PATIENCE_MS } from './patience.ts';

/*
 * Interleavings made on purpose: a connection of the test's own holds a lock, and the database itself shows when those
 * whom it concerns have come to wait for it. Nobody sleeps and hopes.
 */

/** Locks that a test holds in a transaction of its own. */
export interface Barrier extends AsyncDisposable {
  /** Does something in that transaction. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Commits: whoever waited goes on. A second time it does nothing. */
  release(): Promise<void>;
}

/** Begins a transaction and runs a statement in it that takes locks; disposal rolls back what was not released. */
export async function holdBarrier(db: Database, sql: string, values: readonly unknown[] = []): Promise<Barrier> {
  const client = await db.connect();
  let ended: Promise<unknown> | undefined;
  const run = async <Row extends object>(text: string, parameters: readonly unknown[] = []) =>
    (await client.query<Row>(text, [...parameters])).rows;
  async function commit(): Promise<void> {
    try {
      await run('COMMIT');
    } finally {
      await client.end();
    }
  }

  await run('BEGIN');
  await run(sql, values);
  return {
    query: run,
    release: async () => {
      ended ??= commit();
      await ended;
    },
    async [Symbol.asyncDispose]() {
      await (ended ??= client.end());
    },
  };
}

/** Holds the rows of variants, as a command does that is about to change their stock. */
export function holdVariants(db: Database, ...variantIds: string[]): Promise<Barrier> {
  return holdBarrier(db, 'SELECT FROM product_variants WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [
    variantIds,
  ]);
}

/** Holds the rows of carts, as a command does that is about to change them. */
export function holdCarts(db: Database, ...cartIds: string[]): Promise<Barrier> {
  return holdBarrier(db, 'SELECT FROM carts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [cartIds]);
}

const WAITERS = `SELECT query FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid() ORDER BY query_start`;

/** Looks at who waits for whose locks in one database, on a connection that nothing else can occupy. */
export interface LockWatch extends AsyncDisposable {
  /** The statements that wait for a lock at this moment. */
  waiters(): Promise<string[]>;
  /**
   * Waits until exactly so many connections wait for locks.
   * @param at what the statement of each of them must contain
   */
  untilWaiting(count: number, at?: string): Promise<void>;
  /** Waits until the database's clock has passed an instant. */
  untilPast(instant: Date): Promise<void>;
}

export async function watchLocks(db: Database): Promise<LockWatch> {
  const client: pg.Client = await db.connect();
  const waiters = async () => (await client.query<{ query: string }>(WAITERS)).rows.map((row) => row.query);

  async function until<T>(look: () => Promise<T>, isEnough: (seen: T) => boolean, wish: string): Promise<void> {
    const began = performance.now();
    for (;;) {
      const seen = await look();
      if (isEnough(seen)) return;
      const waited = performance.now() - began;
      if (waited > PATIENCE_MS) throw new Error(`${wish}: not so within ${PATIENCE_MS} ms\n${JSON.stringify(seen)}`);
      // What is waited for needs the processor, too.
      await delay(Math.min(20, 1 + waited / 5));
    }
  }

  return {
    waiters,
    untilWaiting: (count, at = '') =>
      until(
        waiters,
        (seen) => seen.length === count && seen.every((query) => query.includes(at)),
        `${count} connections wait for locks${at === '' ? '' : ` at "${at}"`}`,
      ),
    async untilPast(instant) {
      const look = async () =>
        (await client.query<{ past: boolean }>('SELECT clock_timestamp() > $1 AS past', [instant])).rows[0]?.past;
      await until(look, (past) => past === true, `it is past ${instant.toISOString()}`);
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** A promise, and what fulfils it. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
