import type { Queryable } from '../../infra/postgres/database.ts';
import type { ProductRow, VariantRow } from './catalog.repository.ts';

/** A column of a product. */
export type ProductColumn = Exclude<keyof ProductRow, 'id' | 'status'>;

/** A column of a variant that is read with its product. */
export type VariantColumn = Exclude<
  keyof VariantRow,
  'id' | 'productId' | 'archivedAt' | 'productTitle' | 'productStatus'
>;

/** What is read of products and, in the same statement, of their variants. */
export interface ProductFields {
  product: ReadonlySet<ProductColumn>;
  /** Null: no variants. */
  variants: ReadonlySet<VariantColumn> | null;
  /** Whether the places of the rows in their list are read. */
  cursor: boolean;
}

/** A product as it was found, with its variants where they were read with it. */
export type ProductWithVariants = ProductRow & { variants?: VariantRow[] };

const PRODUCT: Readonly<Record<ProductColumn, string>> = {
  slug: 'p.slug',
  title: 'p.title',
  description: 'p.description',
  vendor: 'p.vendor',
  tags: 'p.tags',
  categoryId: 'p.category_id AS "categoryId"',
  images: 'p.images',
  createdAt: 'p.created_at AS "createdAt"',
  updatedAt: 'p.updated_at AS "updatedAt"',
};

const VARIANT: Readonly<Record<VariantColumn, string>> = {
  sku: 'v.sku',
  selectedOptions: 'v.selected_options',
  priceMinor: 'v.price_minor',
  compareAtMinor: 'v.compare_at_minor',
  onHand: 'v.on_hand',
  held: 'v.held',
  available: 'v.available',
  lowStockThreshold: 'v.low_stock_threshold',
  weightGrams: 'v.weight_grams',
  requiresShipping: 'v.requires_shipping',
  taxCategoryId: 'v.tax_category_id',
  updatedAt: 'v.updated_at',
};

/** JSON has no instants. */
const INSTANTS: ReadonlySet<string> = new Set<VariantColumn>(['updatedAt']);

// In one order, so that the same fields make the same statement.
const productColumns = Object.keys(PRODUCT) as ProductColumn[];
const variantColumns = Object.keys(VARIANT) as VariantColumn[];

/** A row as it is selected: a variant is the list of its columns, which takes less to send and to parse than rows of their own. */
type Selected = ProductWithVariants & { variantValues?: unknown[][] };

/** The columns of these fields, of a table that is called `p`. */
export function columnsOf({ product, variants }: ProductFields): string {
  const columns = [
    'p.id',
    'p.status',
    ...productColumns.filter((name) => product.has(name)).map((name) => PRODUCT[name]),
  ];
  if (variants === null) return columns.join(', ');
  const values = ['v.id', ...variantColumns.filter((name) => variants.has(name)).map((name) => VARIANT[name])];
  return `${columns.join(', ')}, coalesce((
    SELECT json_agg(json_build_array(${values.join(', ')}) ORDER BY v.position, v.id)
      FROM product_variants v WHERE v.product_id = p.id AND v.archived_at IS NULL), '[]') AS "variantValues"`;
}

/** Makes rows of what `columnsOf` selected. Columns that were not asked for are undefined. */
export function withVariants<Row extends ProductRow>(rows: Row[], { variants }: ProductFields): Row[] {
  if (variants === null) return rows;
  const names = variantColumns.filter((name) => variants.has(name));
  for (const row of rows as (Row & Selected)[]) {
    const { id: productId, status: productStatus, variantValues = [] } = row;
    row.variants = variantValues.map((values) => {
      const variant: Record<string, unknown> = { id: values[0], productId, productStatus, archivedAt: null };
      for (const [index, name] of names.entries()) {
        const value = values[index + 1];
        variant[name] = INSTANTS.has(name) ? new Date(value as string) : value;
      }
      return variant as unknown as VariantRow;
    });
  }
  return rows;
}

const names = new Map<string, string>();
/** A named statement takes memory on each connection. */
const MAX_NAMES = 200;

/** A name for a statement whose text depends on the fields; undefined where there are too many already. */
export function nameOf(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < MAX_NAMES) {
    name = `catalog_fields_${names.size}`;
    names.set(text, name);
  }
  return name;
}

/** What is asked for of products and their variants, in one statement; by slug. Slugs of no product are left out. */
export async function findFieldsOfProducts(
  source: Queryable,
  slugs: readonly string[],
  { product, variants, cursor }: ProductFields,
): Promise<Map<string, ProductWithVariants>> {
  const fields = { product: new Set([...product, 'slug' as const]), variants, cursor };
  const text = `SELECT ${columnsOf(fields)} FROM products p WHERE p.slug = ANY($1::text[])`;
  const rows = withVariants(await source.query<ProductRow>({ name: nameOf(text), text }, [slugs]), fields);
  return new Map(rows.map((row) => [row.slug, row]));
}
