import { createHash } from 'node:crypto';
import type { Queryable } from '../../infra/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/page.ts';
import { PRODUCT_COLUMNS, type ProductRow } from './catalog.repository.ts';
import { searchQuery, type SearchWords } from './product-search.ts';

export type ProductSortKey = 'NEWEST' | 'TITLE' | 'PRICE';

/** What products to list, as far as SQL is concerned. Prices in minor units. */
export interface ProductQuery {
  search?: SearchWords;
  categorySlug?: string;
  tags?: readonly string[];
  minPriceMinor?: number;
  maxPriceMinor?: number;
  inStock?: boolean;
  /** Left out: ACTIVE. Who may ask for another is the caller's to decide. */
  status?: ProductRow['status'];
  /** Left out: best match first where words are searched for, else newest first. */
  sort?: { key: ProductSortKey; reverse: boolean };
}

const ID: SortTerm = { expression: 'p.id', type: 'uuid', descending: false };

const SORTS: Record<ProductSortKey, readonly SortTerm[]> = {
  NEWEST: [
    { expression: 'p.created_at', type: 'timestamptz', descending: true },
    { ...ID, descending: true },
  ],
  TITLE: [{ expression: 'p.sort_title', type: 'text', descending: false }, ID],
  PRICE: [{ expression: 'p.min_price_minor', type: 'int', descending: false }, ID],
};

/** A statement in the making: SQL whose shape follows from the query, and the values that it takes. */
class Draft {
  readonly values: unknown[] = [];
  readonly parameter = (value: unknown): string => {
    this.values.push(value);
    return `$${this.values.length}`;
  };
}

/** What the words of a search match, and the conditions that the query sets. */
function matching(query: ProductQuery, { parameter }: Draft): { from: string; conditions: string[] } {
  // Spelt out, so that what nearly everybody asks for is planned by itself.
  const conditions = [`p.status = '${query.status ?? 'ACTIVE'}'`];
  let from = 'products p';
  if (query.search !== undefined) {
    from += `, (SELECT ${searchQuery(query.search, parameter)} AS words) AS sought`;
    conditions.push('p.search @@ sought.words');
  }
  if (query.categorySlug !== undefined) {
    conditions.push(`p.category_id = (SELECT id FROM categories WHERE slug = ${parameter(query.categorySlug)})`);
  }
  if (query.tags !== undefined && query.tags.length > 0) conditions.push(`p.tags @> ${parameter(query.tags)}::text[]`);
  const ofVariant = [
    ...(query.minPriceMinor === undefined ? [] : [`v.price_minor >= ${parameter(query.minPriceMinor)}`]),
    ...(query.maxPriceMinor === undefined ? [] : [`v.price_minor <= ${parameter(query.maxPriceMinor)}`]),
    ...(query.inStock === true ? ['v.available > 0'] : []),
  ];
  const oneVariant = (also: readonly string[]) =>
    `EXISTS (SELECT FROM product_variants v WHERE ${['v.product_id = p.id', 'v.archived_at IS NULL', ...also].join(' AND ')})`;
  // One and the same variant is in the range and in stock.
  if (ofVariant.length > 0) conditions.push(oneVariant(ofVariant));
  if (query.inStock === false) conditions.push(`NOT ${oneVariant(['v.available > 0'])}`);
  return { from, conditions };
}

function sorting(query: ProductQuery): readonly SortTerm[] {
  if (query.sort === undefined) {
    if (query.search === undefined) return SORTS.NEWEST;
    // A whole number, so that a cursor holds it exactly.
    const rank = '(ts_rank(p.search, sought.words) * 1000000)::int';
    return [{ expression: rank, type: 'int', descending: true }, ID];
  }
  const { key, reverse } = query.sort;
  return SORTS[key].map((term) => ({ ...term, descending: term.descending !== reverse }));
}

/** Named by its text: each shape of query is parsed once on a connection. */
function run<Row extends object>(source: Queryable, text: string, { values }: Draft): Promise<Row[]> {
  const name = `products_${createHash('sha1').update(text).digest('base64url')}`;
  return source.query<Row>({ name, text }, values);
}

/** A page of products. */
export async function findProductPage(
  source: Queryable,
  query: ProductQuery,
  page: PageRequest,
): Promise<Page<ProductRow>> {
  const draft = new Draft();
  const text = select(query, page, draft);
  return toPage(await run<ProductRow & { cursor: string[] }>(source, text, draft), page);
}

function select(query: ProductQuery, page: PageRequest, draft: Draft, also: readonly string[] = []): string {
  const { from, conditions } = matching(query, draft);
  const { condition, orderBy, cursor } = keyset(sorting(query), page, draft.parameter);
  if (query.sort?.key === 'PRICE') conditions.push('p.min_price_minor IS NOT NULL');
  return `SELECT ${PRODUCT_COLUMNS}, ${cursor} AS cursor FROM ${from}
           WHERE ${[...conditions, condition, ...also].join(' AND ')} ORDER BY ${orderBy} LIMIT ${draft.parameter(page.limit + 1)}`;
}

/** How many products the query finds in all. */
export async function countProducts(source: Queryable, query: ProductQuery): Promise<number> {
  const draft = new Draft();
  const { from, conditions } = matching(query, draft);
  const [row] = await run<{ count: bigint }>(
    source,
    `SELECT count(*) FROM ${from} WHERE ${conditions.join(' AND ')}`,
    draft,
  );
  return Number(row?.count ?? 0);
}

/** The same page of each of several categories' products, newest first, in one statement. */
export async function findProductPagesOfCategories(
  source: Queryable,
  categoryIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<ProductRow>>> {
  const draft = new Draft();
  const ids = draft.parameter(categoryIds);
  const inner = select({}, page, draft, ['p.category_id = c.id']);
  const rows = await run<ProductRow & { cursor: string[] }>(
    source,
    `SELECT page.* FROM unnest(${ids}::uuid[]) AS c(id) CROSS JOIN LATERAL (${inner}) AS page`,
    draft,
  );
  return new Map(
    categoryIds.map((id) => [
      id,
      toPage(
        rows.filter((row) => row.categoryId === id),
        page,
      ),
    ]),
  );
}

/** How many ACTIVE products each category has. */
export async function countProductsOfCategories(
  source: Queryable,
  categoryIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await source.query<{ id: string; count: bigint }>(
    {
      name: 'catalog_count_of_categories',
      text: `SELECT category_id AS id, count(*) FROM products
              WHERE category_id = ANY($1::uuid[]) AND status = 'ACTIVE' GROUP BY category_id`,
    },
    [categoryIds],
  );
  return new Map(rows.map((row) => [row.id, Number(row.count)]));
}
