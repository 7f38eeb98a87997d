import { countUpToOfEach } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import { ALERT_COLUMNS, type StockAlert } from './stock-alert.repository.ts';

const NEWEST_FIRST: readonly SortTerm[] = [
  { expression: 'a.created_at', type: 'timestamptz', descending: true },
  { expression: 'a.id', type: 'uuid', descending: true },
];

/** One page of the alerts of each given user, newest first, in one statement. */
export async function findAlertPagesOfUsers(
  source: Queryable,
  userIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<StockAlert>>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const ids = parameter(userIds);
  const { condition, orderBy, cursor } = keyset(NEWEST_FIRST, page, parameter);
  const rows = await source.query<StockAlert & { cursor: string[] }>(
    {
      name: `stock_alert_pages_of_users_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT page.* FROM unnest(${ids}::uuid[]) AS u(id) CROSS JOIN LATERAL (
               SELECT ${ALERT_COLUMNS}, ${cursor} AS cursor FROM stock_alerts a WHERE ${condition} AND a.user_id = u.id
                ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}) AS page`,
    },
    values,
  );
  const found = new Map<string, typeof rows>(userIds.map((id) => [id, []]));
  for (const row of rows) found.get(row.userId ?? '')?.push(row);
  return new Map([...found].map(([id, ofUser]) => [id, toPage(ofUser, page)]));
}

/** How many alerts each user has, as far as lists count. */
export function countAlertsOfUsers(source: Queryable, userIds: readonly string[]): Promise<Map<string, number>> {
  const select = 'SELECT FROM stock_alerts WHERE user_id = owner.id';
  return countUpToOfEach(source, { name: 'stock_alert_count_of_users', select, ids: userIds });
}

/** How many wait for each variant; one for which nobody waits is left out. */
export async function countWaitingOfVariants(
  source: Queryable,
  variantIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await source.query<{ variantId: string; count: bigint }>(
    {
      name: 'stock_alert_count_of_variants',
      text: `SELECT variant_id AS "variantId", count(*) FROM stock_alerts
              WHERE variant_id = ANY($1::uuid[]) AND status = 'WAITING' GROUP BY variant_id`,
    },
    [variantIds],
  );
  return new Map(rows.map((row) => [row.variantId, Number(row.count)]));
}
