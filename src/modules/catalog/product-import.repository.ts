import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { PRODUCT_COLUMNS, VARIANT_COLUMNS, type ProductRow, type VariantRow } from './catalog.repository.ts';

/** A product with the slug of its category. */
export interface FiledProductRow extends ProductRow {
  categorySlug: string | null;
}

const bySlugs: Statement = {
  name: 'catalog_import_products',
  text: `SELECT ${PRODUCT_COLUMNS}, c.slug AS "categorySlug"
           FROM products p LEFT JOIN categories c ON c.id = p.category_id WHERE p.slug = ANY($1::text[])`,
};

/** Products by slug, whatever their status. */
export function findFiledProducts(source: Queryable, slugs: readonly string[]): Promise<FiledProductRow[]> {
  return source.query<FiledProductRow>(bySlugs, [slugs]);
}

// Two index scans; an OR over both columns would read the whole table.
const variants: Statement = {
  name: 'catalog_import_variants',
  text: `SELECT ${VARIANT_COLUMNS} FROM product_variants v JOIN products p ON p.id = v.product_id
          WHERE v.id IN (SELECT id FROM product_variants WHERE product_id = ANY($1::uuid[])
                         UNION SELECT id FROM product_variants WHERE sku = ANY($2::text[]))
          ORDER BY v.product_id, v.position, v.id`,
};

/** All variants of products, archived ones too, and whatever else has one of some SKUs. */
export function findVariantsInWay(
  source: Queryable,
  productIds: readonly string[],
  skus: readonly string[],
): Promise<VariantRow[]> {
  return source.query<VariantRow>(variants, [productIds, skus]);
}

const productSlugs: Statement = {
  name: 'catalog_import_product_slugs',
  text: 'SELECT slug FROM products WHERE slug = ANY($1::text[])',
};
const categorySlugs: Statement = {
  name: 'catalog_import_category_slugs',
  text: 'SELECT slug FROM categories WHERE slug = ANY($1::text[])',
};

/** Those of some slugs that products have. */
export async function findProductSlugs(source: Queryable, slugs: readonly string[]): Promise<Set<string>> {
  return new Set((await source.query<{ slug: string }>(productSlugs, [slugs])).map(({ slug }) => slug));
}

/** Those of some slugs that categories have. */
export async function findCategorySlugs(source: Queryable, slugs: readonly string[]): Promise<Set<string>> {
  return new Set((await source.query<{ slug: string }>(categorySlugs, [slugs])).map(({ slug }) => slug));
}

const taxCategoryIds: Statement = { name: 'import_tax_category_ids', text: 'SELECT code, id FROM tax_categories' };

/** The ids of the shop's tax categories, by code. */
export async function findTaxCategoryIds(source: Queryable): Promise<Map<string, string>> {
  const rows = await source.query<{ code: string; id: string }>(taxCategoryIds);
  return new Map(rows.map(({ code, id }) => [code, id]));
}
