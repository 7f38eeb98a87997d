import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../../infra/postgres/page.ts';

export type DeliveryStatus = 'PENDING' | 'APPLIED' | 'SKIPPED' | 'FAILED';

/** What another system sent, and what became of it. */
export interface DeliveryRow {
  id: string;
  source: string;
  topic: string;
  /** ID of what it is about, in the sender's system. */
  subject: string | null;
  /** As it came; in lists, its beginning. */
  body: string;
  status: DeliveryStatus;
  reason: string | null;
  attempts: number;
  /** What it changed in the shop: type in the API, and row ID. */
  objectType: string | null;
  objectId: string | null;
  receivedAt: Date;
  settledAt: Date | null;
}

/** Of a body, in lists: a page of whole ones could be a hundred megabytes. */
export const SHOWN_BODY = 2000;

const columns = (body: string) => `d.id, d.source, d.topic, d.subject, ${body} AS body, d.status, d.reason, d.attempts,
  d.object_type AS "objectType", d.object_id AS "objectId", d.received_at AS "receivedAt", d.settled_at AS "settledAt"`;
const WHOLE = columns('d.body');
const SHOWN = columns(`left(d.body, ${SHOWN_BODY})`);

const insert: Statement = {
  name: 'webhook_delivery_insert',
  text: `INSERT INTO webhook_deliveries (id, source, delivery_key, topic, subject, body, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source, delivery_key) DO NOTHING RETURNING id`,
};

/** Inserts a delivery. Waits for a transaction that inserts the same delivery. @returns false if it came before */
export async function insertDelivery(
  tx: Queryable,
  delivery: Pick<DeliveryRow, 'id' | 'source' | 'topic' | 'subject' | 'body' | 'receivedAt'> & { key: string },
): Promise<boolean> {
  const { id, source, key, topic, subject, body, receivedAt } = delivery;
  return (await tx.query(insert, [id, source, key, topic, subject, body, receivedAt])).length > 0;
}

const lock: Statement = {
  name: 'webhook_delivery_lock',
  text: `SELECT ${WHOLE} FROM webhook_deliveries d WHERE d.id = $1 FOR NO KEY UPDATE`,
};

/** Locks a delivery until the transaction ends: before all else. Null where there is none. */
export async function lockDelivery(tx: Queryable, id: string): Promise<DeliveryRow | null> {
  const [row] = await tx.query<DeliveryRow>(lock, [id]);
  return row ?? null;
}

const attempt: Statement = {
  name: 'webhook_delivery_attempt',
  text: `UPDATE webhook_deliveries d SET attempts = attempts + 1, tried_at = clock_timestamp() WHERE d.id = $1 AND d.status = 'PENDING' RETURNING ${WHOLE}`,
};

/** Counts an attempt at a pending delivery. @returns the delivery; null if it is not pending */
export async function countAttempt(source: Queryable, id: string): Promise<DeliveryRow | null> {
  const [row] = await source.query<DeliveryRow>(attempt, [id]);
  return row ?? null;
}

const uncount: Statement = {
  name: 'webhook_delivery_uncount',
  text: `UPDATE webhook_deliveries SET attempts = attempts - 1 WHERE id = $1 AND status = 'PENDING' AND attempts > 0`,
};

/** Takes back the count of an attempt that failed for another reason than the delivery. */
export async function uncountAttempt(source: Queryable, id: string): Promise<void> {
  await source.query(uncount, [id]);
}

const settle: Statement = {
  name: 'webhook_delivery_settle',
  text: `UPDATE webhook_deliveries SET status = $2::webhook_delivery_status, reason = $3, object_type = $4, object_id = $5,
            settled_at = clock_timestamp()
          WHERE id = $1 AND status = 'PENDING'`,
};

/** Settles a pending delivery. */
export async function settleDelivery(
  tx: Queryable,
  id: string,
  outcome: {
    status: Exclude<DeliveryStatus, 'PENDING'>;
    reason: string | null;
    object: { type: string; id: string } | null;
  },
): Promise<void> {
  await tx.query(settle, [
    id,
    outcome.status,
    outcome.reason,
    outcome.object?.type ?? null,
    outcome.object?.id ?? null,
  ]);
}

