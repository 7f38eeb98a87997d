import { isDatabaseAway } from './database-faults.ts';
import type { Database, Queryable, Statement } from './database.ts';
import { every } from '../every.ts';
import type { Logger } from '../logger.ts';

/** Rows that are no longer needed and are deleted automatically. */
export interface RetentionRule {
  /** What they are, for the log: `old sessions`. */
  name: string;
  /**
   * Deletes at most `$1` of them after the first `$2`, in one order, and returns a row for each. Time is the database's.
   */
  remove: Statement;
  /** What stands for `$3` and so on: how long they are kept. */
  values?: readonly unknown[];
}

/** Rows deleted in one statement, few enough that other statements do not wait noticeably. */
const BATCH = 1000;
const INTERVAL_MS = 10 * 60_000;

/** Rows that cannot be deleted, by one rule in one run: with more of them the rule itself is wrong. */
const MAX_BAD = 100;

/**
 * Deletes what a rule says; safe beside other processes that do the same. A row that cannot be deleted is passed over.
 * @param options.failed called for each row that cannot be deleted
 * @param options.signal ends it after the batch in hand
 * @returns how many rows were deleted
 */
export async function removeOld(options: {
  db: Queryable;
  rule: RetentionRule;
  signal?: AbortSignal;
  failed?: (error: unknown) => void;
}): Promise<number> {
  const { db, rule, signal, failed = () => {} } = options;
  let removed = 0;
  let bad = 0;
  let limit = BATCH;
  while (signal?.aborted !== true) {
    try {
      const rows = await db.query(rule.remove, [limit, bad, ...(rule.values ?? [])]);
      removed += rows.length;
      if (rows.length < limit) break;
      limit = Math.min(limit * 10, BATCH);
    } catch (error) {
      if (isDatabaseAway(error) || bad >= MAX_BAD) throw error;
      // Closer and closer to the row that is bad.
      if (limit > 1) limit = Math.ceil(limit / 10);
      else {
        bad += 1;
        failed(error);
      }
    }
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
    failed: 'old rows could not be deleted; retrying in 10 min',
    logger,
    async run(signal) {
      for (const rule of rules) {
        try {
          const failed = (error: unknown) =>
            logger.error({ err: error }, `${rule.name}: a row could not be deleted; continuing with the others`);
          const rows = await removeOld({ db, rule, signal, failed });
          if (rows > 0) logger.info({ rows }, `${rule.name} deleted`);
        } catch (error) {
          // One rule that fails holds up none of the others.
          if (!signal.aborted) logger.warn({ err: error }, `${rule.name} could not be deleted; retrying in 10 min`);
        }
      }
    },
  });
}
