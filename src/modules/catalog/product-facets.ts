import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { filtersOf, hasOption, hasWords, variantFiltersOf, type ProductQuery } from './product-query.ts';

/** Facets look at so many products at most, so that their cost does not grow with the catalogue. */
export const MAX_FACETED = 10_000;

/** The most values that a facet lists, and the most options. */
export const MAX_FACET_VALUES = 50;
export const MAX_FACET_OPTIONS = 20;

interface Counted {
  count: number;
  /** Whether there were more products than were looked at: then the count is the least that it may be. */
  more: boolean;
}

export interface CategoryCount extends Counted {
  categoryId: string;
}

export interface TagCount extends Counted {
  tag: string;
}

export interface OptionCounts {
  name: string;
  values: (Counted & { value: string })[];
}

/** Prices from `min` to `max`, both included, in minor units; null: without a bound. */
export interface PriceRangeCount extends Counted {
  min: number | null;
  max: number | null;
}

/** SQL of CTEs: `base`, the products that the query finds, as far as facets look; and `size`, whether there are more. */
function base(query: ProductQuery, draft: StatementDraft): string {
  const words = query.search === undefined ? [] : [hasWords('search', query.search)];
  // In no order: that of the index by which they are found.
  return `base AS MATERIALIZED (
    SELECT p.id, p.category_id, p.tags FROM products p WHERE ${draft.where([...filtersOf(query), ...words])} LIMIT ${MAX_FACETED + 1}
  ), size AS MATERIALIZED (SELECT count(*) > ${MAX_FACETED} AS more FROM base)`;
}

/** Counts products by category, those with most products first. The query's own category does not count. */
export function countByCategory(
  source: Queryable,
  { categoryId: _own, ...query }: ProductQuery,
): Promise<CategoryCount[]> {
  const draft = new StatementDraft();
  const text = `WITH ${base(query, draft)}
    SELECT category_id AS "categoryId", count(*)::int AS count, more FROM base, size WHERE category_id IS NOT NULL
     GROUP BY category_id, more ORDER BY count DESC, category_id LIMIT ${MAX_FACET_VALUES}`;
  return source.query<CategoryCount>({ text }, draft.values);
}

/** Counts products by tag, the most common tags first. */
export function countByTag(source: Queryable, query: ProductQuery): Promise<TagCount[]> {
  const draft = new StatementDraft();
  const text = `WITH ${base(query, draft)}
    SELECT tag, count(DISTINCT id)::int AS count, more FROM base, size, unnest(tags) AS tag
     GROUP BY tag, more ORDER BY count DESC, tag COLLATE "C" LIMIT ${MAX_FACET_VALUES}`;
  return source.query<TagCount>({ text }, draft.values);
}

/**
 * Counts products by the values of options: those with a variant that has the value and meets the query's other conditions. Values
 * of an option that the query filters by are counted as if it did not, so that they say what choosing them would find.
 */
export async function countByOption(
  source: Queryable,
  { options = [], ...query }: ProductQuery,
): Promise<OptionCounts[]> {
  const draft = new StatementDraft();
  const { parameter } = draft;
  const conditions = [
    'v.archived_at IS NULL',
    ...variantFiltersOf(query).map((condition) => condition(parameter)),
    ...options.map((option) => `(choice.name = ${parameter(option.name)} OR ${hasOption(option)(parameter)})`),
  ];
  const text = `WITH ${base(query, draft)}, counted AS (
    SELECT choice.name, choice.value, count(DISTINCT v.product_id)::int AS count
      FROM base JOIN product_variants v ON v.product_id = base.id,
           jsonb_to_recordset(v.selected_options) AS choice(name text, value text)
     WHERE ${conditions.join(' AND ')} GROUP BY choice.name, choice.value
  ), ranked AS (
    SELECT *, sum(count) OVER (PARTITION BY name) AS weight,
           row_number() OVER (PARTITION BY name ORDER BY count DESC, value COLLATE "C") AS place FROM counted
  ), placed AS (SELECT *, dense_rank() OVER (ORDER BY weight DESC, name COLLATE "C") AS name_place FROM ranked)
  SELECT name, value, count, more FROM placed, size
   WHERE place <= ${MAX_FACET_VALUES} AND name_place <= ${MAX_FACET_OPTIONS} ORDER BY name_place, place`;
  const rows = await source.query<{ name: string; value: string } & Counted>({ text }, draft.values);
  const found = new Map<string, OptionCounts>();
  for (const { name, ...value } of rows) {
    const option = found.get(name) ?? { name, values: [] };
    option.values.push(value);
    found.set(name, option);
  }
  return [...found.values()];
}

/** A round number of minor units that is a price or a little more: 1, 1.5, 2, 2.5, 3, 4, 5 or 7.5 times a power of ten. */
const ROUND = `(SELECT min(ceil(step * 10 ^ floor(log(price))))::bigint
                 FROM unnest(ARRAY[1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10]) AS step WHERE step * 10 ^ floor(log(price)) >= price)`;

/**
 * Counts products by ranges of prices: those with a variant in the range that meets the query's other conditions. The ranges part the
 * variants into about five parts of one size, at round numbers. The query's own prices do not count.
 */
export function countByPrice(
  source: Queryable,
  { minPriceMinor: _least, maxPriceMinor: _most, ...query }: ProductQuery,
): Promise<PriceRangeCount[]> {
  const draft = new StatementDraft();
  const conditions = [
    'v.archived_at IS NULL',
    ...variantFiltersOf(query).map((condition) => condition(draft.parameter)),
  ];
  const text = `WITH ${base(query, draft)}, priced AS MATERIALIZED (
    SELECT v.product_id, v.price_minor FROM base JOIN product_variants v ON v.product_id = base.id WHERE ${conditions.join(' AND ')}
  ), parts AS (
    SELECT greatest(unnest(percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY price_minor)), 1)::numeric AS price FROM priced
  ), bounds AS (
    SELECT coalesce(array_agg(DISTINCT bound ORDER BY bound), '{}') AS bounds FROM (SELECT ${ROUND} AS bound FROM parts) AS rounded
     WHERE bound > (SELECT min(price_minor) FROM priced) AND bound <= (SELECT max(price_minor) FROM priced)
  )
  SELECT bounds[part] AS min, bounds[part + 1] - 1 AS max, count(DISTINCT product_id)::int AS count, more
    FROM size, bounds, priced, width_bucket(price_minor::bigint, bounds) AS part
   GROUP BY part, bounds, more ORDER BY part`;
  return source.query<{ min: string | null; max: string | null } & Counted>({ text }, draft.values).then((rows) =>
    rows.map(({ min, max, ...counted }) => ({
      min: min === null ? null : Number(min),
      max: max === null ? null : Number(max),
      ...counted,
    })),
  );
}
