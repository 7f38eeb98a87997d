import { LATER } from '../../infra/postgres/clock.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { ProductRow, VariantRow } from './catalog.repository.ts';

const lock: Statement = {
  name: 'catalog_lock_product',
  text: 'SELECT id FROM products WHERE id = $1 FOR NO KEY UPDATE',
};

/**
 * Locks a product against every other writer of it and of its variants, until the transaction ends; false where there is
 * none. Comes before the locks of its variants: their trigger writes the product's row. Read what it is afterwards.
 */
export async function lockProduct(tx: Queryable, id: string): Promise<boolean> {
  return (await tx.query(lock, [id])).length > 0;
}

const ofVariant: Statement = {
  name: 'catalog_product_of_variant',
  text: 'SELECT product_id AS "productId" FROM product_variants WHERE id = $1',
};

/** The product of a variant, which stays the same for ever; null where there is no such variant. */
export async function findProductIdOfVariant(tx: Queryable, variantId: string): Promise<string | null> {
  const [row] = await tx.query<{ productId: string }>(ofVariant, [variantId]);
  return row?.productId ?? null;
}

const taken: Statement = {
  name: 'catalog_product_slugs_taken',
  text: 'SELECT slug FROM products WHERE slug = ANY($1::text[])',
};

/** Which of some slugs are a product's. */
export async function findTakenSlugs(tx: Queryable, slugs: readonly string[]): Promise<Set<string>> {
  return new Set((await tx.query<{ slug: string }>(taken, [slugs])).map((row) => row.slug));
}

/** A product's own columns, as staff write them. */
export type ProductWrite = Omit<ProductRow, 'createdAt' | 'updatedAt'>;

const insert: Statement = {
  name: 'catalog_insert_product',
  text: `INSERT INTO products (id, slug, title, description, vendor, tags, status, category_id, images)
         VALUES ($1, $2, $3, $4, $5, $6::text[], $7::product_status, $8, $9::jsonb)
         ON CONFLICT (slug) DO NOTHING RETURNING id`,
};

/**
 * Makes a product without variants and without its description: see `completeProduct`. False where its slug is taken; waits
 * for others who are about to take it.
 */
export async function insertProduct(tx: Queryable, product: ProductWrite): Promise<boolean> {
  return (await tx.query(insert, columns({ ...product, description: '' }))).length > 0;
}

const update: Statement = {
  name: 'catalog_update_product',
  text: `UPDATE products SET slug = $2, title = $3, description = $4, vendor = $5, tags = $6::text[],
                status = $7::product_status, category_id = $8, images = $9::jsonb, updated_at = ${LATER('$10')} WHERE id = $1`,
};

/** Writes a product whose lock the caller has. @throws a violation of `products_slug_key` where its slug is taken */
export async function updateProduct(tx: Queryable, at: Date, product: ProductWrite): Promise<void> {
  await tx.query(update, [...columns(product), at]);
}

function columns({ id, slug, title, description, vendor, tags, status, categoryId, images }: ProductWrite): unknown[] {
  return [id, slug, title, description, vendor, tags, status, categoryId, JSON.stringify(images)];
}

const complete: Statement = {
  name: 'catalog_complete_product',
  text: 'UPDATE products SET description = $2, created_at = $3, updated_at = $3 WHERE id = $1',
};

/**
 * Sets the description of a product that was just inserted, and the time after its locks were taken. The words of the product are
 * indexed with each of its variants: with the description set first, a hundred variants and a long description took four seconds.
 */
export async function completeProduct(
  tx: Queryable,
  at: Date,
  { id, description }: Pick<ProductWrite, 'id' | 'description'>,
): Promise<void> {
  await tx.query(complete, [id, description, at]);
}

const touch: Statement = {
  name: 'catalog_touch_product',
  text: `UPDATE products SET updated_at = ${LATER('$2')} WHERE id = $1`,
};

