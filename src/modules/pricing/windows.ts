import type { EventLog } from '../../events/event-log.ts';
import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Database, Statement } from '../../infra/postgres/database.ts';
import { termsChanged } from './pricing.events.ts';

/*
 * Promotions begin and end, and tax rates come into force, without anybody writing a row. This announces it, so that totals that
 * somebody is looking at change by themselves. Prices do not depend on it: each quote looks at the clock.
 */

/** Whether a window has opened or closed since the last announcement. Both tables are small. */
const CROSSED = `EXISTS (SELECT FROM promotions p, state s
                    WHERE (p.starts_at > s.announced_until AND p.starts_at <= s.now)
                       OR (p.ends_at > s.announced_until AND p.ends_at <= s.now))`;
const CAME_INTO_FORCE = `EXISTS (SELECT FROM tax_rates r, state s WHERE r.valid_from > s.announced_until AND r.valid_from <= s.now)`;

const peek: Statement = {
  name: 'pricing_windows_peek',
  text: `WITH state AS (SELECT announced_until, clock_timestamp() AS now FROM pricing_version)
         SELECT ${CROSSED} OR ${CAME_INTO_FORCE} AS due`,
};

// Of several processes one announces; the others find nothing left to do.
const lock: Statement = {
  name: 'pricing_windows_lock',
  text: 'SELECT FROM pricing_version FOR NO KEY UPDATE SKIP LOCKED',
};

const advance: Statement = {
  name: 'pricing_windows_advance',
  text: `WITH state AS (SELECT announced_until, clock_timestamp() AS now FROM pricing_version), moved AS (
           UPDATE pricing_version v SET announced_until = s.now FROM state s
         )
         SELECT s.now AS at, ${CROSSED} AS promotions, ${CAME_INTO_FORCE} AS taxes FROM state s`,
};

/** Announces the windows that have opened or closed. @returns whether there were any */
export async function announceWindows(db: Database, eventLog: EventLog): Promise<boolean> {
  const [seen] = await db.query<{ due: boolean }>(peek);
  if (seen?.due !== true) return false;
  return db.transaction(async (tx) => {
    if ((await tx.query(lock)).length === 0) return false;
    const [state] = await tx.query<{ at: Date; promotions: boolean; taxes: boolean }>(advance);
    if (state === undefined) return false;
    const { at, promotions, taxes } = state;
    await eventLog.append(tx, at, [
      ...(promotions ? [termsChanged('PROMOTION')] : []),
      ...(taxes ? [termsChanged('TAX')] : []),
    ]);
    return promotions || taxes;
  });
}

const INTERVAL_MS = 1000;

/** Looks every second. */
export function startWindows(options: {
  pricing: { announceWindows: () => Promise<boolean> };
  logger: Logger;
  intervalMs?: number;
}): AsyncDisposable {
  const { pricing, logger, intervalMs = INTERVAL_MS } = options;
  return every({
    ms: intervalMs,
    atOnce: true,
    failed: 'promotions that began or ended could not be announced; trying again in a second',
    logger,
    run: async () => {
      await pricing.announceWindows();
    },
  });
}
