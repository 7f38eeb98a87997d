import type { Queryable } from '../../infra/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/page.ts';

const NEWEST_FIRST: readonly SortTerm[] = [
  { expression: 'placed_at', type: 'timestamptz', descending: true },
  { expression: 'id', type: 'uuid', descending: true },
];

/** A page of a user's orders, newest first: which ones they are. */
export async function findOrderPage(
  source: Queryable,
  userId: string,
  page: PageRequest,
): Promise<Page<{ id: string }>> {
  const values: unknown[] = [userId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const { condition, orderBy, cursor } = keyset(NEWEST_FIRST, page, parameter);
  const text = `SELECT id, ${cursor} AS cursor FROM orders WHERE user_id = $1 AND ${condition}
                 ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`;
  const name = `order_page_${page.direction}${page.cursor === null ? '' : '_on'}`;
  return toPage(await source.query<{ id: string; cursor: string[] }>({ name, text }, values), page);
}

/** How many orders a user has in all. */
export async function countOrders(source: Queryable, userId: string): Promise<number> {
  const [row] = await source.query<{ count: bigint }>(
    { name: 'order_count', text: 'SELECT count(*) FROM orders WHERE user_id = $1' },
    [userId],
  );
  return Number(row?.count ?? 0);
}
