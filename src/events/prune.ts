import type { Database, Queryable, Statement } from '../infra/postgres/database.ts';
import { every } from '../infra/every.ts';
import type { Logger } from '../infra/logger.ts';

/*
 * Old events are deleted in small batches, never past the slowest consumer. A consumer that this version of the shop does not know may
 * belong to a newer or older version, which runs beside this one or returns: its events are kept for another month, after which the
 * consumer counts as gone. (Its row stays, so that it notices that the log was pruned.) The mark moves first, in a transaction of its
 * own; then the events up to the mark are deleted. A reader sees by the mark, in the same snapshot, that it cannot continue from an
 * earlier position. A crash between the two steps leaves events before the mark; the next batch deletes them.
 */

/** Events looked at, and deleted, at a time. */
const BATCH = 1000;
/** Beyond the days that events are kept for. */
const GONE_DAYS = 30;

// Contiguous from the mark on: up to before the first that is young enough to stay, or that a consumer still needs.
const bound: Statement = {
  name: 'prune_bound',
  text: `WITH old AS (
           SELECT seq, occurred_at FROM event_log WHERE seq > (SELECT pruned_through FROM event_sequence) ORDER BY seq LIMIT ${BATCH}
         )
         SELECT least(coalesce(min(seq) FILTER (WHERE occurred_at >= clock_timestamp() - make_interval(days => $1)) - 1, max(seq)),
                      (SELECT min(c.seq) FROM event_consumers c WHERE c.name = ANY($2::text[]) OR (
                         c.seq >= (SELECT pruned_through FROM event_sequence) AND NOT EXISTS (
                           SELECT FROM event_log e WHERE e.seq = c.seq + 1
                              AND e.occurred_at < clock_timestamp() - make_interval(days => $1 + ${GONE_DAYS}))))) AS through
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
 * @param options.consumers those that this version knows: they are waited for, however long
 * @param options.signal ends it after the current batch
 * @returns how many were deleted
 */
export async function pruneEvents(options: {
  db: Queryable;
  days: number;
  consumers: readonly string[];
  signal?: AbortSignal;
}): Promise<number> {
  const { db, days, consumers, signal } = options;
  let pruned = await removeMarked(db);
  while (signal?.aborted !== true) {
    const [row] = await db.query<{ through: bigint | null }>(bound, [days, consumers]);
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
export function startPruning(options: {
  db: Database;
  days: number;
  consumers: readonly string[];
  logger: Logger;
}): AsyncDisposable {
  const { db, days, consumers, logger } = options;
  return every({
    ms: INTERVAL_MS,
    atOnce: false,
    failed: 'old events could not be pruned; tried again in a minute',
    logger,
    async run(signal) {
      const events = await pruneEvents({ db, days, consumers, signal });
      if (events > 0) logger.info({ events }, 'old events deleted');
    },
  });
}
