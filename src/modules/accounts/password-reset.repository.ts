import type { Queryable, Statement } from '../../infra/postgres/database.ts';

const insert: Statement = {
  name: 'password_reset_insert',
  text: `INSERT INTO password_resets (id, user_id, requested_at, expires_at)
         VALUES ($1, (SELECT id FROM users WHERE lower(email) = lower($2 COLLATE "C")), $3, $3::timestamptz + make_interval(secs => $4))
         RETURNING user_id AS "userId"`,
};

/**
 * Writes a link down, whether or not there is an account with the address: both take the same work.
 * @returns the user; null where there is none
 */
export async function insertReset(
  tx: Queryable,
  { id, email, at, seconds }: { id: string; email: string; at: Date; seconds: number },
): Promise<string | null> {
  const [row] = await tx.query<{ userId: string | null }>(insert, [id, email, at, seconds]);
  return row?.userId ?? null;
}

/** A link that can still be used. */
export interface OpenReset {
  userId: string;
  expiresAt: Date;
}

const findOpen: Statement = {
  name: 'password_reset_open',
  text: `SELECT user_id AS "userId", expires_at AS "expiresAt" FROM password_resets
          WHERE id = $1 AND user_id IS NOT NULL AND closed_at IS NULL AND expires_at > clock_timestamp()`,
};

/** A link that is somebody's, was not used and is not over; else null. */
export async function findOpenReset(source: Queryable, id: string): Promise<OpenReset | null> {
  const [row] = await source.query<OpenReset>(findOpen, [id]);
  return row ?? null;
}

const closeAll: Statement = {
  name: 'password_reset_close',
  text: 'UPDATE password_resets SET closed_at = $2 WHERE user_id = $1 AND closed_at IS NULL',
};

/** Makes all links of a user void; the caller has the user's lock. */
export async function closeResets(tx: Queryable, userId: string, at: Date): Promise<void> {
  await tx.query(closeAll, [userId, at]);
}
