import { countUpTo, MAX_COUNTED } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import { totalsOf, type PricedLine } from '../pricing/totals.ts';
import { orderStatuses } from '../orders/order.types.ts';

/** Stock of all variants that are not archived. */
export interface StockSummary {
  heldUnits: number;
  soldOutCount: number;
  lowCount: number;
}

/** A cart that holds units. */
export interface LiveCart {
  createdAt: Date;
  expiresAt: Date;
  unitCount: number;
  totalMinor: bigint;
}

interface LiveCartRow {
  createdAt: Date;
  expiresAt: Date;
  cursor: string[];
  lines: PricedLine[];
}

const LISTED = "v.archived_at IS NULL AND p.status <> 'ARCHIVED'";

// Each number is read by an index of its own: of the carts that hold units, of the variants that are sold out, and of those that are low.
const stock: Statement = {
  name: 'report_stock_summary',
  text: `SELECT (SELECT coalesce(sum(l.quantity), 0)::int FROM carts c JOIN cart_lines l ON l.cart_id = c.id
                    JOIN product_variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id
                   WHERE c.status = 'ACTIVE' AND c.expires_at IS NOT NULL AND ${LISTED}) AS "heldUnits",
                (SELECT count(*)::int FROM product_variants v JOIN products p ON p.id = v.product_id
                  WHERE NOT v.in_stock AND ${LISTED}) AS "soldOutCount",
                (SELECT count(*)::int FROM product_variants v JOIN products p ON p.id = v.product_id
                  WHERE v.low_stock AND ${LISTED}) AS "lowCount"`,
};

/** Stock of all variants. What this costs grows with the carts that hold units and with the variants that are sold out or low. */
export async function findStockSummary(source: Queryable): Promise<StockSummary> {
  const [row] = await source.query<StockSummary>(stock);
  return row ?? { heldUnits: 0, soldOutCount: 0, lowCount: 0 };
}

const counted = (status: string) =>
  `SELECT '${status}' AS status, count(*)::int AS count
     FROM (SELECT FROM orders WHERE status = '${status}' LIMIT ${MAX_COUNTED + 1}) AS counted`;

const orderCounts: Statement = {
  name: 'report_order_counts',
  text: orderStatuses.map(counted).join(' UNION ALL '),
};

/** How many orders have each status, as far as lists count. */
export function findOrderCounts(source: Queryable): Promise<{ status: string; count: number }[]> {
  return source.query(orderCounts);
}

const LIVE = "c.status = 'ACTIVE' AND c.expires_at > clock_timestamp()";

const NEXT_TO_EXPIRE: readonly SortTerm[] = [
  { expression: 'c.expires_at', type: 'timestamptz', descending: false },
  { expression: 'c.id', type: 'uuid', descending: false },
];

/** A page of the carts that hold units, the next to expire first. */
export async function findLiveCarts(source: Queryable, page: PageRequest): Promise<Page<LiveCart>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const { condition, orderBy, cursor } = keyset(NEXT_TO_EXPIRE, page, parameter);
  const text = `
    SELECT c.created_at AS "createdAt", c.expires_at AS "expiresAt", c.cursor, l.lines
      FROM (SELECT c.id, c.created_at, c.expires_at, ${cursor} AS cursor FROM carts c
             WHERE ${LIVE} AND ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}) AS c
     CROSS JOIN LATERAL (
       SELECT coalesce(json_agg(json_build_object('quantity', quantity, 'unitPriceMinor', unit_price_minor)), '[]') AS lines
         FROM cart_lines WHERE cart_id = c.id) AS l
     ORDER BY ${orderBy}`;
  const found = await source.query<LiveCartRow>({ text }, values);
  const carts = found.map(({ lines, ...cart }) => {
    const { quantity: unitCount, subtotalMinor: totalMinor } = totalsOf(lines);
    return { ...cart, unitCount, totalMinor };
  });
  return toPage(carts, page);
}

/** How many carts hold units, as far as lists count. */
export function countLiveCarts(source: Queryable): Promise<number> {
  return countUpTo(source, `SELECT FROM carts c WHERE ${LIVE}`, [], 'report_live_carts');
}
