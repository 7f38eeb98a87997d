import type { Database, Queryable, Statement } from './database.ts';
import { every } from './every.ts';
import type { Logger } from './logger.ts';

/** Rows that nobody needs any more, and that go by themselves. */
export interface RetentionRule {
  /** What they are, for the log: `old sessions`. */
  name: string;
  /** Deletes at most `$1` of them, in a statement of its own, and returns a row for each. Time is the database's. */
  remove: Statement;
}

/** Rows that are deleted at a time: nobody is to wait for it. */
const BATCH = 1000;
const INTERVAL_MS = 10 * 60_000;

/**
 * Deletes what a rule says; safe beside other processes that do the same.
 * @param options.signal ends it after the batch in hand
 * @returns how many rows were deleted
 */
export async function removeOld(options: {
  db: Queryable;
  rule: RetentionRule;
  signal?: AbortSignal;
}): Promise<number> {
  const { db, rule, signal } = options;
  let removed = 0;
  while (signal?.aborted !== true) {
    const rows = await db.query(rule.remove, [BATCH]);
    removed += rows.length;
    if (rows.length < BATCH) break;
  }
  return removed;
}

/** Deletes what all rules say, every ten minutes. */
export function startRetention(options: {
  db: Database;
  rules: readonly RetentionRule[];
  logger: Logger;
}): AsyncDisposable {
  const { db, rules, logger } = options;
  return every({
    ms: INTERVAL_MS,
    atOnce: false,
    failed: 'old rows could not be deleted; tried again in ten minutes',
    logger,
    async run(signal) {
      for (const rule of rules) {
        try {
          const rows = await removeOld({ db, rule, signal });
          if (rows > 0) logger.info({ rows }, `${rule.name} deleted`);
        } catch (error) {
          // One rule that fails holds up none of the others.
          if (!signal.aborted)
            logger.warn({ err: error }, `${rule.name} could not be deleted; tried again in ten minutes`);
        }
      }
    },
  });
}
