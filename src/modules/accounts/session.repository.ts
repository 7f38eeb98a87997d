import { readClock } from '../../infra/postgres/clock.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';

export type Role = 'CUSTOMER' | 'STAFF' | 'ADMIN';

/** A device that is logged in. */
export interface Session {
  id: string;
  userId: string;
  userAgent: string | null;
  createdAt: Date;
  /** When it was last refreshed. */
  lastUsedAt: Date;
  expiresAt: Date;
}

const insert: Statement = {
  name: 'session_insert',
  text: `INSERT INTO sessions (id, user_id, user_agent, created_at, last_used_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)`,
};

/** Writes a new session, which is used for the first time as it is made. */
export async function insertSession(tx: Queryable, session: Omit<Session, 'lastUsedAt'>): Promise<void> {
  const { id, userId, userAgent, createdAt, expiresAt } = session;
  await tx.query(insert, [id, userId, userAgent, createdAt, expiresAt]);
}

const insertToken: Statement = {
  name: 'session_insert_token',
  text: 'INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES ($1, $2, $3)',
};

/** Writes a refresh token, of which only the hash is known. */
export async function insertRefreshToken(tx: Queryable, hash: Buffer, sessionId: string, at: Date): Promise<void> {
  await tx.query(insertToken, [hash, sessionId, at]);
}

const ofToken: Statement = {
  name: 'session_of_token',
  text: 'SELECT s.id, s.user_id AS "userId" FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1',
};

/** The session that a refresh token was made for, whatever has become of both. */
export async function findSessionOfToken(
  source: Queryable,
  hash: Buffer,
): Promise<{ id: string; userId: string } | null> {
  const [row] = await source.query<{ id: string; userId: string }>(ofToken, [hash]);
  return row ?? null;
}

const lock: Statement = { name: 'session_lock', text: 'SELECT id FROM sessions WHERE id = $1 FOR NO KEY UPDATE' };

/** Locks a session, so that operations on its tokens run one after the other. */
export async function lockSession(tx: Queryable, id: string): Promise<void> {
  await tx.query(lock, [id]);
}

/** A refresh token and its session, as both are at the database's time `now`. */
export interface RefreshState {
  now: Date;
  createdAt: Date;
  sessionCreatedAt: Date;
  spentAt: Date | null;
  /** The session has neither ended nor run out. */
  live: boolean;
  userId: string;
  role: Role;
}

const refreshState: Statement = {
  name: 'session_refresh_state',
  text: `SELECT clock.now, t.created_at AS "createdAt", s.created_at AS "sessionCreatedAt", t.spent_at AS "spentAt", s.user_id AS "userId", u.role,
                s.ended_at IS NULL AND s.expires_at > clock.now AS live
           FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id,
                (SELECT clock_timestamp() AS now) AS clock
          WHERE t.hash = $1`,
};

/** Reads what a refresh is decided by; the caller has the session's lock. */
export async function readRefreshState(tx: Queryable, hash: Buffer): Promise<RefreshState | null> {
  const [row] = await tx.query<RefreshState>(refreshState, [hash]);
  return row ?? null;
}

const rotate: Statement = {
  name: 'session_rotate',
  text: `WITH spent AS (
           UPDATE refresh_tokens SET spent_at = $3 WHERE hash = $2 AND spent_at IS NULL
         )
         UPDATE sessions SET last_used_at = $3, expires_at = $4 WHERE id = $1`,
};

/** Marks a refresh token as spent, where it is not yet, and its session as used; the caller has the session's lock. */
export async function spendToken(tx: Queryable, sessionId: string, hash: Buffer, at: Date, until: Date): Promise<void> {
  await tx.query(rotate, [sessionId, hash, at, until]);
}

const end: Statement = {
  name: 'session_end',
  text: 'UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id, user_id AS "userId"',
};

/** Ends a session; null where it had ended. */
export async function endSession(tx: Queryable, id: string, at: Date): Promise<{ id: string; userId: string } | null> {
  const [row] = await tx.query<{ id: string; userId: string }>(end, [id, at]);
  return row ?? null;
}

const endOwn: Statement = {
  name: 'session_end_own',
  text: `UPDATE sessions SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL
         RETURNING id, user_id AS "userId"`,
};

/** Ends one of a user's sessions; null where it is another user's, or had ended. */
export async function endSessionOfUser(
  tx: Queryable,
  id: string,
  userId: string,
  at: Date,
): Promise<{ id: string; userId: string } | null> {
  const [row] = await tx.query<{ id: string; userId: string }>(endOwn, [id, userId, at]);
  return row ?? null;
}

const lockUser: Statement = { name: 'session_lock_user', text: 'SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE' };

const endAll: Statement = {
  name: 'session_end_all',
  text: `UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL
         RETURNING id, user_id AS "userId"`,
};

/** Ends all of a user's sessions, under the user's lock: two who do so at once would meet in each other's rows. */
export async function endSessionsOfUser(
  tx: Queryable,
  userId: string,
): Promise<{ at: Date; ended: { id: string; userId: string }[] }> {
  await tx.query(lockUser, [userId]);
  const at = await readClock(tx);
  return { at, ended: await tx.query<{ id: string; userId: string }>(endAll, [userId, at]) };
}

const identify: Statement = {
  name: 'session_identify',
  text: `SELECT u.role, (extract(epoch FROM least(s.expires_at, $3::timestamptz) - clock.now) * 1000)::float8 AS "expiresInMs"
           FROM sessions s JOIN users u ON u.id = s.user_id, (SELECT clock_timestamp() AS now) AS clock
          WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND least(s.expires_at, $3::timestamptz) > clock.now`,
};

/** Whether a session is live, and until when it is, or an access token that ends at `tokenEnd`; by the database's clock. */
export async function findLiveSession(
  source: Queryable,
  sessionId: string,
  userId: string,
  tokenEnd: Date,
): Promise<{ role: Role; expiresInMs: number } | null> {
  const [row] = await source.query<{ role: Role; expiresInMs: number }>(identify, [sessionId, userId, tokenEnd]);
  return row ?? null;
}

const refreshedAfter: Statement = {
  name: 'session_refreshed_after',
  text: 'SELECT last_used_at > $2 AS refreshed FROM sessions WHERE id = $1 AND ended_at IS NULL',
};

/** Whether a session that has not ended was refreshed after an instant. */
export async function wasRefreshedAfter(source: Queryable, sessionId: string, instant: Date): Promise<boolean> {
  const [row] = await source.query<{ refreshed: boolean }>(refreshedAfter, [sessionId, instant]);
  return row?.refreshed === true;
}

const ofUser: Statement = {
  name: 'session_of_user',
  text: `SELECT id, user_id AS "userId", user_agent AS "userAgent", created_at AS "createdAt", last_used_at AS "lastUsedAt",
                expires_at AS "expiresAt"
           FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > clock_timestamp()
          ORDER BY last_used_at DESC, id DESC`,
};

/** A user's live sessions, the one that was used last first. */
export function findSessionsOfUser(source: Queryable, userId: string): Promise<Session[]> {
  return source.query<Session>(ofUser, [userId]);
}
