import { LATER } from '../../infra/postgres/clock.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { TaxCategory, TaxCategoryFields, TaxRate } from './tax.types.ts';

const CATEGORY = 'id, code, name, is_default AS "isDefault", created_at AS "createdAt", updated_at AS "updatedAt"';
const RATE = `id, zone_id AS "zoneId", tax_category_id AS "taxCategoryId", title, rate_ppm AS "ratePpm", valid_from AS "validFrom",
              updated_at AS "updatedAt"`;

const categories: Statement = {
  name: 'tax_categories',
  text: `SELECT ${CATEGORY} FROM tax_categories ORDER BY is_default DESC, code`,
};

/** All categories: the default one first, then by code. */
export function findCategories(source: Queryable): Promise<TaxCategory[]> {
  return source.query<TaxCategory>(categories);
}

const categoriesByIds: Statement = {
  name: 'tax_categories_by_ids',
  text: `SELECT ${CATEGORY} FROM tax_categories WHERE id = ANY($1::uuid[])`,
};

/** The categories among the ids, in any order. */
export function findCategoriesByIds(source: Queryable, ids: readonly string[]): Promise<TaxCategory[]> {
  return source.query<TaxCategory>(categoriesByIds, [ids]);
}

const insertCategoryStatement: Statement = {
  name: 'tax_category_insert',
  text: `INSERT INTO tax_categories (id, code, name, is_default, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
};

/** Writes a category. */
export async function insertCategory(tx: Queryable, at: Date, id: string, category: TaxCategoryFields): Promise<void> {
  await tx.query(insertCategoryStatement, [id, category.code, category.name, category.isDefault, at]);
}

const updateCategoryStatement: Statement = {
  name: 'tax_category_update',
  text: `UPDATE tax_categories SET code = $2, name = $3, is_default = $4, updated_at = ${LATER('$5')} WHERE id = $1`,
};

/** Replaces the fields of a category. */
export async function updateCategory(tx: Queryable, at: Date, id: string, category: TaxCategoryFields): Promise<void> {
  await tx.query(updateCategoryStatement, [id, category.code, category.name, category.isDefault, at]);
}

const clearDefaultStatement: Statement = {
  name: 'tax_category_clear_default',
  text: `UPDATE tax_categories SET is_default = false, updated_at = ${LATER('$2')} WHERE is_default AND id <> $1`,
};

/** Before a category becomes the default one: a unique index allows one at any time. */
export async function clearOtherDefault(tx: Queryable, at: Date, id: string): Promise<void> {
  await tx.query(clearDefaultStatement, [id, at]);
}

const deleteCategoryStatement: Statement = {
  name: 'tax_category_delete',
  text: 'DELETE FROM tax_categories WHERE id = $1',
};

/** Deletes a category with its rates. @throws a violated foreign key if a variant or method has it */
export async function deleteCategory(tx: Queryable, id: string): Promise<void> {
  await tx.query(deleteCategoryStatement, [id]);
}

const ratesOfZones: Statement = {
  name: 'tax_rates_of_zones',
  text: `SELECT ${RATE} FROM tax_rates WHERE zone_id = ANY($1::uuid[]) ORDER BY tax_category_id, valid_from, id`,
};

/** The rates of zones, by category, the earliest first. */
export function findRatesOfZones(source: Queryable, zoneIds: readonly string[]): Promise<TaxRate[]> {
  return source.query<TaxRate>(ratesOfZones, [zoneIds]);
}

const ratesByIds: Statement = {
  name: 'tax_rates_by_ids',
  text: `SELECT ${RATE} FROM tax_rates WHERE id = ANY($1::uuid[])`,
};

/** The rates among the ids, in any order. */
export function findRatesByIds(source: Queryable, ids: readonly string[]): Promise<TaxRate[]> {
  return source.query<TaxRate>(ratesByIds, [ids]);
}

const insertRateStatement: Statement = {
  name: 'tax_rate_insert',
  text: `INSERT INTO tax_rates (id, zone_id, tax_category_id, title, rate_ppm, valid_from, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
};

/** Writes a rate. @throws a violated foreign or unique key */
export async function insertRate(tx: Queryable, at: Date, rate: Omit<TaxRate, 'updatedAt'>): Promise<void> {
  const { id, zoneId, taxCategoryId, title, ratePpm, validFrom } = rate;
  await tx.query(insertRateStatement, [id, zoneId, taxCategoryId, title, ratePpm, validFrom, at]);
}

const updateRateStatement: Statement = {
  name: 'tax_rate_update',
  text: `UPDATE tax_rates SET title = $2, rate_ppm = $3, valid_from = $4, updated_at = ${LATER('$5')} WHERE id = $1`,
};

/** Replaces title, rate and beginning of a rate. @throws a violated unique key */
export async function updateRate(tx: Queryable, at: Date, { id, title, ratePpm, validFrom }: TaxRate): Promise<void> {
  await tx.query(updateRateStatement, [id, title, ratePpm, validFrom, at]);
}

const deleteRateStatement: Statement = { name: 'tax_rate_delete', text: 'DELETE FROM tax_rates WHERE id = $1' };

/** Deletes a rate. */
export async function deleteRate(tx: Queryable, id: string): Promise<void> {
  await tx.query(deleteRateStatement, [id]);
}

const exemptionsStatement: Statement = {
  name: 'tax_exemptions_of_users',
  text: 'SELECT id, tax_exempt AS "taxExempt", tax_exempt_note AS "taxExemptNote" FROM users WHERE id = ANY($1::uuid[])',
};

/** Whether a user is exempt from tax, and why. */
export interface TaxExemption {
  taxExempt: boolean;
  taxExemptNote: string | null;
}

/** The exemptions of the users among the ids, in any order. */
export function findExemptions(
  source: Queryable,
  userIds: readonly string[],
): Promise<(TaxExemption & { id: string })[]> {
  return source.query<TaxExemption & { id: string }>(exemptionsStatement, [userIds]);
}

const lockUserStatement: Statement = {
  name: 'tax_exemption_lock_user',
  text: 'SELECT tax_exempt AS "taxExempt", tax_exempt_note AS "taxExemptNote" FROM users WHERE id = $1 FOR NO KEY UPDATE',
};

/** The exemption of a user, under the user's lock; null if there is no such user. */
export async function lockExemption(tx: Queryable, userId: string): Promise<TaxExemption | null> {
  const [row] = await tx.query<TaxExemption>(lockUserStatement, [userId]);
  return row ?? null;
}

const setExemptionStatement: Statement = {
  name: 'tax_exemption_set',
  text: 'UPDATE users SET tax_exempt = $2, tax_exempt_note = $3, updated_at = $4 WHERE id = $1',
};

/** Sets the exemption of a user. */
export async function setExemption(tx: Queryable, at: Date, userId: string, to: TaxExemption): Promise<void> {
  await tx.query(setExemptionStatement, [userId, to.taxExempt, to.taxExemptNote, at]);
}
