import type pg from 'pg';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import { together } from '../infra/postgres/together.ts';
import type { EventBatch, EventBus } from './bus.ts';
import { toStoredEvent, type EventRow } from './event-log.ts';
import { createFloor, type Floor, type LogEnd } from './relay-floor.ts';

/*
 * The relay gives committed events their place in the one order.
 *
 * Ids are drawn before the commit, so ids of different transactions become visible out of order, and a reader that went by
 * "id > the last one I saw" would miss the late ones. The relay instead takes whatever is committed and not numbered yet,
 * in order of id, and numbers it from event_sequence.last on. It does so under the lock on event_sequence, one run at a
 * time over all processes; and it collects and numbers in a statement of its own after it has the lock, so that its snapshot
 * sees all that the run before it numbered. (Lock and collection in one statement number some events twice: the snapshot is
 * taken before the wait.) Events of one subject are inserted under the subject's lock, so for them id order is commit order, and
 * an event that commits late gets a later number, never a hole. It looks no further down than it must: see relay-floor.ts.
 */

const LOOK = {
  name: 'relay_look',
  text: `SELECT s.epoch, s.last, (SELECT e.id FROM event_log e WHERE e.seq = s.last) AS "lastId",
                (SELECT e.id FROM event_log e WHERE e.seq IS NULL AND e.id > $1 ORDER BY e.id LIMIT 1) AS pending
           FROM event_sequence s`,
};
// One message, of which nothing is carried out after what fails: without a transaction there is no lock.
const LOCK = 'BEGIN; SELECT epoch, last FROM event_sequence FOR UPDATE';
// `= ANY` keeps to the primary key whatever the statistics say; a join here fell over a bad plan.
const NUMBER = {
  name: 'relay_number',
  text: `WITH pending AS MATERIALIZED (
           SELECT array_agg(id ORDER BY id) AS ids
             FROM (SELECT id FROM event_log WHERE seq IS NULL AND id > $1 ORDER BY id LIMIT $2) AS first
         ), numbered AS (
           UPDATE event_log SET seq = (SELECT last FROM event_sequence) + array_position((SELECT ids FROM pending), id)
            WHERE id = ANY((SELECT ids FROM pending)::bigint[])
           RETURNING id, seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt"
         ), advanced AS (
           UPDATE event_sequence SET last = last + (SELECT cardinality(ids) FROM pending)
            WHERE (SELECT ids FROM pending) IS NOT NULL
         )
         SELECT * FROM numbered`,
};

interface Look extends LogEnd {
  /** One that is committed and not numbered; null: there is none. */
  pending: bigint | null;
}

/** A connection, and from where on it looks. */
interface Link {
  client: pg.Client;
  floor: Floor;
}

const MAX_BATCH = 500;
const POLL_MS = 1000;
/** How often it looks below its floor, where nothing should be. */
const CHECK_MS = 180_000;

/** The relay of this process. */
export interface Relay extends AsyncDisposable {
  /** Says that events were committed. Returns at once; wake-ups during a run make one more run. */
  wake(): void;
  /** Waits until everything committed before the call is numbered and published, or throws where that fails. */
  flush(): Promise<void>;
}

