import { isDatabaseAway } from './database-faults.ts';
import type { Database, Queryable, Statement } from './database.ts';
import { every } from '../every.ts';
import type { Logger } from '../logger.ts';

/** Rows that are no longer needed and are deleted automatically. */
export type RetentionRule = OldRows | SearchedRows;

/** Rows that an index leads to. */
export interface OldRows {
  /** What they are, for the log: `old sessions`. */
  name: string;
  /**
   * Deletes at most `$1` of them after the first `$2`, in one order, and returns a row for each. Time is the database's, in a SELECT of
   * its own: the clock in a comparison is read for each row, so that no index is of use.
   */
  remove: Statement;
  /** What stands for `$3` and so on: how long they are kept. */
  values?: readonly unknown[];
}

/** Rows that no index leads to, since they lie among others that stay for ever. A run searches some of these, and the next run goes on. */
export interface SearchedRows {
  name: string;
  /** Finds at most `$1` rows, in the order of an index, after the place `$2`, a text[] (null: from the beginning): `id` and `place`. */
  candidates: Statement;
  /** Deletes those of the rows with the IDs `$1` that are no longer needed, and returns a row for each. */
  remove: Statement;
  /** What stands for `$3` and so on in `candidates`. */
  searchValues?: readonly unknown[];
  /** What stands for `$2` and so on in `remove`. */
  values?: readonly unknown[];
}

/** Comes before every other UUID. */
export const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** Where each search goes on, by the name of its rule; null: from the beginning. */
export type Places = Map<string, readonly string[] | null>;

/** Rows deleted in one statement, few enough that other statements do not wait noticeably. */
const BATCH = 1000;
const INTERVAL_MS = 10 * 60_000;

/** Rows that cannot be deleted, by one rule in one run: with more of them the rule itself is wrong. */
const MAX_BAD = 100;

/** Batches in which a search may find nothing before the run ends. */
const MAX_IDLE_BATCHES = 10;

interface Removal<Rule> {
  db: Queryable;
  rule: Rule;
  signal?: AbortSignal | undefined;
  failed: (error: unknown) => void;
}

/**
 * Deletes what a rule says; safe beside other processes that do the same. A row that cannot be deleted is passed over.
 * @param options.failed called for each row that cannot be deleted
 * @param options.signal ends it after the current batch
 * @param options.places where searches go on; this run's end is kept there
 * @returns how many rows were deleted
 */
export async function removeOld(options: {
  db: Queryable;
  rule: RetentionRule;
  signal?: AbortSignal;
  failed?: (error: unknown) => void;
  places?: Places;
}): Promise<number> {
  const { rule, failed = () => {}, places = new Map() } = options;
  if ('candidates' in rule) return removeSearched({ ...options, rule, failed }, places);
  return removeInOrder({ ...options, rule, failed });
}

async function removeInOrder({ db, rule, signal, failed }: Removal<OldRows>): Promise<number> {
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

async function removeSearched({ db, rule, signal, failed }: Removal<SearchedRows>, places: Places): Promise<number> {
  const { name, candidates, searchValues = [], remove, values = [] } = rule;
  let removed = 0;
  let bad = 0;

  async function removeOf(ids: readonly string[]): Promise<number> {
    try {
      return (await db.query(remove, [ids, ...values])).length;
    } catch (error) {
      if (isDatabaseAway(error) || bad >= MAX_BAD) throw error;
      if (ids.length > 1) {
        let some = 0;
        for (const id of ids) some += await removeOf([id]);
        return some;
      }
      bad += 1;
      failed(error);
      return 0;
    }
  }

  for (let idle = 0; idle < MAX_IDLE_BATCHES && signal?.aborted !== true;) {
    const found = await db.query<{ id: string; place: string[] }>(candidates, [
      BATCH,
      places.get(name) ?? null,
      ...searchValues,
    ]);
    const some = found.length === 0 ? 0 : await removeOf(found.map(({ id }) => id));
    removed += some;
    idle = some > 0 ? 0 : idle + 1;
    const isEnd = found.length < BATCH;
    places.set(name, isEnd ? null : (found.at(-1)?.place ?? null));
    if (isEnd) break;
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
  const places: Places = new Map();
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
          const rows = await removeOld({ db, rule, signal, failed, places });
          if (rows > 0) logger.info({ rows }, `${rule.name} deleted`);
        } catch (error) {
          // One rule that fails holds up none of the others.
          if (!signal.aborted) logger.warn({ err: error }, `${rule.name} could not be deleted; retrying in 10 min`);
        }
      }
    },
  });
}