const reopen: Statement = {
  name: 'webhook_delivery_reopen',
  text: `UPDATE webhook_deliveries d SET status = 'PENDING', reason = NULL, settled_at = NULL, attempts = 0, tried_at = clock_timestamp(),
                 traceparent = DEFAULT
          WHERE d.id = $1 RETURNING ${WHOLE}`,
};

/** Makes a delivery wait again, as part of the current trace. The caller has its lock. */
export async function reopenDelivery(tx: Queryable, id: string): Promise<DeliveryRow> {
  const [row] = await tx.query<DeliveryRow>(reopen, [id]);
  if (row === undefined) throw new Error(`delivery ${id} is gone under its lock`);
  return row;
}

const pending: Statement = {
  name: 'webhook_deliveries_pending',
  text: `SELECT id, source, traceparent FROM webhook_deliveries
          WHERE status = 'PENDING'
            AND coalesce(tried_at, received_at) < clock_timestamp() - make_interval(secs => $1 * power(2, least(attempts, 12)))
          ORDER BY received_at, id LIMIT $2`,
};

/** A delivery that waits. */
export interface PendingDelivery {
  id: string;
  source: string;
  /** W3C `traceparent` of the call that it came with, or of its retry; null if that was not traced. */
  traceparent: string | null;
}

/** Deliveries that have waited for some seconds, the oldest first; twice as long after each attempt. */
export function findPending(source: Queryable, seconds: number, limit: number): Promise<PendingDelivery[]> {
  return source.query<PendingDelivery>(pending, [seconds, limit]);
}

const prune: Statement = {
  name: 'webhook_deliveries_prune',
  text: `WITH gone AS (
           DELETE FROM webhook_deliveries WHERE id IN (
             SELECT id FROM webhook_deliveries
              WHERE received_at < (SELECT clock_timestamp() - make_interval(days => $1))
                AND settled_at < (SELECT clock_timestamp() - make_interval(days => $1))
              ORDER BY received_at, id LIMIT $2
           ) RETURNING 1
         )
         SELECT count(*)::int AS deliveries FROM gone`,
};

/** Deletes deliveries that were settled so many days ago, a batch of them; gives how many. */
export async function pruneDeliveries(source: Queryable, days: number, limit: number): Promise<number> {
  const [row] = await source.query<{ deliveries: number }>(prune, [days, limit]);
  return row?.deliveries ?? 0;
}

const byIds: Statement = {
  name: 'webhook_deliveries_by_ids',
  text: `SELECT ${SHOWN} FROM webhook_deliveries d WHERE d.id = ANY($1::uuid[])`,
};

/** Deliveries by id, in no order. */
export function findDeliveries(source: Queryable, ids: readonly string[]): Promise<DeliveryRow[]> {
  return source.query<DeliveryRow>(byIds, [ids]);
}

/** Which deliveries: those that meet all that is given. */
export interface DeliveryQuery {
  status?: DeliveryStatus;
}

function conditionOf({ status }: DeliveryQuery, parameter: (value: unknown) => string) {
  if (status === undefined) return { name: '', where: '' };
  return { name: '_status', where: ` AND d.status = ${parameter(status)}::webhook_delivery_status` };
}

/** A page of deliveries, the latest first. */
export async function findDeliveryPage(
  source: Queryable,
  query: DeliveryQuery,
  page: PageRequest,
): Promise<Page<DeliveryRow>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const { name, where } = conditionOf(query, parameter);
  const latestFirst = [
    { expression: 'd.received_at', type: 'timestamptz', descending: true },
    { expression: 'd.id', type: 'uuid', descending: true },
  ];
  const { condition, orderBy, cursor } = keyset(latestFirst, page, parameter);
  const rows = await source.query<DeliveryRow & { cursor: string[] }>(
    {
      name: `webhook_deliveries${name}_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT ${SHOWN}, ${cursor} AS cursor FROM webhook_deliveries d
              WHERE ${condition}${where} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many deliveries the query finds, as far as lists count. */
export function countDeliveries(source: Queryable, query: DeliveryQuery): Promise<number> {
  const values: unknown[] = [];
  const { name, where } = conditionOf(query, (value) => `$${values.push(value)}`);
  return countUpTo(
    source,
    `SELECT FROM webhook_deliveries d WHERE TRUE${where}`,
    values,
    `webhook_delivery_count${name}`,
  );
}
