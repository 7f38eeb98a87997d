import { countUpTo } from '../infra/postgres/count.ts';
import type { Queryable, Statement } from '../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../infra/postgres/page.ts';
import type { StoredEvent } from './event.ts';

/** An event that a consumer could not handle. */
export interface ParkedEvent {
  id: string;
  consumer: string;
  seq: number;
  type: string;
  subjectId: string;
  payload: unknown;
  occurredAt: Date;
  /** What went wrong the last time, in the error's own words. */
  error: string;
  attempts: number;
  parkedAt: Date;
  /** When it was handled after all; null: it waits. */
  resolvedAt: Date | null;
}

type ParkedRow = Omit<ParkedEvent, 'seq'> & { seq: bigint };

const COLUMNS = `p.id, p.consumer, p.seq, p.type, p.subject_id AS "subjectId", p.payload, p.occurred_at AS "occurredAt", p.error,
  p.attempts, p.parked_at AS "parkedAt", p.resolved_at AS "resolvedAt"`;

const toParked = <Row extends ParkedRow>(row: Row): Omit<Row, 'seq'> & { seq: number } => ({
  ...row,
  seq: Number(row.seq),
});

const park: Statement = {
  name: 'parked_event_insert',
  text: `INSERT INTO parked_events AS p (consumer, epoch, seq, type, subject_id, payload, occurred_at, error, attempts, parked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp())
         ON CONFLICT (consumer, epoch, seq) DO UPDATE
            SET error = excluded.error, attempts = p.attempts + excluded.attempts, parked_at = excluded.parked_at, resolved_at = NULL`,
};

/** Keeps a copy of an event with what went wrong. */
export async function insertParked(
  tx: Queryable,
  event: StoredEvent,
  why: { consumer: string; epoch: string; error: string; attempts: number },
): Promise<void> {
  const { seq, type, subjectId, payload, occurredAt } = event;
  await tx.query(park, [
    ...[why.consumer, why.epoch, seq, type, subjectId],
    ...[JSON.stringify(payload), occurredAt, why.error, why.attempts],
  ]);
}

const lock: Statement = {
  name: 'parked_event_lock',
  text: `SELECT ${COLUMNS} FROM parked_events p WHERE p.id = $1 FOR NO KEY UPDATE`,
};

/** Locks one against everybody else who would handle it. */
export async function lockParked(tx: Queryable, id: string): Promise<ParkedEvent | null> {
  const [row] = await tx.query<ParkedRow>(lock, [id]);
  return row === undefined ? null : toParked(row);
}

const resolve: Statement = {
  name: 'parked_event_resolve',
  text: 'UPDATE parked_events SET attempts = attempts + 1, resolved_at = clock_timestamp() WHERE id = $1',
};

/** It was handled after all. */
export async function markResolved(tx: Queryable, id: string): Promise<void> {
  await tx.query(resolve, [id]);
}

const failAgain: Statement = {
  name: 'parked_event_fail',
  text: 'UPDATE parked_events SET attempts = attempts + 1, error = $2 WHERE id = $1 AND resolved_at IS NULL',
};

/** It could not be handled once more. */
export async function markFailedAgain(source: Queryable, id: string, error: string): Promise<void> {
  await source.query(failAgain, [id, error]);
}

const byIds: Statement = {
  name: 'parked_events_by_ids',
  text: `SELECT ${COLUMNS} FROM parked_events p WHERE p.id = ANY($1::uuid[])`,
};

/** Parked events by id, in no order. */
export async function findParked(source: Queryable, ids: readonly string[]): Promise<ParkedEvent[]> {
  return (await source.query<ParkedRow>(byIds, [ids])).map(toParked);
}

const ofResolved = (resolved: boolean) => (resolved ? '' : ' AND p.resolved_at IS NULL');

/** A page of them, the latest first. */
export async function findParkedPage(
  source: Queryable,
  { resolved }: { resolved: boolean },
  page: PageRequest,
): Promise<Page<ParkedEvent>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const latestFirst = [
    { expression: 'p.parked_at', type: 'timestamptz', descending: true },
    { expression: 'p.id', type: 'uuid', descending: true },
  ];
  const { condition, orderBy, cursor } = keyset(latestFirst, page, parameter);
  const rows = await source.query<ParkedRow & { cursor: string[] }>(
    {
      name: `parked_events_${resolved ? 'all' : 'waiting'}_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT ${COLUMNS}, ${cursor} AS cursor FROM parked_events p
              WHERE ${condition}${ofResolved(resolved)} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows.map(toParked), page);
}

/** How many parked events there are, as far as lists count. */
export function countParked(source: Queryable, { resolved }: { resolved: boolean }): Promise<number> {
  const select = `SELECT FROM parked_events p WHERE TRUE${ofResolved(resolved)}`;
  return countUpTo(source, select, [], `parked_event_count_${resolved ? 'all' : 'waiting'}`);
}
