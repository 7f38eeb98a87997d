import { v7 as uuid } from 'uuid';
import type { Queryable, Statement } from '../../../../infra/postgres/database.ts';

/** A webhook that is to be sent. */
export interface DueEvent {
  id: string;
  sequence: bigint;
  topic: string;
  copies: number;
  attempts: number;
  createdAt: Date;
  reference: string;
  paymentId: string;
  shopUrl: string;
}

/** Attempts before a webhook is given up: a little more than half a day. */
const MAX_ATTEMPTS = 20;
/** Within which a process that takes an event either has sent it or has died. */
const LEASE_S = 60;

const insert: Statement = {
  name: 'test_provider_event_insert',
  text: `INSERT INTO test_provider_events (id, payment_reference, topic, copies, created_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
};

/** Queues a webhook, to be sent after those that were queued before. */
export async function insertEvent(
  tx: Queryable,
  event: { reference: string; topic: string; copies: number; dueAt: Date },
  at: Date,
): Promise<void> {
  await tx.query(insert, [uuid(), event.reference, event.topic, event.copies, at, event.dueAt]);
}

const take: Statement = {
  name: 'test_provider_events_take',
  text: `UPDATE test_provider_events e SET attempts = e.attempts + 1, due_at = $1::timestamptz + make_interval(secs => ${LEASE_S})
           FROM test_provider_payments p
          WHERE e.payment_reference = p.reference AND e.id IN (
            SELECT id FROM test_provider_events WHERE due_at <= $1 ORDER BY sequence LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING e.id, e.sequence, e.topic, e.copies, e.attempts, e.created_at AS "createdAt", p.reference,
                   p.payment_id AS "paymentId", p.shop_url AS "shopUrl"`,
};

/** Takes webhooks that are due, for a minute, in the order in which they were queued. */
export async function takeEvents(source: Queryable, at: Date, limit: number): Promise<DueEvent[]> {
  const rows = await source.query<DueEvent>(take, [at, limit]);
  return rows.toSorted((a, b) => (a.sequence < b.sequence ? -1 : 1));
}

const delivered: Statement = {
  name: 'test_provider_event_delivered',
  text: 'UPDATE test_provider_events SET due_at = NULL, delivered_at = $2 WHERE id = $1',
};

/** Notes that the shop has accepted a webhook. */
export async function settleEvent(source: Queryable, id: string, at: Date): Promise<void> {
  await source.query(delivered, [id, at]);
}

const postpone: Statement = {
  name: 'test_provider_event_postpone',
  text: `UPDATE test_provider_events
            SET due_at = CASE WHEN attempts < ${MAX_ATTEMPTS}
                         THEN $2::timestamptz + make_interval(secs => least(power(2, attempts - 1), 3600)) END
          WHERE id = $1 AND delivered_at IS NULL RETURNING due_at AS "dueAt"`,
};

/**
 * Has a webhook sent again: after 1 s, 2 s, 4 s, and so on to an hour.
 * @returns when; null if it is given up
 */
export async function postponeEvent(source: Queryable, id: string, at: Date): Promise<Date | null> {
  const [row] = await source.query<{ dueAt: Date | null }>(postpone, [id, at]);
  return row?.dueAt ?? null;
}

/** Deletes webhooks of more than a week ago. */
export async function pruneEvents(source: Queryable): Promise<void> {
  await source.query({
    name: 'test_provider_events_prune',
    text: `DELETE FROM test_provider_events WHERE id IN (
             SELECT id FROM test_provider_events WHERE created_at < (SELECT clock_timestamp() - interval '7 days') AND due_at IS NULL
              ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
  });
}
