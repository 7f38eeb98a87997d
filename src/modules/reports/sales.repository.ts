import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';

/** A span of time: from `from`, up to but not including `to`. */
export interface Span {
  from: Date;
  to: Date;
}

/** Orders that were placed in a span of time and are not cancelled now. Amounts in minor units. */
export interface Sales {
  orderCount: number;
  totalMinor: bigint;
}

/** How long the periods of a report are. */
export type Period = 'minute' | 'hour' | 'day';

/** Sales of one period. */
export interface PeriodSales extends Sales {
  startsAt: Date;
}

/** Sales of one product. */
export interface ProductSales {
  productId: string;
  orderCount: number;
  unitCount: number;
  totalMinor: bigint;
}

/** Carts that were made in a span of time, and how many of them have become orders. */
export interface CartConversion {
  cartCount: number;
  convertedCount: number;
}

const SOLD = "o.placed_at >= $1 AND o.placed_at < $2 AND o.status <> 'CANCELLED'";

const total: Statement = {
  name: 'report_sales_total',
  text: `SELECT count(*)::int AS "orderCount", coalesce(sum(o.total_minor), 0)::bigint AS "totalMinor" FROM orders o WHERE ${SOLD}`,
};

/** Sales of the whole span. */
export async function findSales(source: Queryable, { from, to }: Span): Promise<Sales> {
  const [row] = await source.query<Sales>(total, [from, to]);
  return row ?? { orderCount: 0, totalMinor: 0n };
}

/*
 * Periods begin by the clock of the time zone: a day may have 23 or 25 hours. Hours are counted on the time line instead, so that
 * the hour that a clock repeats in autumn is there twice.
 */
const byPeriod = (unit: Period): Statement => {
  const starts =
    unit !== 'day'
      ? `generate_series(date_trunc('${unit}', $1::timestamptz, $3), $2::timestamptz, interval '1 ${unit}')`
      : `(SELECT local AT TIME ZONE $3 FROM generate_series(
            date_trunc('day', $1::timestamptz AT TIME ZONE $3), $2::timestamptz AT TIME ZONE $3, interval '1 day') AS local)`;
  return {
    name: `report_sales_by_${unit}`,
    text: `WITH sold AS (
             SELECT date_trunc('${unit}', o.placed_at, $3) AS starts_at, count(*)::int AS orders, sum(o.total_minor)::bigint AS total
               FROM orders o WHERE ${SOLD} GROUP BY 1)
           SELECT p.starts_at AS "startsAt", coalesce(sold.orders, 0) AS "orderCount", coalesce(sold.total, 0) AS "totalMinor"
             FROM ${starts} AS p(starts_at) LEFT JOIN sold ON sold.starts_at = p.starts_at
            WHERE p.starts_at < $2 ORDER BY p.starts_at`,
  };
};
const periods = { minute: byPeriod('minute'), hour: byPeriod('hour'), day: byPeriod('day') };

/** Sales of each period that the span touches, those without sales included. */
export function findSalesByPeriod(
  source: Queryable,
  { from, to }: Span,
  unit: Period,
  timeZone: string,
): Promise<PeriodSales[]> {
  return source.query<PeriodSales>(periods[unit], [from, to, timeZone]);
}

const OF_PRODUCTS = `SELECT v.product_id, count(DISTINCT o.id)::int AS orders, sum(l.quantity)::int AS units,
         sum(l.quantity::bigint * l.unit_price_minor - l.relief_minor - l.discount_minor)::bigint AS total
    FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN product_variants v ON v.id = l.variant_id
   WHERE ${SOLD} GROUP BY v.product_id`;

const BEST_FIRST: readonly SortTerm[] = [
  { expression: 's.total', type: 'bigint', descending: true },
  { expression: 's.product_id', type: 'uuid', descending: true },
];

/** A page of the products that were sold, those with the highest sales first. */
export async function findProductSales(
  source: Queryable,
  { from, to }: Span,
  page: PageRequest,
): Promise<Page<ProductSales>> {
  const values: unknown[] = [from, to];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const { condition, orderBy, cursor } = keyset(BEST_FIRST, page, parameter);
  const text = `SELECT s.product_id AS "productId", s.orders AS "orderCount", s.units AS "unitCount", s.total AS "totalMinor",
                       ${cursor} AS cursor
                  FROM (${OF_PRODUCTS}) AS s WHERE ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`;
  return toPage(await source.query<ProductSales & { cursor: string[] }>({ text }, values), page);
}

/** How many products were sold, as far as lists count. */
export function countProductsSold(source: Queryable, { from, to }: Span): Promise<number> {
  return countUpTo(source, OF_PRODUCTS, [from, to], 'report_products_sold');
}

const conversion: Statement = {
  name: 'report_cart_conversion',
  text: `SELECT count(*)::int AS "cartCount", (count(*) FILTER (WHERE c.status = 'CHECKED_OUT'))::int AS "convertedCount"
           FROM carts c
          WHERE c.id >= $3::uuid AND c.id < $4::uuid AND c.created_at >= $1 AND c.created_at < $2 AND c.status <> 'MERGED'`,
};

/** The clocks of processes and of the database may differ by less than this. */
const CLOCK_SLACK_MS = 3_600_000;

/** The lowest UUID of version 7 that can be made at an instant. */
function lowestUuid(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/**
 * Carts made in the span. Their IDs begin with the time at which they were made, so that the primary key finds them: an index on
 * `created_at` would be written to with every change of a cart. Carts that went into another one are counted there.
 */
export async function findCartConversion(source: Queryable, { from, to }: Span): Promise<CartConversion> {
  const ids = [lowestUuid(from.getTime() - CLOCK_SLACK_MS), lowestUuid(to.getTime() + CLOCK_SLACK_MS)];
  const [row] = await source.query<CartConversion>(conversion, [from, to, ...ids]);
  return row ?? { cartCount: 0, convertedCount: 0 };
}
