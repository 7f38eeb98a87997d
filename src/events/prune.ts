import type { Database, Queryable, Statement } from '../infra/database.ts';
import type { Logger } from '../infra/logger.ts';

/*
 * Old events go, in small batches and never past the slowest consumer. First the mark moves on, in a transaction of its own,
 * then the events up to it are deleted: whoever reads the log tells by the mark, in the same snapshot, that there is no
 * going on from before it. A crash in between leaves events behind the mark; the next batch deletes them.
 */

/** Events looked at, and deleted, at a time. */
const BATCH = 1000;

// Contiguous from the mark on: up to before the first that is young enough to stay, or that a consumer still needs.
const bound: Statement = {
  name: 'prune_bound',
  text: `WITH old AS (
           SELECT seq, occurred_at FROM event_log WHERE seq > (SELECT pruned_through FROM event_sequence) ORDER BY seq LIMIT ${BATCH}
         )
         SELECT least(coalesce(min(seq) FILTER (WHERE occurred_at >= clock_timestamp() - make_interval(days => $1)) - 1, max(seq)),
                      (SELECT min(seq) FROM event_consumers)) AS through
           FROM old`,
};

const mark: Statement = {
  name: 'prune_mark',
  text: 'UPDATE event_sequence SET pruned_through = $1 WHERE pruned_through < $1 RETURNING pruned_through',
};

const remove: Statement = {
  name: 'prune_delete',
  text: `WITH gone AS (
           DELETE FROM event_log WHERE id IN (
             SELECT id FROM event_log WHERE seq <= (SELECT pruned_through FROM event_sequence) ORDER BY seq LIMIT ${BATCH}
           ) RETURNING 1
         )
         SELECT count(*)::int AS events FROM gone`,
};

async function removeMarked(source: Queryable): Promise<number> {
  const [row] = await source.query<{ events: number }>(remove);
  return row?.events ?? 0;
}

/**
 * Deletes events that are older than the log is kept; safe beside other processes that do the same.
 * @param options.days how long events are kept, by the database's clock
 * @param options.signal ends it after the batch in hand
 * @returns how many were deleted
 */
export async function pruneEvents(options: { db: Queryable; days: number; signal?: AbortSignal }): Promise<number> {
  const { db, days, signal } = options;
  let pruned = await removeMarked(db);
  while (signal?.aborted !== true) {
    const [row] = await db.query<{ through: bigint | null }>(bound, [days]);
    if (row?.through == null) return pruned;
    const moved = await db.query(mark, [row.through]);
    const removed = await removeMarked(db);
    pruned += removed;
    if (moved.length === 0 && removed === 0) return pruned;
  }
  return pruned;
}

const INTERVAL_MS = 60_000;

/** Prunes each minute. */
export function startPruning({ db, days, logger }: { db: Database; days: number; logger: Logger }): AsyncDisposable {
  const stop = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      const events = await pruneEvents({ db, days, signal: stop.signal });
      if (events > 0) logger.info({ events }, 'old events pruned');
    } catch (error) {
      logger.warn({ err: error }, 'old events could not be pruned; tried again in a minute');
    }
  }

  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = undefined;
    });
  }, INTERVAL_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await running;
    },
  };
}
