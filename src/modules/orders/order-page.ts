import type { Queryable } from '../../infra/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/page.ts';
import type { OrderStatus } from './order.types.ts';

const NEWEST_FIRST: readonly SortTerm[] = [
  { expression: 'o.placed_at', type: 'timestamptz', descending: true },
  { expression: 'o.id', type: 'uuid', descending: true },
];

/** Which orders: those that meet all that is given. */
export interface OrderQuery {
  status?: OrderStatus;
  /** The whole address, whatever its capitals. */
  email?: string;
  /** At that instant or later. */
  placedAfter?: Date;
  /** Before that instant. */
  placedBefore?: Date;
}

/** A statement in the making: its name, which says all that its text depends on, and its values. */
class Draft {
  readonly values: unknown[] = [];
  readonly parameter = (value: unknown): string => `$${this.values.push(value)}`;
}

function conditions(query: OrderQuery, { parameter }: Draft): { name: string; where: string } {
  const { status, email, placedAfter, placedBefore } = query;
  const terms = [
    ...(status === undefined ? [] : [['status', `o.status = ${parameter(status)}::order_status`]]),
    ...(email === undefined ? [] : [['email', `lower(o.email) = lower(${parameter(email)} COLLATE "C")`]]),
    ...(placedAfter === undefined ? [] : [['after', `o.placed_at >= ${parameter(placedAfter)}::timestamptz`]]),
    ...(placedBefore === undefined ? [] : [['before', `o.placed_at < ${parameter(placedBefore)}::timestamptz`]]),
  ];
  return {
    name: terms.map(([name]) => `_${name}`).join(''),
    where: terms.map(([, term]) => ` AND ${term}`).join(''),
  };
}

function select(where: string, page: PageRequest, { parameter }: Draft): { shape: string; text: string } {
  const { condition, orderBy, cursor } = keyset(NEWEST_FIRST, page, parameter);
  return {
    shape: `${page.direction}${page.cursor === null ? '' : '_on'}`,
    text: `SELECT o.id, ${cursor} AS cursor FROM orders o WHERE ${condition}${where}
            ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
  };
}

/** A page of orders, newest first: which ones they are. */
export async function findOrderPage(
  source: Queryable,
  query: OrderQuery,
  page: PageRequest,
): Promise<Page<{ id: string }>> {
  const draft = new Draft();
  const { name, where } = conditions(query, draft);
  const { shape, text } = select(where, page, draft);
  const statement = { name: `order_page${name}_${shape}`, text };
  return toPage(await source.query<{ id: string; cursor: string[] }>(statement, draft.values), page);
}

/** How many orders there are in all. */
export async function countOrders(source: Queryable, query: OrderQuery): Promise<number> {
  const draft = new Draft();
  const { name, where } = conditions(query, draft);
  const [row] = await source.query<{ count: bigint }>(
    { name: `order_count${name}`, text: `SELECT count(*) FROM orders o WHERE TRUE${where}` },
    draft.values,
  );
  return Number(row?.count ?? 0);
}

/** The same page of each of several users' orders, newest first, in one statement. */
export async function findOrderPagesOfUsers(
  source: Queryable,
  userIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<{ id: string }>>> {
  const draft = new Draft();
  const ids = draft.parameter(userIds);
  const { shape, text } = select(' AND o.user_id = u.id', page, draft);
  const rows = await source.query<{ userId: string; id: string; cursor: string[] }>(
    {
      name: `order_pages_of_users_${shape}`,
      text: `SELECT u.id AS "userId", page.* FROM unnest(${ids}::uuid[]) AS u(id) CROSS JOIN LATERAL (${text}) AS page`,
    },
    draft.values,
  );
  const found = new Map<string, typeof rows>(userIds.map((id) => [id, []]));
  for (const row of rows) found.get(row.userId)?.push(row);
  return new Map([...found].map(([id, ofUser]) => [id, toPage(ofUser, page)]));
}

/** How many orders each user has in all; who has none is left out. */
export async function countOrdersOfUsers(source: Queryable, userIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await source.query<{ userId: string; count: bigint }>(
    {
      name: 'order_count_of_users',
      text: 'SELECT user_id AS "userId", count(*) FROM orders WHERE user_id = ANY($1::uuid[]) GROUP BY user_id',
    },
    [userIds],
  );
  return new Map(rows.map((row) => [row.userId, Number(row.count)]));
}
