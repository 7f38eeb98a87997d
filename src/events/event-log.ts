import type { Database, Queryable, Statement, Transaction } from '../infra/postgres/database.ts';
import type { Cursor } from './cursor.ts';
import type { Change } from './changes.ts';
import type { NewEvent, StoredEvent } from './event.ts';

/** The log as writers and readers see it. Numbering is the relay's. */
export interface EventLog {
  /** Writes events in the caller's transaction. Call it after taking the locks on what the events are about. */
  append(tx: Transaction, at: Date, events: readonly NewEvent[]): Promise<void>;
  /**
   * Says that the transaction wrote events (for writers whose own statement did): the relay is woken by its commit.
   * @param changes what they say; nothing that changed may be missing
   */
  announce(tx: Transaction, changes: readonly Change[]): void;
  /** The end of the log: the last number given, and the log's epoch. */
  end(): Promise<Cursor>;
  /** Events after `seq`, in order, at most `limit`. */
  readAfter(seq: number, limit: number): Promise<StoredEvent[]>;
}

const append: Statement = {
  name: 'event_log_append',
  text: `INSERT INTO event_log (type, subject_id, payload, occurred_at)
         SELECT type, subject_id, payload, $1::timestamptz
           FROM unnest($2::text[], $3::uuid[], $4::jsonb[]) WITH ORDINALITY AS e(type, subject_id, payload, ordinal)
          ORDER BY ordinal`,
};

const end: Statement = { name: 'event_log_end', text: 'SELECT epoch, last FROM event_sequence' };

const readAfter: Statement = {
  name: 'event_log_read_after',
  text: `SELECT seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt"
           FROM event_log WHERE seq > $1 ORDER BY seq LIMIT $2`,
};

/** A row of the log as the driver gives it. */
export interface EventRow {
  seq: bigint;
  type: string;
  subjectId: string;
  payload: unknown;
  occurredAt: Date;
  traceparent?: string | null;
}

/** The event of a row. */
export function toStoredEvent(row: EventRow): StoredEvent {
  return { ...row, seq: Number(row.seq) };
}

/** The log's end, read through any connection. */
export async function readEnd(source: Queryable): Promise<Cursor> {
  const [row] = await source.query<{ epoch: string; last: bigint }>(end);
  if (row === undefined) throw new Error('event_sequence has no row: the database is not migrated');
  return { epoch: row.epoch, seq: Number(row.last) };
}

/**
 * Opens the log.
 * @param wake called after each commit of a transaction that wrote events
 * @param onCommitted called before anyone learns of the commit, with what its events say
 */
export function createEventLog({
  db,
  wake,
  onCommitted,
}: {
  db: Database;
  wake: () => void;
  onCommitted?: (changes: readonly Change[]) => void;
}): EventLog {
  function announce(tx: Transaction, changes: readonly Change[]): void {
    if (onCommitted !== undefined) tx.afterCommit(() => onCommitted(changes));
    tx.afterCommit(wake);
  }

  return {
    async append(tx, at, events) {
      if (events.length === 0) return;
      await tx.query(append, [
        at,
        events.map((event) => event.type),
        events.map((event) => event.subjectId),
        events.map((event) => JSON.stringify(event.payload)),
      ]);
      announce(tx, events);
    },
    announce,
    end: () => readEnd(db),
    async readAfter(seq, limit) {
      const rows = await db.query<EventRow>(readAfter, [seq, limit]);
      return rows.map(toStoredEvent);
    },
  };
}
