import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import { USER_COLUMNS, type User } from './account.repository.ts';
import type { Role } from './session.service.ts';

const NEWEST_FIRST: readonly SortTerm[] = [
  { expression: 'u.created_at', type: 'timestamptz', descending: true },
  { expression: 'u.id', type: 'uuid', descending: true },
];

type Parameter = (value: unknown) => string;

/** Part of a name or of an address, whatever its capitals; served by an index on trigrams. */
function matches(search: string | null, parameter: Parameter): string {
  if (search === null) return 'TRUE';
  const pattern = `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return `lower((u.email || ' ' || u.name) COLLATE "default") LIKE lower(${parameter(pattern)})`;
}

/** A page of users, the newest first. */
export async function findUserPage(source: Queryable, search: string | null, page: PageRequest): Promise<Page<User>> {
  const values: unknown[] = [];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const where = matches(search, parameter);
  const { condition, orderBy, cursor } = keyset(NEWEST_FIRST, page, parameter);
  const rows = await source.query<User & { cursor: string[] }>(
    {
      // A search is planned for its words: a name that many have needs another plan than one that none has.
      name: search === null ? `user_page_${page.direction}${page.cursor === null ? '' : '_on'}` : undefined,
      text: `SELECT ${USER_COLUMNS}, ${cursor} AS cursor FROM users u
              WHERE ${where} AND ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many users the search finds, as far as lists count. */
export function countUsers(source: Queryable, search: string | null): Promise<number> {
  const values: unknown[] = [];
  const where = matches(search, (value) => `$${values.push(value)}`);
  return countUpTo(source, `SELECT FROM users u WHERE ${where}`, values);
}

const lock: Statement = {
  name: 'user_lock_with_admins',
  text: `SELECT id FROM users WHERE role = 'ADMIN' OR id = $1::uuid ORDER BY id FOR NO KEY UPDATE`,
};

/**
 * Locks a user and every ADMIN, by id. There always is one, so changes of roles wait for each other, and what is counted
 * afterwards stays true until the commit.
 */
export async function lockWithAdmins(tx: Queryable, userId: string | null): Promise<void> {
  await tx.query(lock, [userId]);
}

const admins: Statement = { name: 'user_admins', text: `SELECT id FROM users WHERE role = 'ADMIN'` };

/** IDs of all users with the role ADMIN. */
export async function findAdmins(source: Queryable): Promise<string[]> {
  const rows = await source.query<{ id: string }>(admins);
  return rows.map((row) => row.id);
}

const setRole: Statement = {
  name: 'user_set_role',
  text: 'UPDATE users SET role = $2, updated_at = $3 WHERE id = $1',
};

/** Gives a user another role; the caller has the user's lock. */
export async function updateRole(tx: Queryable, id: string, role: Role, at: Date): Promise<void> {
  await tx.query(setRole, [id, role, at]);
}

const confirm: Statement = {
  name: 'user_vouch_for_email',
  text: 'UPDATE users SET email_verified_at = coalesce(email_verified_at, $2) WHERE id = $1',
};

/** Marks the email address as confirmed, on behalf of the operator. */
export async function vouchForEmail(tx: Queryable, id: string, at: Date): Promise<void> {
  await tx.query(confirm, [id, at]);
}

const startLock: Statement = {
  name: 'user_first_admin_lock',
  text: `SELECT pg_advisory_xact_lock(hashtext('vitrine first admin'))`,
};

/** Keeps processes that start together from making two first ADMINs, until the transaction ends. */
export async function lockFirstAdmin(tx: Queryable): Promise<void> {
  await tx.query(startLock);
}
