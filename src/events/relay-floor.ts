import type pg from 'pg';

/*
 * The relay finds events that have no number yet through a partial index, which an event leaves when it gets one. Its index entry is
 * dead then, but cannot be removed while any transaction holds an older snapshot, and each run would scan all entries that died since:
 * with a snapshot of a minute, many times the actual work. So a run begins above a floor: an id up to which every event is numbered
 * and no other can appear.
 *
 * Ids become visible out of order, so a numbered event does not prove that none can appear below it. The proof is the lock on the table
 * that an INSERT takes before it draws an id, and keeps until its transaction has ended and is visible. Draw a mark: an id from the
 * sequence, so that every lower one has been drawn, too (the sequence has no cache). Once all transactions that held the lock at that
 * time have ended, no open transaction has an id below the mark. (Transaction ids would not do: an INSERT draws the event's id before
 * it has one.) A search that begins after that and finds nothing below the mark raises the floor to it.
 *
 * An event left below the floor would never be delivered, and nothing else would notice.
 * Every few minutes the relay therefore also searches below its floor, and resets the floor if anything is there.
 */

const HOLDERS = {
  name: 'relay_holders',
  text: `SELECT virtualtransaction AS holder FROM pg_locks
          WHERE locktype = 'relation' AND relation = 'event_log'::regclass AND mode = 'RowExclusiveLock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};

const BELOW = {
  name: 'relay_below',
  text: 'SELECT id FROM event_log WHERE seq IS NULL AND id <= $1 ORDER BY id LIMIT 1',
};

/** How many events make it worth the while to raise the floor. */
const STRIDE = 250n;

/** Where the log ends, as one look saw it. */
export interface LogEnd {
  epoch: string;
  last: bigint;
  /** The id of the last event that is numbered; null where it is pruned, or there is none. */
  lastId: bigint | null;
}

/** ID above which a connection looks for unnumbered events. */
export interface Floor {
  readonly id: bigint;
  /** Resets the floor if the log was replaced. @returns whether the log is still the same */
  follow(end: LogEnd): boolean;
  /**
   * Says that all that a look saw is numbered: up to an id, or (null) all there was. The look must have begun after the
   * last `settle` and gone from the floor on.
   */
  raise(upTo: bigint | null): void;
  /**
   * Looks whether anything below it was left without a number; begins at the bottom again where that is so.
   * @returns the first of these, and the floor that it lay below
   */
  check(): Promise<{ id: bigint; floor: bigint } | null>;
  /** Finds out how far the floor may be raised after the next look. Outside a transaction. */
  settle(end: LogEnd): Promise<void>;
}

/** Begins at the bottom. */
export function createFloor(client: pg.Client): Floor {
  let id = 0n;
  let epoch = '';
  let last = 0n;
  let mark: { id: bigint; holders: ReadonlySet<string> } | null = null;
  let markedAt = 0n;
  /** Nothing that is not visible has an id up to here. */
  let settled: bigint | null = null;

  function sink(end: bigint): void {
    id = 0n;
    mark = null;
    markedAt = end;
    settled = null;
  }

  async function readHolders(): Promise<Set<string>> {
    const { rows } = await client.query<{ holder: string }>(HOLDERS);
    return new Set(rows.map(({ holder }) => holder));
  }

  return {
    get id() {
      return id;
    },

    follow(end) {
      const same = epoch === '' || (end.epoch === epoch && end.last >= last);
      ({ epoch, last } = end);
      if (same) return true;
      // A log that was replaced may give out its ids again.
      sink(end.last);
      return false;
    },

    raise(upTo) {
      if (settled === null) return;
      id = upTo === null || upTo > settled ? settled : upTo;
      if (id === settled) settled = null;
    },

    async check() {
      if (id === 0n) return null;
      const floor = id;
      const { rows } = await client.query<{ id: bigint }>({ ...BELOW, values: [floor] });
      const [left] = rows;
      if (left === undefined) return null;
      sink(last);
      return { id: left.id, floor };
    },

    async settle(end) {
      if (settled !== null) return;
      if (mark === null) {
        if (end.lastId === null || end.lastId <= id || end.last < markedAt + STRIDE) return;
        markedAt = end.last;
        mark = { id: end.lastId, holders: await readHolders() };
      } else {
        const present = await readHolders();
        mark = { id: mark.id, holders: new Set([...mark.holders].filter((holder) => present.has(holder))) };
      }
      if (mark.holders.size > 0) return;
      settled = mark.id;
      mark = null;
    },
  };
}
