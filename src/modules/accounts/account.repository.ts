import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { Role } from './session.service.ts';

/** A user with an account. */
export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  emailVerifiedAt: Date | null;
  createdAt: Date;
}

/** The columns of a User. */
export const USER_COLUMNS = 'id, email, name, role, email_verified_at AS "emailVerifiedAt", created_at AS "createdAt"';

const byIds: Statement = {
  name: 'user_by_ids',
  text: `SELECT ${USER_COLUMNS} FROM users WHERE id = ANY($1::uuid[])`,
};

/** Users by id, in no order. */
export function findUsers(source: Queryable, ids: readonly string[]): Promise<User[]> {
  return source.query<User>(byIds, [ids]);
}

const insert: Statement = {
  name: 'user_insert',
  text: `INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
         VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp()) ON CONFLICT ((lower(email))) DO NOTHING RETURNING ${USER_COLUMNS}`,
};

/** Creates an account; its row is invisible to others before the commit. @returns null if the address is taken */
export async function insertUser(
  tx: Queryable,
  user: { id: string; email: string; name: string; passwordHash: string },
): Promise<User | null> {
  const [row] = await tx.query<User>(insert, [user.id, user.email, user.name, user.passwordHash]);
  return row ?? null;
}

/** What a password is checked against. */
export interface Credentials {
  id: string;
  passwordHash: string;
}

const CREDENTIALS = 'SELECT id, password_hash AS "passwordHash" FROM users';
const byEmail: Statement = { name: 'user_by_email', text: `${CREDENTIALS} WHERE lower(email) = lower($1 COLLATE "C")` };
const byId: Statement = { name: 'user_credentials', text: `${CREDENTIALS} WHERE id = $1` };

/** Of the account with this address, whatever its capitals. */
export async function findCredentialsByEmail(source: Queryable, email: string): Promise<Credentials | null> {
  const [row] = await source.query<Credentials>(byEmail, [email]);
  return row ?? null;
}

/** Of the account with this id. */
export async function findCredentials(source: Queryable, id: string): Promise<Credentials | null> {
  const [row] = await source.query<Credentials>(byId, [id]);
  return row ?? null;
}

const lock: Statement = { name: 'user_lock', text: 'SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE' };

/** Locks a user, before anything of the user's; the first lock that a transaction takes. */
export async function lockUser(tx: Queryable, id: string): Promise<void> {
  await tx.query(lock, [id]);
}

const setHash: Statement = {
  name: 'user_set_password_hash',
  text: 'UPDATE users SET password_hash = $2, updated_at = clock_timestamp() WHERE id = $1',
};

/** Writes another hash; the caller has the user's lock. */
export async function setPasswordHash(tx: Queryable, id: string, passwordHash: string): Promise<void> {
  await tx.query(setHash, [id, passwordHash]);
}

const confirmEmail: Statement = {
  name: 'user_confirm_email',
  text: 'UPDATE users SET email_verified_at = $2, updated_at = $2 WHERE id = $1 AND email_verified_at IS NULL',
};

/** Writes that mail to the user's address arrives, unless that was known; the caller has the user's lock. */
export async function confirmEmailOf(tx: Queryable, id: string, at: Date): Promise<void> {
  await tx.query(confirmEmail, [id, at]);
}
