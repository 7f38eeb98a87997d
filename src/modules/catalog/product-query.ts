import type { Parameter } from '../../infra/postgres/statement-draft.ts';
import type { ProductRow } from './catalog.repository.ts';

/** Which products to list. Prices in minor units. */
export interface ProductQuery {
  /** Words to find, as they were typed. */
  search?: string;
  categoryId?: string;
  tags?: readonly string[];
  minPriceMinor?: number;
  maxPriceMinor?: number;
  inStock?: boolean;
  /** ACTIVE by default. The caller checks who may ask for another. */
  status?: ProductRow['status'];
}

/** A condition on products `p` as SQL. Its parameters are added when it is called. */
export type Condition = (parameter: Parameter) => string;

/** Has the words that were searched for: anywhere, or in title and SKUs. */
export function hasWords(column: 'search' | 'search_title', search: string): Condition {
  return (parameter) => `p.${column} @@ search_query(${parameter(search)}::text)`;
}

/** SQL of the status that every list is of. */
export function statusOf(query: ProductQuery): string {
  return `p.status = '${query.status ?? 'ACTIVE'}'`;
}

function liveVariant(conditions: readonly string[]): string {
  const all = ['v.product_id = p.id', 'v.archived_at IS NULL', ...conditions].join(' AND ');
  return `EXISTS (SELECT FROM product_variants v WHERE ${all})`;
}

/**
 * Whether a list has to be counted to know how to read it: by words or a range of prices. Of tags PostgreSQL knows how common they
 * are, and what is sold out has an index of its own.
 */
export function isReadByCount({ search, minPriceMinor, maxPriceMinor }: ProductQuery): boolean {
  return search !== undefined || minPriceMinor !== undefined || maxPriceMinor !== undefined;
}

/** The conditions that the query sets, without its words. */
export function filtersOf(query: ProductQuery): Condition[] {
  const { categoryId, tags = [], minPriceMinor: least, maxPriceMinor: most, inStock } = query;
  const conditions: Condition[] = [() => statusOf(query)];
  if (categoryId !== undefined) conditions.push((parameter) => `p.category_id = ${parameter(categoryId)}::uuid`);
  if (tags.length > 0) conditions.push((parameter) => `p.tags @> ${parameter(tags)}::text[]`);
  // These follow from the next condition. They are looked up in the index that the newest products are read by, before any product or
  // variant is: prices and age may go together, and then nothing but the oldest products is in the range.
  if (least !== undefined) conditions.push((parameter) => `p.max_price_minor >= ${parameter(least)}`);
  if (most !== undefined) conditions.push((parameter) => `p.min_price_minor <= ${parameter(most)}`);
  if (least !== undefined || most !== undefined || inStock === true) {
    // One and the same variant is in the range and in stock.
    conditions.push((parameter) =>
      liveVariant([
        ...(least === undefined ? [] : [`v.price_minor >= ${parameter(least)}`]),
        ...(most === undefined ? [] : [`v.price_minor <= ${parameter(most)}`]),
        ...(inStock === true ? ['v.in_stock'] : []),
      ]),
    );
  }
  if (inStock === false) {
    // The first condition follows from the second. It leads to the few products with a variant that is sold out.
    conditions.push(() => `${liveVariant(['NOT v.in_stock'])} AND NOT ${liveVariant(['v.in_stock'])}`);
  }
  return conditions;
}
