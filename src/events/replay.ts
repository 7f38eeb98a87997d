import type { Queryable, Statement } from '../infra/postgres/database.ts';
import type { Cursor } from './cursor.ts';
import type { StoredEvent } from './event.ts';
import { readEnd, toStoredEvent, type EventRow } from './event-log.ts';

/** The log does not lead on from this cursor: it is another log's, or pruned beyond it, or not as long. */
export class CursorExpiredError extends Error {
  constructor() {
    super('The event log does not reach back to this cursor. Run the query again and subscribe after its cursor.');
    this.name = 'CursorExpiredError';
  }
}

/** Which events a reader wants. */
export interface EventFilter {
  types: readonly string[];
  /** Null: of whatever subject. */
  subjects: readonly string[] | null;
}

/** A piece of the log. */
export interface LogPart {
  /** Those that the filter lets through, in order. */
  events: StoredEvent[];
  /** All up to here has been looked at. */
  through: number;
}

/** Reads the log for those who come back to it: in pages, whatever its length. */
export interface Replay {
  /** @throws CursorExpiredError where there is no going on from the cursor */
  check(cursor: Cursor): Promise<void>;
  /**
   * The next piece after a cursor.
   * @param through where to end, at the latest
   * @throws CursorExpiredError where the log was replaced, or pruned beyond the cursor, meanwhile
   */
  read(cursor: Cursor, through: number, filter: EventFilter): Promise<LogPart>;
}

/** Maximum number of events that one page scans or returns. */
const PAGE = 1000;

/*
 * Both pages also read the state of the log, in the same snapshot. The pruner advances `pruned_through` before it deletes
 * anything: if it has not passed the cursor, no event after the cursor has been deleted.
 */
const SEQUENCE = 'SELECT s.epoch, s.pruned_through AS "prunedThrough", e.* FROM event_sequence s LEFT JOIN';
const COLUMNS = 'seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt"';

// Numbers are contiguous, so a window of them is bounded, however few of its events are wanted.
const window: Statement = {
  name: 'replay_window',
  text: `${SEQUENCE} (
           SELECT ${COLUMNS} FROM event_log WHERE seq > $1 AND seq <= $2 AND type = ANY($3::text[])
         ) e ON TRUE ORDER BY e.seq`,
};

// A range of the index for each subject: one range over all of them would have to look at everybody's events.
const bySubject: Statement = {
  name: 'replay_by_subject',
  text: `${SEQUENCE} (
           SELECT found.* FROM unnest($4::uuid[]) AS wanted(id) CROSS JOIN LATERAL (
             SELECT ${COLUMNS} FROM event_log WHERE subject_id = wanted.id AND seq > $1 AND seq <= $2 AND type = ANY($3::text[])
              ORDER BY event_log.seq LIMIT $5
           ) found ORDER BY found.seq LIMIT $5
         ) e ON TRUE ORDER BY e.seq`,
};

interface PartRow extends Omit<EventRow, 'seq'> {
  epoch: string;
  prunedThrough: bigint;
  /** Null where there is no event in the piece. */
  seq: bigint | null;
}

const sequence: Statement = {
  name: 'replay_pruned',
  text: 'SELECT pruned_through AS "prunedThrough" FROM event_sequence',
};

/**
 * Opens the replay.
 * @param source a separate pool, so that resuming subscribers do not take connections from buyers
 */
export function createReplay(source: Queryable): Replay {
  return {
    async check({ epoch, seq }) {
      const end = await readEnd(source);
      if (end.epoch !== epoch || seq > end.seq) throw new CursorExpiredError();
      const [row] = await source.query<{ prunedThrough: bigint }>(sequence);
      if (row === undefined || seq < Number(row.prunedThrough)) throw new CursorExpiredError();
    },

    async read({ epoch, seq }, through, { types, subjects }) {
      const last = subjects === null ? Math.min(through, seq + PAGE) : through;
      const rows =
        subjects === null
          ? await source.query<PartRow>(window, [seq, last, types])
          : await source.query<PartRow>(bySubject, [seq, last, types, subjects, PAGE]);
      const [first] = rows;
      if (first === undefined || first.epoch !== epoch || seq < Number(first.prunedThrough)) {
        throw new CursorExpiredError();
      }
      const events = rows.flatMap(({ seq: found, type, subjectId, payload, occurredAt }) =>
        found === null ? [] : [toStoredEvent({ seq: found, type, subjectId, payload, occurredAt })],
      );
      const full = subjects !== null && events.length === PAGE;
      return { events, through: full ? (events.at(-1)?.seq ?? last) : last };
    },
  };
}
