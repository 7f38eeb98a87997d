import type { Queryable, Statement } from './database.ts';

const clock: Statement = { name: 'clock', text: 'SELECT clock_timestamp() AS now' };

/** The database's time. Read it after taking locks; `lockVariants` returns it by itself. */
export async function readClock(tx: Queryable): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(clock);
  if (row === undefined) throw new Error('the database did not return the time');
  return row.now;
}

/**
 * The time of a change as SQL: later than that of the change before by a millisecond at least, which is all that clients see of a time.
 * So no two versions of an object have the same `updatedAt`. @param at the placeholder of the transaction's time
 */
export const LATER = (at: string): string =>
  `greatest(${at}::timestamptz, date_trunc('milliseconds', updated_at) + interval '1 millisecond')`;
