import type { Parameter, StatementDraft } from '../../infra/postgres/statement-draft.ts';
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

/**
 * How variants and words are looked up: as PostgreSQL plans it, from those that meet the conditions to their products where that seems
 * less; or those of each product on its own, which costs nothing before the first product. (OFFSET 0 sees to that.)
 */
export type LookUp = 'planned' | 'one by one';

/** Has the words that were searched for: anywhere, or in title and SKUs. One by one, no index of words is asked. */
export function hasWords(column: 'search' | 'search_title', search: string, lookUp: LookUp = 'planned'): Condition {
  return (parameter) => {
    const words = `search_match(${parameter(search)}::text)`;
    return lookUp === 'planned' ? `p.${column} @@ ${words}` : `ts_match_vq(p.${column}, ${words})`;
  };
}

/** SQL of the status that every list is of. */
export function statusOf(query: ProductQuery): string {
  return `p.status = '${query.status ?? 'ACTIVE'}'`;
}

function liveVariant(conditions: readonly string[], lookUp: LookUp = 'planned'): string {
  const all = ['v.product_id = p.id', 'v.archived_at IS NULL', ...conditions].join(' AND ');
  return `EXISTS (SELECT FROM product_variants v WHERE ${all}${lookUp === 'one by one' ? ' OFFSET 0' : ''})`;
}

/** SQL of whether variant `v`, which meets conditions, is the first of its product that does. */
function isFirstVariant(conditions: readonly string[]): string {
  const all = [
    'w.product_id = v.product_id',
    'w.archived_at IS NULL',
    '(w.position, w.id) < (v.position, v.id)',
    ...conditions,
  ];
  return `NOT EXISTS (SELECT FROM product_variants w WHERE ${all.join(' AND ')} OFFSET 0)`;
}

/** SQL of whether a variant has one of the values of an option. */
export function hasOption({ name, values }: OptionQuery, variant = 'v'): Condition {
  const documents = values.map((value) => JSON.stringify([{ name, value }]));
  return (parameter) => `${variant}.selected_options @> ANY(${parameter(documents)}::jsonb[])`;
}

/**
 * The conditions that one and the same variant of a product meets: price, options, and that there are units of it.
 * @param variant alias of the variant in SQL
 */
export function variantFiltersOf(query: ProductQuery, variant = 'v'): Condition[] {
  const { minPriceMinor: least, maxPriceMinor: most, inStock, lowStock, options = [] } = query;
  return [
    ...(least === undefined ? [] : [(parameter: Parameter) => `${variant}.price_minor >= ${parameter(least)}`]),
    ...(most === undefined ? [] : [(parameter: Parameter) => `${variant}.price_minor <= ${parameter(most)}`]),
    ...options.map((option) => hasOption(option, variant)),
    ...(inStock === true ? [() => `${variant}.in_stock`] : []),
    ...(lowStock === true ? [() => `${variant}.low_stock`] : []),
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

/** The conditions that the query sets on a product itself, without its words. */
function ownFiltersOf(query: ProductQuery): Condition[] {
  const { categoryId, tags = [], inStock, lowStock } = query;
  const conditions: Condition[] = [() => statusOf(query)];
  if (categoryId !== undefined) conditions.push((parameter) => `p.category_id = ${parameter(categoryId)}::uuid`);
  if (tags.length > 0) conditions.push((parameter) => `p.tags @> ${parameter(tags)}::text[]`);
  if (inStock === false) {
    // The first condition follows from the second. It leads to the few products with a variant that is sold out.
    conditions.push(() => `${liveVariant(['NOT v.in_stock'])} AND NOT ${liveVariant(['v.in_stock'])}`);
  }
  if (lowStock === false) conditions.push(() => `NOT ${liveVariant(['v.low_stock'])}`);
  return conditions;
}

/** The conditions that the query sets, without its words. */
export function filtersOf(query: ProductQuery, lookUp: LookUp = 'planned'): Condition[] {
  const { minPriceMinor: least, maxPriceMinor: most } = query;
  const conditions = ownFiltersOf(query);
  // These follow from the next condition. They are looked up in the index that the newest products are read by, before any product or
  // variant is: prices and age may go together, and then nothing but the oldest products is in the range.
  if (least !== undefined) conditions.push((parameter) => `p.max_price_minor >= ${parameter(least)}`);
  if (most !== undefined) conditions.push((parameter) => `p.min_price_minor <= ${parameter(most)}`);
  const ofVariant = variantFiltersOf(query);
  if (ofVariant.length > 0) {
    conditions.push((parameter) =>
      liveVariant(
        ofVariant.map((condition) => condition(parameter)),
        lookUp,
      ),
    );
  }
  return conditions;
}

/**
 * SQL of the IDs of products with a variant that meets the query's conditions on variants, each once, by way of these variants: the
 * index on their prices leads to them, however many products there are, and no more of them are read than are asked for.
 */
export function productsByVariants(query: ProductQuery, draft: StatementDraft): string {
  const ofVariant = draft.where([() => 'v.archived_at IS NULL', ...variantFiltersOf(query)]);
  const first = isFirstVariant(variantFiltersOf(query, 'w').map((condition) => condition(draft.parameter)));
  return `SELECT p.id FROM product_variants v JOIN products p ON p.id = v.product_id
           WHERE ${ofVariant} AND ${draft.where(ownFiltersOf(query))} AND ${first}`;
}
