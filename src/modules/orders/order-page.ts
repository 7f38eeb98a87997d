import { countOnly, countUpTo, countUpToOfEach, findWordsUpTo, type Found } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import type { OrderStatus, PaymentStatus } from './order.types.ts';

export type OrderSortKey = 'PLACED_AT' | 'TOTAL';

/** How to sort orders: newest or dearest first, or in reverse. */
export interface OrderSort {
  key: OrderSortKey;
  reverse: boolean;
}

const NEWEST_FIRST: OrderSort = { key: 'PLACED_AT', reverse: false };

const ID: SortTerm = { expression: 'o.id', type: 'uuid', descending: true };

const SORTS: Record<OrderSortKey, readonly SortTerm[]> = {
  PLACED_AT: [{ expression: 'o.placed_at', type: 'timestamptz', descending: true }, ID],
  TOTAL: [{ expression: 'o.total_minor', type: 'bigint', descending: true }, ID],
};

/** Which orders: those that meet all that is given. */
export interface OrderQuery {
  /** Words in number, e-mail, name and postal address; the last may be unfinished. */
  search?: string;
  status?: OrderStatus;
  paymentStatus?: PaymentStatus;
  /** The whole address, whatever its capitals. */
  email?: string;
  /** At that instant or later. */
  placedAfter?: Date;
  /** Before that instant. */
  placedBefore?: Date;
}

/** SQL of all conditions but the words. */
function conditions(query: OrderQuery, { parameter }: StatementDraft): string {
  const { status, paymentStatus, email, placedAfter, placedBefore } = query;
  const terms = [
    ...(status === undefined ? [] : [`o.status = ${parameter(status)}::order_status`]),
    ...(paymentStatus === undefined ? [] : [`o.payment_status = ${parameter(paymentStatus)}::payment_status`]),
    ...(email === undefined ? [] : [`lower(o.email) = lower(${parameter(email)} COLLATE "C")`]),
    ...(placedAfter === undefined ? [] : [`o.placed_at >= ${parameter(placedAfter)}::timestamptz`]),
    ...(placedBefore === undefined ? [] : [`o.placed_at < ${parameter(placedBefore)}::timestamptz`]),
  ];
  return terms.length === 0 ? 'TRUE' : terms.join(' AND ');
}

function select(from: string, sort: OrderSort, page: PageRequest, { parameter }: StatementDraft): string {
  const terms = SORTS[sort.key].map((term) => ({ ...term, descending: term.descending !== sort.reverse }));
  const { condition, orderBy, cursor } = keyset(terms, page, parameter);
  return `SELECT o.id, ${cursor} AS cursor FROM ${from} WHERE ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`;
}

/** Where very many have the words, the list is read in its order: the index of words would only collect all of them. */
function hasWords(search: string, { ids, isSparse }: Found): string {
  const words = `search_match(${search}::text)`;
  return ids !== null || isSparse ? `o.search @@ ${words}` : `ts_match_vq(o.search, ${words})`;
}

function shapeOf(page: PageRequest): string {
  return `${page.direction}${page.cursor === null ? '' : '_on'}`;
}

/**
 * A page of orders: which ones they are. Statements with conditions have no name: PostgreSQL plans them for their values, since
 * a status that most orders have needs another plan than one that few have.
 * @param count gives what `countOrders` finds
 */
export async function findOrderPage(
  source: Queryable,
  query: OrderQuery,
  sort: OrderSort,
  page: PageRequest,
  count: () => Promise<Found>,
): Promise<Page<{ id: string }>> {
  const draft = new StatementDraft();
  const found = query.search === undefined ? countOnly(0) : await count();
  const where = [
    conditions(query, draft),
    ...(query.search === undefined ? [] : [hasWords(draft.parameter(query.search), found)]),
  ].join(' AND ');
  // What is found first is sorted afterwards: OFFSET 0 keeps what is outside out of the plan of what is inside. Orders may have changed
  // since they were found: the conditions still have to hold.
  const from =
    found.ids === null
      ? `(SELECT * FROM orders o WHERE ${where}${found.isSparse ? ' OFFSET 0' : ''}) AS o`
      : `(SELECT * FROM (SELECT * FROM orders o WHERE o.id = ANY(${draft.parameter(found.ids)}::uuid[]) OFFSET 0) AS o WHERE ${where}) AS o`;
  const text = select(from, sort, page, draft);
  const name = `order_page_${sort.key}_${sort.reverse}_${shapeOf(page)}`;
  const statement = { name: Object.keys(query).length === 0 ? name : undefined, text };
  return toPage(await source.query<{ id: string; cursor: string[] }>(statement, draft.values), page);
}

/** How many orders the query finds, as far as lists count, and of a search, which. */
export async function countOrders(source: Queryable, query: OrderQuery): Promise<Found> {
  const draft = new StatementDraft();
  const where = conditions(query, draft);
  const { search, placedAfter, placedBefore } = query;
  if (search === undefined) {
    return countOnly(await countUpTo(source, `SELECT FROM orders o WHERE ${where}`, draft.values));
  }
  const dates = { ...(placedAfter && { placedAfter }), ...(placedBefore && { placedBefore }) };
  const newest = `WHERE ${conditions(dates, draft)} ORDER BY o.placed_at DESC, o.id DESC`;
  // Where times are asked for, what is newer says nothing of the list.
  return findWordsUpTo(source, { table: 'orders o', column: 'search', search, where, newest }, draft);
}

/** One page of the orders of each given user, newest first, in one statement. */
export async function findOrderPagesOfUsers(
  source: Queryable,
  userIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<{ id: string }>>> {
  const draft = new StatementDraft();
  const ids = draft.parameter(userIds);
  const text = select('(SELECT * FROM orders WHERE user_id = u.id) AS o', NEWEST_FIRST, page, draft);
  const rows = await source.query<{ userId: string; id: string; cursor: string[] }>(
    {
      name: `order_pages_of_users_${shapeOf(page)}`,
      text: `SELECT u.id AS "userId", page.* FROM unnest(${ids}::uuid[]) AS u(id) CROSS JOIN LATERAL (${text}) AS page`,
    },
    draft.values,
  );
  const found = new Map<string, typeof rows>(userIds.map((id) => [id, []]));
  for (const row of rows) found.get(row.userId)?.push(row);
  return new Map([...found].map(([id, ofUser]) => [id, toPage(ofUser, page)]));
}

/** How many orders each user has, as far as lists count. */
export function countOrdersOfUsers(source: Queryable, userIds: readonly string[]): Promise<Map<string, number>> {
  const ofUser = 'SELECT FROM orders WHERE user_id = owner.id';
  return countUpToOfEach(source, { name: 'order_count_of_users', select: ofUser, ids: userIds });
}
