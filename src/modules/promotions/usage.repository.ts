import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import { normalizeCode } from './code.ts';

/*
 * What orders say of a promotion: the discounts that were frozen with them, so that reports outlive every change of the promotion.
 * Orders count by the time at which they were placed; cancelled orders do not count.
 */

/** Orders of one promotion that were placed from `from`, up to but not including `to`. */
export interface UsageSpan {
  promotionId: string;
  from: Date;
  to: Date;
}

/** What a promotion did. Amounts are in minor units. */
export interface Usage {
  orderCount: number;
  /** Sum of the orders' totals. */
  revenueMinor: bigint;
  /** Sum of what the promotion took off. */
  discountMinor: bigint;
}

/** What a promotion did on one day. */
export interface DayUsage extends Usage {
  startsAt: Date;
}

/** What one code of a promotion did. */
export interface CodeUsage extends Usage {
  /** Without differences of case and width. */
  code: string;
}

/** The clocks of processes and of the database may differ by less than this. */
const CLOCK_SLACK_MS = 3_600_000;

/** The lowest UUID of version 7 that can be made at an instant. */
function lowestUuid(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function valuesOf({ promotionId, from, to }: UsageSpan): unknown[] {
  return [
    promotionId,
    from,
    to,
    lowestUuid(from.getTime() - CLOCK_SLACK_MS),
    lowestUuid(to.getTime() + CLOCK_SLACK_MS),
  ];
}

// Added up by order first: an order has a row for each of its lines, and counts once.
const USED = `
  SELECT o.placed_at, o.total_minor, d.code, d.amount_minor
    FROM (SELECT order_id, max(code) AS code, sum(amount_minor)::bigint AS amount_minor FROM order_discounts
           WHERE promotion_id = $1 AND order_id >= $4::uuid AND order_id < $5::uuid GROUP BY order_id) AS d
    JOIN orders o ON o.id = d.order_id
   WHERE o.id >= $4::uuid AND o.id < $5::uuid AND o.placed_at >= $2 AND o.placed_at < $3 AND o.status <> 'CANCELLED'`;

const SUMS = `count(*)::int AS "orderCount", coalesce(sum(u.total_minor), 0)::bigint AS "revenueMinor",
  coalesce(sum(u.amount_minor), 0)::bigint AS "discountMinor"`;

// Without names: planned for the promotion and the span at hand, which may be a handful of orders or a million.
const total: Statement = { text: `SELECT ${SUMS} FROM (${USED}) AS u` };

/** What a promotion did in a span. */
export async function findUsage(source: Queryable, span: UsageSpan): Promise<Usage> {
  const [row] = await source.query<Usage>(total, valuesOf(span));
  return row ?? { orderCount: 0, revenueMinor: 0n, discountMinor: 0n };
}

const byDay: Statement = {
  text: `SELECT date_trunc('day', u.placed_at, $6) AS "startsAt", ${SUMS} FROM (${USED}) AS u GROUP BY 1 ORDER BY 1`,
};

/** What a promotion did on each day of a span, days without orders left out. Days begin by the clock of the time zone. */
export function findUsageByDay(source: Queryable, span: UsageSpan, timeZone: string): Promise<DayUsage[]> {
  return source.query<DayUsage>(byDay, [...valuesOf(span), timeZone]);
}

// Codes of ASCII alone are normalized by the database; the others by `normalizeCode`, which hands them in as $6 and $7.
const BY_CODE = `
  SELECT coalesce(n.code, upper(regexp_replace(btrim(u.code), ' +', ' ', 'g') COLLATE "C")) AS code, ${SUMS}
    FROM (${USED}) AS u LEFT JOIN unnest($6::text[], $7::text[]) AS n(entered, code) ON n.entered = u.code
   WHERE u.code IS NOT NULL GROUP BY 1`;

const unusual: Statement = {
  text: `SELECT DISTINCT u.code FROM (${USED}) AS u WHERE u.code ~ '[^ -~]'`,
};

/** The parameters of `BY_CODE`. */
async function valuesByCode(source: Queryable, span: UsageSpan): Promise<unknown[]> {
  const rows = await source.query<{ code: string }>(unusual, valuesOf(span));
  const entered = rows.map(({ code }) => code);
  return [...valuesOf(span), entered, entered.map((code) => normalizeCode(code) ?? code)];
}

const MOST_FIRST: readonly SortTerm[] = [
  { expression: 'c."discountMinor"', type: 'bigint', descending: true },
  { expression: 'c.code', type: 'text', descending: true },
];

/** A page of a promotion's codes that were used in a span, those that gave away most first. */
export async function findUsageByCode(source: Queryable, span: UsageSpan, page: PageRequest): Promise<Page<CodeUsage>> {
  const values = await valuesByCode(source, span);
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const { condition, orderBy, cursor } = keyset(MOST_FIRST, page, parameter);
  const text = `SELECT c.*, ${cursor} AS cursor FROM (${BY_CODE}) AS c WHERE ${condition} ORDER BY ${orderBy}
                 LIMIT ${parameter(page.limit + 1)}`;
  return toPage(await source.query<CodeUsage & { cursor: string[] }>({ text }, values), page);
}

/** How many codes were used in a span, as far as lists count. */
export async function countCodesUsed(source: Queryable, span: UsageSpan): Promise<number> {
  return countUpTo(source, BY_CODE, await valuesByCode(source, span));
}
