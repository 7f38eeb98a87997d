import type { Queryable, Statement } from './database.ts';

const clock: Statement = { name: 'clock', text: 'SELECT clock_timestamp() AS now' };

/** The database's time, for a writer that locks no variants (they tell it themselves); read it after the locks. */
export async function readClock(tx: Queryable): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(clock);
  if (row === undefined) throw new Error('the database did not return the time');
  return row.now;
}
