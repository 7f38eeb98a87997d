import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';

/** A picture as it is stored: a URL, or a path under the shop's own `/images`. */
export interface ImageRow {
  url: string;
  altText: string | null;
}

export interface ProductRow {
  id: string;
  slug: string;
  title: string;
  description: string;
  vendor: string | null;
  tags: string[];
  status: 'DRAFT' | 'ACTIVE' | 'ARCHIVED';
  categoryId: string | null;
  images: ImageRow[];
  createdAt: Date;
  updatedAt: Date;
}

export interface VariantRow {
  id: string;
  productId: string;
  sku: string;
  selectedOptions: { name: string; value: string }[];
  priceMinor: number;
  compareAtMinor: number | null;
  onHand: number;
  held: number;
  available: number;
  lowStockThreshold: number;
  /** Of one unit; null: unknown. */
  weightGrams: number | null;
  requiresShipping: boolean;
  /** Null: the shop's default tax category. */
  taxCategoryId: string | null;
  archivedAt: Date | null;
  /** Of the variant itself: changes in stock do not count. */
  updatedAt: Date;
  productTitle: string;
  productStatus: ProductRow['status'];
}

/** The columns of a ProductRow, of a table that is called `p`. */
export const PRODUCT_COLUMNS = `p.id, p.slug, p.title, p.description, p.vendor, p.tags, p.status, p.category_id AS "categoryId",
  p.images, p.created_at AS "createdAt", p.updated_at AS "updatedAt"`;

/** The columns of a VariantRow, of tables that are called `v` and, its product, `p`. */
export const VARIANT_COLUMNS = `v.id, v.product_id AS "productId", v.sku, v.selected_options AS "selectedOptions",
  v.price_minor AS "priceMinor", v.compare_at_minor AS "compareAtMinor",
  v.on_hand AS "onHand", v.held, v.available,
  v.low_stock_threshold AS "lowStockThreshold", v.weight_grams AS "weightGrams",
  v.requires_shipping AS "requiresShipping", v.tax_category_id AS "taxCategoryId", v.archived_at AS "archivedAt", v.updated_at AS "updatedAt",
  p.title AS "productTitle", p.status AS "productStatus"`;

const variantsByIds: Statement = {
  name: 'catalog_variants_by_ids',
  text: `SELECT ${VARIANT_COLUMNS} FROM product_variants v JOIN products p ON p.id = v.product_id WHERE v.id = ANY($1::uuid[])`,
};

/** Variants whatever their product's status. In a transaction that holds their locks, what it gives is what is true. */
export function findVariants(source: Queryable, ids: readonly string[]): Promise<VariantRow[]> {
  return source.query<VariantRow>(variantsByIds, [ids]);
}

const variantIdsBySkus: Statement = {
  name: 'catalog_variant_ids_by_skus',
  text: `SELECT id, sku FROM product_variants WHERE sku = ANY($1::text[])`,
};

export function findVariantIdsBySkus(
  source: Queryable,
  skus: readonly string[],
): Promise<{ id: string; sku: string }[]> {
  return source.query(variantIdsBySkus, [skus]);
}

const variantsOfProducts: Statement = {
  name: 'catalog_variants_of_products',
  text: `SELECT ${VARIANT_COLUMNS} FROM product_variants v JOIN products p ON p.id = v.product_id
          WHERE v.product_id = ANY($1::uuid[]) AND v.archived_at IS NULL ORDER BY v.product_id, v.position, v.id`,
};

/** The variants of products, in their order, without archived ones. */
export function findVariantsOfProducts(source: Queryable, productIds: readonly string[]): Promise<VariantRow[]> {
  return source.query<VariantRow>(variantsOfProducts, [productIds]);
}

const variantIdsOfProducts: Statement = {
  name: 'catalog_variant_ids_of_products',
  text: 'SELECT id FROM product_variants WHERE product_id = ANY($1::uuid[])',
};

/** The ids of all variants of products, archived ones too. */
export async function findVariantIdsOfProducts(source: Queryable, productIds: readonly string[]): Promise<string[]> {
  const rows = await source.query<{ id: string }>(variantIdsOfProducts, [productIds]);
  return rows.map((row) => row.id);
}

const productsByIds: Statement = {
  name: 'catalog_products_by_ids',
  text: `SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.id = ANY($1::uuid[])`,
};

/** Products whatever their status. */
export function findProducts(source: Queryable, ids: readonly string[]): Promise<ProductRow[]> {
  return source.query<ProductRow>(productsByIds, [ids]);
}

const productBySlug: Statement = {
  name: 'catalog_product_by_slug',
  text: `SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.slug = $1`,
};

export async function findProductBySlug(source: Queryable, slug: string): Promise<ProductRow | null> {
  const [row] = await source.query<ProductRow>(productBySlug, [slug]);
  return row ?? null;
}

export interface CategoryRow {
  id: string;
  slug: string;
  name: string;
  updatedAt: Date;
}

/** The columns of a CategoryRow. */
export const CATEGORY_COLUMNS = 'id, slug, name, updated_at AS "updatedAt"';

const categoriesByIds: Statement = {
  name: 'catalog_categories_by_ids',
  text: `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE id = ANY($1::uuid[])`,
};

export function findCategories(source: Queryable, ids: readonly string[]): Promise<CategoryRow[]> {
  return source.query<CategoryRow>(categoriesByIds, [ids]);
}

const categoryBySlug: Statement = {
  name: 'catalog_category_by_slug',
  text: `SELECT ${CATEGORY_COLUMNS} FROM categories WHERE slug = $1`,
};

export async function findCategoryBySlug(source: Queryable, slug: string): Promise<CategoryRow | null> {
  const [row] = await source.query<CategoryRow>(categoryBySlug, [slug]);
  return row ?? null;
}

/** A page of categories by name. */
export async function findCategoryPage(source: Queryable, page: PageRequest): Promise<Page<CategoryRow>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const terms: SortTerm[] = [
    { expression: 'lower(c.name)', type: 'text', descending: false },
    { expression: 'c.id', type: 'uuid', descending: false },
  ];
  const { condition, orderBy, cursor } = keyset(terms, page, parameter);
  const rows = await source.query<CategoryRow & { cursor: string[] }>(
    {
      name: `categories_${page.direction}_${page.cursor === null ? 'end' : 'cursor'}`,
      text: `SELECT c.id, c.slug, c.name, c.updated_at AS "updatedAt", ${cursor} AS cursor FROM categories c
              WHERE ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many categories there are, as far as lists count. */
export function countCategories(source: Queryable): Promise<number> {
  return countUpTo(source, 'SELECT FROM categories', [], 'catalog_count_categories');
}