/** Says when something about a product last changed, where that was one of its variants; the caller has its lock. */
export async function setUpdatedAt(tx: Queryable, at: Date, id: string): Promise<void> {
  await tx.query(touch, [id, at]);
}

/** A variant's own columns, as staff write them. */
export type VariantWrite = Pick<
  VariantRow,
  | 'id'
  | 'sku'
  | 'selectedOptions'
  | 'priceMinor'
  | 'compareAtMinor'
  | 'lowStockThreshold'
  | 'weightGrams'
  | 'requiresShipping'
  | 'taxCategoryId'
>;

// By SKU: two who make the same SKUs wait for each other, and do not deadlock.
const insertAll: Statement = {
  name: 'catalog_insert_variants',
  text: `INSERT INTO product_variants (id, product_id, sku, selected_options, price_minor, compare_at_minor, low_stock_threshold,
                                       weight_grams, requires_shipping, tax_category_id, position)
         SELECT v.id, $1::uuid, v.sku, v.options, v.price, v.compare_at, v.threshold, v.weight, v.ships, v.tax, last.position + v.ordinal
           FROM unnest($2::uuid[], $3::text[], $4::jsonb[], $5::int[], $6::int[], $7::int[],
                       $8::int[], $9::boolean[], $10::uuid[])
                  WITH ORDINALITY AS v(id, sku, options, price, compare_at, threshold, weight, ships, tax, ordinal),
                (SELECT coalesce(max(position), -1) AS position FROM product_variants WHERE product_id = $1::uuid) AS last
          ORDER BY v.sku
         ON CONFLICT (sku) DO NOTHING RETURNING id`,
};

/**
 * Puts variants behind those that a product has, archived ones among them; the caller has the product's lock.
 * @returns the ids of those that were made; the others' SKUs are taken
 */
export async function insertVariants(
  tx: Queryable,
  productId: string,
  variants: readonly VariantWrite[],
): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(insertAll, [
    productId,
    variants.map((variant) => variant.id),
    variants.map((variant) => variant.sku),
    variants.map((variant) => JSON.stringify(variant.selectedOptions)),
    variants.map((variant) => variant.priceMinor),
    variants.map((variant) => variant.compareAtMinor),
    variants.map((variant) => variant.lowStockThreshold),
    variants.map((variant) => variant.weightGrams),
    variants.map((variant) => variant.requiresShipping),
    variants.map((variant) => variant.taxCategoryId),
  ]);
  return new Set(rows.map((row) => row.id));
}

const updateOne: Statement = {
  name: 'catalog_update_variant',
  text: `UPDATE product_variants SET sku = $2, price_minor = $3, compare_at_minor = $4, low_stock_threshold = $5,
                updated_at = ${LATER('$6')},
                selected_options = $7::jsonb, weight_grams = $8, requires_shipping = $9, tax_category_id = $10
          WHERE id = $1`,
};

/** Writes a variant; the caller has its lock and its product's. @throws a violation of `product_variants_sku_key` */
export async function updateVariant(tx: Queryable, at: Date, variant: VariantWrite): Promise<void> {
  const { id, sku, priceMinor, compareAtMinor, lowStockThreshold, selectedOptions } = variant;
  const { weightGrams, requiresShipping, taxCategoryId } = variant;
  const terms = [weightGrams, requiresShipping, taxCategoryId];
  const options = JSON.stringify(selectedOptions);
  await tx.query(updateOne, [id, sku, priceMinor, compareAtMinor, lowStockThreshold, at, options, ...terms]);
}

const archive: Statement = {
  name: 'catalog_archive_variant',
  text: `UPDATE product_variants SET archived_at = $2, updated_at = ${LATER('$2')} WHERE id = $1`,
};

/** Takes a variant off sale; the caller has its lock and its product's. */
export async function archiveVariant(tx: Queryable, at: Date, id: string): Promise<void> {
  await tx.query(archive, [id, at]);
}
