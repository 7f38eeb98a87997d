import type { Logger } from '../logger.ts';

/** Rows that keep failing, which batches leave out for a while so that the others go on. */
export interface SetAside {
  /** The rows that are left out at this moment, by id. */
  ids(): string[];
  /**
   * Leaves a row out from now on, and logs why.
   * @throws the error, where so many rows fail that the fault is not theirs
   */
  add(id: string, error: unknown): void;
}

const RETRY_AFTER_MS = 10 * 60_000;
const MAX_ROWS = 1000;

/**
 * Makes one.
 * @param options.what what a row is, for the log: `a cart`
 */
export function createSetAside(options: { what: string; logger: Pick<Logger, 'error'> }): SetAside {
  const { what, logger } = options;
  /** When each is tried again; in the order in which they were added. */
  const until = new Map<string, number>();

  function forgetOld(): void {
    for (const [id, at] of until) if (at <= performance.now()) until.delete(id);
  }

  return {
    ids() {
      forgetOld();
      return [...until.keys()];
    },
    add(id, error) {
      forgetOld();
      if (until.size >= MAX_ROWS) throw error;
      until.set(id, performance.now() + RETRY_AFTER_MS);
      logger.error({ err: error, id }, `${what} failed and is skipped for now; it will be retried later`);
    },
  };
}
