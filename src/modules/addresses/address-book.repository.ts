import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { Address } from './address.types.ts';

/** An entry of a user's address book. */
export interface UserAddress extends Address {
  id: string;
  userId: string;
  isDefault: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `id, user_id AS "userId", name, line1, line2, city, region, postal_code AS "postalCode",
                 country_code AS "countryCode", is_default AS "isDefault", created_at AS "createdAt", updated_at AS "updatedAt"`;

const lockUserStatement: Statement = {
  name: 'address_book_lock_user',
  text: 'SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE',
};

/** Locks a user, and with it the address book: every writer of the book takes this lock first. */
export async function lockUser(tx: Queryable, userId: string): Promise<void> {
  await tx.query(lockUserStatement, [userId]);
}

const ofUserStatement: Statement = {
  name: 'address_book_of_user',
  text: `SELECT ${COLUMNS} FROM user_addresses WHERE user_id = $1 ORDER BY is_default DESC, created_at DESC, id DESC`,
};

/** The addresses of a user: the default address first, then the latest first. */
export function findAddresses(source: Queryable, userId: string): Promise<UserAddress[]> {
  return source.query<UserAddress>(ofUserStatement, [userId]);
}

const insertStatement: Statement = {
  name: 'address_book_insert',
  text: `INSERT INTO user_addresses (id, user_id, name, line1, line2, city, region, postal_code, country_code, is_default,
                                     created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, $10, $10)`,
};

/** Adds an address, not as the default one. */
export async function insertAddress(
  tx: Queryable,
  at: Date,
  { id, userId, ...address }: Address & { id: string; userId: string },
): Promise<void> {
  const { name, line1, line2, city, region, postalCode, countryCode } = address;
  await tx.query(insertStatement, [id, userId, name, line1, line2, city, region, postalCode, countryCode, at]);
}

const updateStatement: Statement = {
  name: 'address_book_update',
  text: `UPDATE user_addresses SET name = $3, line1 = $4, line2 = $5, city = $6, region = $7, postal_code = $8,
                                   country_code = $9, updated_at = $10
          WHERE id = $1 AND user_id = $2 RETURNING id`,
};

/** Replaces an address. @returns whether the user has it */
export async function updateAddress(
  tx: Queryable,
  at: Date,
  { id, userId, ...address }: Address & { id: string; userId: string },
): Promise<boolean> {
  const { name, line1, line2, city, region, postalCode, countryCode } = address;
  const values = [id, userId, name, line1, line2, city, region, postalCode, countryCode, at];
  return (await tx.query(updateStatement, values)).length > 0;
}

const deleteStatement: Statement = {
  name: 'address_book_delete',
  text: 'DELETE FROM user_addresses WHERE id = $1 AND user_id = $2 RETURNING id',
};

/** Deletes an address. @returns whether the user had it */
export async function deleteAddress(tx: Queryable, userId: string, id: string): Promise<boolean> {
  return (await tx.query(deleteStatement, [id, userId])).length > 0;
}

const clearDefaultStatement: Statement = {
  name: 'address_book_clear_default',
  text: 'UPDATE user_addresses SET is_default = false WHERE user_id = $1 AND is_default AND id IS DISTINCT FROM $2::uuid',
};
const setDefaultStatement: Statement = {
  name: 'address_book_set_default',
  text: 'UPDATE user_addresses SET is_default = true WHERE user_id = $1 AND id = $2 RETURNING id',
};

/**
 * Makes an address the default one of its user, in place of any other. The caller has the user's lock.
 * @param id null: the user has no default address any more
 * @returns whether the user has the address
 */
export async function setDefault(tx: Queryable, userId: string, id: string | null): Promise<boolean> {
  // Before the other: a unique index allows one at any time.
  await tx.query(clearDefaultStatement, [userId, id]);
  return id === null || (await tx.query(setDefaultStatement, [userId, id])).length > 0;
}
