import type { Queryable, Statement } from './database.ts';

const lock: Statement = { name: 'named_lock', text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))' };

/**
 * Lets one transaction at a time go on that names the same lock, until its end. For rare changes whose rules span many rows; it
 * comes before all locks of rows.
 */
export async function takeNamedLock(tx: Queryable, name: string): Promise<void> {
  await tx.query(lock, [name]);
}