/** Starts the relay; it polls each second as well, for what a crashed process left between commit and wake-up. */
export function startRelay(options: {
  db: Database;
  bus: EventBus;
  logger: Logger;
  /** Called with the number of events in each batch. */
  onBatch?: (events: number) => void;
  /** For tests. */
  checkMs?: number;
}): Relay {
  const { db, bus, logger, onBatch = () => {}, checkMs = CHECK_MS } = options;
  let link: Link | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let checkedAt = performance.now();
  let hasRun = false;
  let disposal: Promise<void> | undefined;

  async function connection(): Promise<Link> {
    if (link === undefined) {
      const client = await db.connect();
      const opened = { client, floor: createFloor(client) };
      client.once('end', () => {
        if (link === opened) link = undefined;
      });
      link = opened;
    }
    return link;
  }

  async function publish(batch: EventBatch): Promise<void> {
    try {
      await bus.publish(batch);
    } catch (error) {
      // The log has it: each node finds it at the end of the log within a second.
      logger.warn({ err: error }, 'a batch of events could not be published');
    }
  }

  async function checkFloor(floor: Floor): Promise<void> {
    if (performance.now() - checkedAt < checkMs) return;
    const left = await floor.check();
    checkedAt = performance.now();
    if (left !== null) logger.error({ left }, 'the relay found and numbered an event below its search floor');
  }

  async function numberAll(): Promise<void> {
    const { client, floor } = await connection();
    await checkFloor(floor);
    let batch: EventBatch | null;
    do {
      let end: LogEnd;
      ({ batch, end } = await numberBatch(client, floor));
      if (batch !== null) {
        onBatch(batch.events.length);
        await publish(batch);
      }
      await floor.settle(end);
    } while (batch?.events.length === MAX_BATCH);
  }

  async function run(): Promise<void> {
    try {
      do {
        again = false;
        await numberAll();
      } while (again);
    } catch (error) {
      // The poll is the next attempt: one a second, however often the relay is woken.
      logger.warn({ err: error }, 'the relay failed; retrying in 1 s');
      const broken = link;
      link = undefined;
      await broken?.client.end().catch(() => {});
      throw error;
    } finally {
      // In the same tick as the last look at `again`: no wake-up falls between the two.
      running = undefined;
    }
  }

  function start(): Promise<void> {
    if (disposal !== undefined) return Promise.reject(new Error('the relay is closed'));
    hasRun = true;
    if (running !== undefined) again = true;
    running ??= run();
    return running;
  }

  function wake(): void {
    start().catch(() => {});
  }

  async function close(): Promise<void> {
    clearInterval(poll);
    await running?.catch(() => {});
    // What the last requests committed goes out before the process does. Where there was none, no connection is opened for it.
    if (hasRun) await run().catch(() => {});
    await link?.client.end().catch(() => {});
  }

  const poll = setInterval(wake, POLL_MS);
  return {
    wake,
    async flush() {
      await running?.catch(() => {});
      await start();
    },
    [Symbol.asyncDispose]: () => (disposal ??= close()),
  };
}

/** Looks, without the lock, whether there is anything to do: of the wake-ups of many processes most find that there is not. */
async function look(client: pg.Client, floor: Floor): Promise<Look> {
  for (;;) {
    const { rows } = await client.query<Look>({ ...LOOK, values: [floor.id] });
    const [found] = rows;
    if (found === undefined) throw new Error('event_sequence has no row');
    if (floor.follow(found)) return found;
  }
}

/** Numbers up to MAX_BATCH committed events in one transaction. The batch is null if there are none. */
async function numberBatch(client: pg.Client, floor: Floor): Promise<{ batch: EventBatch | null; end: LogEnd }> {
  const found = await look(client, floor);
  if (found.pending === null) {
    floor.raise(null);
    return { batch: null, end: found };
  }
  try {
    const answers: unknown = await client.query(LOCK);
    const [, locked] = answers as pg.QueryResult<{ epoch: string; last: bigint }>[];
    const sequence = locked?.rows[0];
    if (sequence === undefined) throw new Error('event_sequence has no row');
    floor.follow({ ...sequence, lastId: null });
    const [numbered, end] = await together(
      client.query<EventRow & { id: bigint }>({ ...NUMBER, values: [floor.id, MAX_BATCH] }),
      client.query('COMMIT'),
    );
    if (end.command !== 'COMMIT') throw new Error('the transaction of the relay was rolled back');
    const rows = numbered.rows.toSorted((a, b) => Number(a.seq - b.seq));
    const final = rows.at(-1);
    // Not what the look found: it may have been another log.
    if (final === undefined) return { batch: null, end: { ...sequence, lastId: null } };
    floor.raise(rows.length < MAX_BATCH ? null : final.id);
    const events = rows.map(({ id: _id, ...row }) => toStoredEvent(row));
    return {
      batch: { epoch: sequence.epoch, events },
      end: { epoch: sequence.epoch, last: final.seq, lastId: final.id },
    };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
