import { countUpToOfEach } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../../infra/postgres/page.ts';
import type { StockMovementReason } from './inventory.repository.ts';

/** An entry of the stock ledger. */
export interface MovementRow {
  /** Decimal digits; of one variant, ids follow the order of its changes. */
  id: string;
  variantId: string;
  reason: StockMovementReason;
  onHandDelta: number;
  heldDelta: number;
  onHandAfter: number;
  heldAfter: number;
  note: string | null;
  actorId: string | null;
  occurredAt: Date;
}

const COLUMNS = `m.id::text, m.variant_id AS "variantId", m.reason, m.on_hand_delta AS "onHandDelta", m.held_delta AS "heldDelta",
  m.on_hand_after AS "onHandAfter", m.held_after AS "heldAfter", m.note, m.actor_id AS "actorId", m.occurred_at AS "occurredAt"`;

const byIds: Statement = {
  name: 'stock_movements_by_ids',
  text: `SELECT ${COLUMNS} FROM stock_movements m WHERE m.id = ANY($1::bigint[])`,
};

/** Entries by id, in no order. */
export function findMovements(source: Queryable, ids: readonly string[]): Promise<MovementRow[]> {
  return source.query<MovementRow>(byIds, [ids]);
}

/** One page of the ledger of each given variant, newest first, in one statement. */
export async function findMovementPages(
  source: Queryable,
  variantIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<MovementRow>>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const ids = parameter(variantIds);
  const newestFirst = [{ expression: 'm.id', type: 'bigint', descending: true }];
  const { condition, orderBy, cursor } = keyset(newestFirst, page, parameter);
  const rows = await source.query<MovementRow & { cursor: string[] }>(
    {
      name: `stock_movement_pages_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT page.* FROM unnest(${ids}::uuid[]) AS v(id) CROSS JOIN LATERAL (
               SELECT ${COLUMNS}, ${cursor} AS cursor FROM stock_movements m
                WHERE m.variant_id = v.id AND ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}
             ) AS page`,
    },
    values,
  );
  const found = new Map(variantIds.map((id) => [id, [] as typeof rows]));
  for (const row of rows) found.get(row.variantId)?.push(row);
  return new Map([...found].map(([id, own]) => [id, toPage(own, page)]));
}

/** How many entries each variant has, as far as lists count. */
export function countMovements(source: Queryable, variantIds: readonly string[]): Promise<Map<string, number>> {
  const select = 'SELECT FROM stock_movements WHERE variant_id = owner.id';
  return countUpToOfEach(source, { name: 'stock_movement_counts', select, ids: variantIds });
}

const byKey: Statement = {
  name: 'stock_movement_by_key',
  text: `SELECT request_hash AS "requestHash" FROM stock_movements WHERE actor_id = $1 AND idempotency_key = $2`,
};

/** The hash of what this user asked for under the key; null where it was not used yet. */
export async function findRequestHash(tx: Queryable, actorId: string, key: string): Promise<Buffer | null> {
  const [row] = await tx.query<{ requestHash: Buffer }>(byKey, [actorId, key]);
  return row?.requestHash ?? null;
}
