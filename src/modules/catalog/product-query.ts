import type { Parameter } from '../../infra/postgres/statement-draft.ts';
import type { ProductRow } from './catalog.repository.ts';

/** An option, and the values of which a variant has to have one. */
export interface OptionQuery {
  name: string;
  values: readonly string[];
}

/** Which products to list. Prices in minor units. */
export interface ProductQuery {
  /** Words to find, as they were typed. */
  search?: string;
  categoryId?: string;
  tags?: readonly string[];
  minPriceMinor?: number;
  maxPriceMinor?: number;
  inStock?: boolean;
  /** With a variant that is available, but in no more units than its threshold; false: without one. */
  lowStock?: boolean;
  /** Each name once. A variant has one of the values of each. */
  options?: readonly OptionQuery[];
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

/** SQL of whether variant `v` has one of the values of an option. */
export function hasOption({ name, values }: OptionQuery): Condition {
  const documents = values.map((value) => JSON.stringify([{ name, value }]));
  return (parameter) => `v.selected_options @> ANY(${parameter(documents)}::jsonb[])`;
}

/** The conditions that one and the same variant `v` of a product meets: price, options, and that there are units of it. */
export function variantFiltersOf(query: ProductQuery): Condition[] {
  const { minPriceMinor: least, maxPriceMinor: most, inStock, lowStock, options = [] } = query;
  return [
    ...(least === undefined ? [] : [(parameter: Parameter) => `v.price_minor >= ${parameter(least)}`]),
    ...(most === undefined ? [] : [(parameter: Parameter) => `v.price_minor <= ${parameter(most)}`]),
    ...options.map((option) => hasOption(option)),
    ...(inStock === true ? [() => 'v.in_stock'] : []),
    ...(lowStock === true ? [() => 'v.low_stock'] : []),
  ];
}

/**
 * Whether a list has to be counted to know how to read it: by words, a range of prices, options or low stock. Of tags PostgreSQL
 * knows how common they are, and what is sold out has an index of its own.
 */
export function isReadByCount(query: ProductQuery): boolean {
  const { search, minPriceMinor, maxPriceMinor, lowStock, options } = query;
  return [search, minPriceMinor, maxPriceMinor, options].some((each) => each !== undefined) || lowStock === true;
}

/** The conditions that the query sets, without its words. */
export function filtersOf(query: ProductQuery): Condition[] {
  const { categoryId, tags = [], minPriceMinor: least, maxPriceMinor: most, inStock, lowStock } = query;
  const conditions: Condition[] = [() => statusOf(query)];
  if (categoryId !== undefined) conditions.push((parameter) => `p.category_id = ${parameter(categoryId)}::uuid`);
  if (tags.length > 0) conditions.push((parameter) => `p.tags @> ${parameter(tags)}::text[]`);
  // These follow from the next condition. They are looked up in the index that the newest products are read by, before any product or
  // variant is: prices and age may go together, and then nothing but the oldest products is in the range.
  if (least !== undefined) conditions.push((parameter) => `p.max_price_minor >= ${parameter(least)}`);
  if (most !== undefined) conditions.push((parameter) => `p.min_price_minor <= ${parameter(most)}`);
  const ofVariant = variantFiltersOf(query);
  if (ofVariant.length > 0) {
    conditions.push((parameter) => liveVariant(ofVariant.map((condition) => condition(parameter))));
  }
  if (inStock === false) {
    // The first condition follows from the second. It leads to the few products with a variant that is sold out.
    conditions.push(() => `${liveVariant(['NOT v.in_stock'])} AND NOT ${liveVariant(['v.in_stock'])}`);
  }
  if (lowStock === false) conditions.push(() => `NOT ${liveVariant(['v.low_stock'])}`);
  return conditions;
}
