import type { Queryable, Statement } from '../infra/postgres/database.ts';
import type { Consumer } from './consumer.ts';
import { toStoredEvent, type EventRow } from './event-log.ts';
import type { StoredEvent } from './event.ts';

/** Where a consumer is, and where the log ends. */
export interface Place {
  seq: number;
  epoch: string;
  last: number;
  logEpoch: string;
  /** Up to here the log has nothing any more. */
  prunedThrough: number;
}

interface PlaceRow {
  seq: bigint | null;
  epoch: string | null;
  last: bigint;
  logEpoch: string;
  prunedThrough: bigint;
}

const look: Statement = {
  name: 'consumer_look',
  text: `SELECT c.seq, c.epoch, s.last, s.epoch AS "logEpoch", s.pruned_through AS "prunedThrough"
           FROM event_sequence s LEFT JOIN event_consumers c ON c.name = $1`,
};

/** Where the consumer is; null where it was never started. Locks nothing. */
export async function findPlace(source: Queryable, name: string): Promise<Place | null> {
  const [row] = await source.query<PlaceRow>(look, [name]);
  if (row === undefined) throw new Error('event_sequence has no row: the database is not migrated');
  const { seq, epoch, last, logEpoch, prunedThrough } = row;
  if (seq === null || epoch === null) return null;
  return { seq: Number(seq), epoch, last: Number(last), logEpoch, prunedThrough: Number(prunedThrough) };
}

const register: Statement = {
  name: 'consumer_register',
  text: `INSERT INTO event_consumers (name, seq, epoch) SELECT unnest($1::text[]), last, epoch FROM event_sequence ON CONFLICT DO NOTHING`,
};

/** Has new consumers begin at the log's end. Sorted by name, so that two processes that register several consumers cannot deadlock. */
export async function registerConsumers(source: Queryable, names: readonly string[]): Promise<void> {
  await source.query(register, [names.toSorted()]);
}

/** A taking of the lease. */
export interface Lease {
  name: string;
  fence: bigint;
}

const acquire: Statement = {
  name: 'consumer_acquire',
  text: `UPDATE event_consumers SET lease_owner = $2, lease_until = clock_timestamp() + $3 * interval '1 ms', fence = fence + 1
          WHERE name = $1 AND (lease_until IS NULL OR lease_until <= clock_timestamp() OR lease_owner = $2) RETURNING fence`,
};

/** Takes the lease if it is free or has expired. Null: another process holds it. */
export async function acquireLease(source: Queryable, name: string, owner: string, ms: number): Promise<Lease | null> {
  const [row] = await source.query<{ fence: bigint }>(acquire, [name, owner, ms]);
  return row === undefined ? null : { name, fence: row.fence };
}

const renew: Statement = {
  name: 'consumer_renew',
  text: `UPDATE event_consumers SET lease_until = clock_timestamp() + $3 * interval '1 ms'
          WHERE name = $1 AND fence = $2 AND lease_until IS NOT NULL`,
};

/** Keeps the lease, if it is still ours. */
export async function renewLease(source: Queryable, { name, fence }: Lease, ms: number): Promise<void> {
  await source.query(renew, [name, fence, ms]);
}

const release: Statement = {
  name: 'consumer_release',
  text: 'UPDATE event_consumers SET lease_owner = NULL, lease_until = NULL WHERE name = $1 AND fence = $2',
};

/** Gives the lease back, if it is still ours. */
export async function releaseLease(source: Queryable, { name, fence }: Lease): Promise<void> {
  await source.query(release, [name, fence]);
}

const advance: Statement = {
  name: 'consumer_advance',
  text: `UPDATE event_consumers SET seq = $3, epoch = $4 WHERE name = $1 AND fence = $2 RETURNING name`,
};

/** Moves the consumer on. @returns false if another process has taken the lease since: roll back what this one did */
export async function advanceConsumer(
  tx: Queryable,
  { name, fence }: Lease,
  place: { seq: number; epoch: string },
): Promise<boolean> {
  return (await tx.query(advance, [name, fence, place.seq, place.epoch])).length > 0;
}

const range: Statement = {
  name: 'consumer_range',
  text: `SELECT seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt", traceparent
           FROM event_log
          WHERE seq > $1 AND seq <= $2 AND type = ANY($3::text[])
            AND coalesce(payload @@ ($4::jsonb ->> type)::jsonpath, true)
          ORDER BY seq`,
};

/**
 * The events that a consumer is about, after one place and up to another, in order. Those whose payloads cannot be judged are among them.
 */
export async function readRange(
  source: Queryable,
  after: number,
  upTo: number,
  { types, only = [] }: Pick<Consumer, 'types' | 'only'>,
): Promise<StoredEvent[]> {
  const paths = Object.fromEntries(only.map(({ type, path }) => [type, path]));
  return (await source.query<EventRow>(range, [after, upTo, types, JSON.stringify(paths)])).map(toStoredEvent);
}
