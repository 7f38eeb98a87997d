import { LATER } from '../../infra/postgres/clock.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { CATEGORY_COLUMNS, type CategoryRow } from './catalog.repository.ts';

const keep: Statement = {
  name: 'catalog_keep_category',
  text: `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE slug = $1 FOR KEY SHARE`,
};

/**
 * A category by its slug, which is neither deleted nor gets another slug until the transaction ends. Comes before the
 * product's lock: who deletes a category goes from it to its products.
 */
export async function keepCategory(tx: Queryable, slug: string): Promise<CategoryRow | null> {
  const [row] = await tx.query<CategoryRow>(keep, [slug]);
  return row ?? null;
}

const lock: Statement = {
  name: 'catalog_lock_category',
  text: `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE id = $1 FOR NO KEY UPDATE`,
};

/** A category as it is under its lock, which keeps every other writer of it waiting; null where there is none. */
export async function lockCategory(tx: Queryable, id: string): Promise<CategoryRow | null> {
  const [row] = await tx.query<CategoryRow>(lock, [id]);
  return row ?? null;
}

const taken: Statement = {
  name: 'catalog_category_slugs_taken',
  text: 'SELECT slug FROM categories WHERE slug = ANY($1::text[])',
};

/** Which of some slugs are a category's. */
export async function findTakenSlugs(tx: Queryable, slugs: readonly string[]): Promise<Set<string>> {
  return new Set((await tx.query<{ slug: string }>(taken, [slugs])).map((row) => row.slug));
}

const insert: Statement = {
  name: 'catalog_insert_category',
  text: `INSERT INTO categories (id, slug, name, created_at, updated_at)
         VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp()) ON CONFLICT (slug) DO NOTHING RETURNING ${CATEGORY_COLUMNS}`,
};

/** Makes a category; null where its slug is taken. Waits for others who are about to take it. */
export async function insertCategory(
  tx: Queryable,
  { id, slug, name }: Omit<CategoryRow, 'updatedAt'>,
): Promise<CategoryRow | null> {
  const [row] = await tx.query<CategoryRow>(insert, [id, slug, name]);
  return row ?? null;
}

const update: Statement = {
  name: 'catalog_update_category',
  text: `UPDATE categories SET slug = $2, name = $3, updated_at = ${LATER('$4')} WHERE id = $1 RETURNING updated_at AS "updatedAt"`,
};

/**
 * Writes a category whose lock the caller has.
 * @returns the time of the change
 * @throws a violation of `categories_slug_key` where its slug is taken
 */
export async function updateCategory(tx: Queryable, at: Date, { id, slug, name }: CategoryRow): Promise<Date> {
  const [row] = await tx.query<{ updatedAt: Date }>(update, [id, slug, name, at]);
  if (row === undefined) throw new Error(`category ${id} is gone under its lock`);
  return row.updatedAt;
}

// Not FOR NO KEY UPDATE: adding a product to the category holds a key lock, which this must wait for.
const lockToDelete: Statement = {
  name: 'catalog_lock_category_to_delete',
  text: `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE id = $1 FOR UPDATE`,
};

/** A category under a lock that keeps products from being filed in it; null if there is none. */
export async function lockCategoryToDelete(tx: Queryable, id: string): Promise<CategoryRow | null> {
  const [row] = await tx.query<CategoryRow>(lockToDelete, [id]);
  return row ?? null;
}

const lockProducts: Statement = {
  name: 'catalog_lock_products_of_category',
  text: 'SELECT id FROM products WHERE category_id = $1 ORDER BY id FOR NO KEY UPDATE',
};

/** Locks the products of a category, by id. */
export async function lockProductsOf(tx: Queryable, id: string): Promise<string[]> {
  return (await tx.query<{ id: string }>(lockProducts, [id])).map((row) => row.id);
}

const unfile: Statement = {
  name: 'catalog_unfile_products',
  text: `UPDATE products SET category_id = NULL, updated_at = ${LATER('$2')} WHERE category_id = $1`,
};

/** Leaves the products of a category without one; the caller has their locks. */
export async function unfileProducts(tx: Queryable, at: Date, id: string): Promise<void> {
  await tx.query(unfile, [id, at]);
}

const remove: Statement = {
  name: 'catalog_delete_category',
  text: 'DELETE FROM categories WHERE id = $1',
};

/** Deletes a category that has no products any more. */
export async function deleteCategory(tx: Queryable, id: string): Promise<void> {
  await tx.query(remove, [id]);
}
