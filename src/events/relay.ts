import type pg from 'pg';
import type { Database } from '../infra/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { EventBatch, EventBus } from './bus.ts';
import { toStoredEvent, type EventRow } from './event-log.ts';

/*
 * The relay gives committed events their place in the one order.
 *
 * Ids are drawn before the commit, so ids of different transactions become visible out of order, and a reader that went by
 * "id > the last one I saw" would miss the late ones. The relay instead takes whatever is committed and not numbered yet,
 * in order of id, and numbers it from event_sequence.last on. It does so under the lock on event_sequence, one run at a
 * time over all processes; and it collects in a statement of its own after it has the lock, so that its snapshot sees all
 * that the run before it numbered. (Lock and collection in one statement number some events twice: the snapshot is taken
 * before the wait.) Events of one subject are inserted under the subject's lock, so for them id order is commit order, and
 * an event that commits late gets a later number, never a hole.
 */

const LOCK = 'SELECT epoch, last FROM event_sequence FOR UPDATE';
const COLLECT = {
  name: 'relay_collect',
  text: 'SELECT id FROM event_log WHERE seq IS NULL ORDER BY id LIMIT $1',
};
// `= ANY` keeps to the primary key whatever the statistics say; a join here fell over a bad plan.
const NUMBER = {
  name: 'relay_number',
  text: `UPDATE event_log SET seq = $2::bigint + array_position($1::bigint[], id) WHERE id = ANY($1::bigint[])
         RETURNING seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt"`,
};
const ADVANCE = { name: 'relay_advance', text: 'UPDATE event_sequence SET last = $1' };

const MAX_BATCH = 500;
const POLL_MS = 1000;

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
  /** Told how many events each batch has. */
  onBatch?: (events: number) => void;
}): Relay {
  const { db, bus, logger, onBatch = () => {} } = options;
  let client: pg.Client | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let disposal: Promise<void> | undefined;

  async function connection(): Promise<pg.Client> {
    if (client === undefined) {
      const opened = await db.connect();
      opened.once('end', () => {
        if (client === opened) client = undefined;
      });
      client = opened;
    }
    return client;
  }

  async function publish(batch: EventBatch): Promise<void> {
    try {
      await bus.publish(batch);
    } catch (error) {
      // The log has it: each node finds it at the end of the log within a second.
      logger.warn({ err: error }, 'a batch of events could not be published');
    }
  }

  async function numberAll(): Promise<void> {
    const target = await connection();
    let batch: EventBatch | null;
    do {
      batch = await numberBatch(target);
      if (batch === null) return;
      onBatch(batch.events.length);
      await publish(batch);
    } while (batch.events.length === MAX_BATCH);
  }

  async function run(): Promise<void> {
    try {
      do {
        again = false;
        await numberAll();
      } while (again);
    } catch (error) {
      // The poll is the next attempt: one a second, however often the relay is woken.
      logger.warn({ err: error }, 'the relay failed; tried again in a second');
      const broken = client;
      client = undefined;
      await broken?.end().catch(() => {});
      throw error;
    } finally {
      // In the same tick as the last look at `again`: no wake-up falls between the two.
      running = undefined;
    }
  }

  function start(): Promise<void> {
    if (disposal !== undefined) return Promise.reject(new Error('the relay is closed'));
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
    // What the last requests committed goes out before the process does.
    await run().catch(() => {});
    await client?.end().catch(() => {});
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

/** Numbers what is committed, up to MAX_BATCH events, in one transaction. Null where there is nothing. */
async function numberBatch(client: pg.Client): Promise<EventBatch | null> {
  // Looked at without the lock first: most wake-ups of many processes find that another has done the work.
  const pending = await client.query<{ id: bigint }>({ ...COLLECT, values: [1] });
  if (pending.rows.length === 0) return null;
  await client.query('BEGIN');
  try {
    const locked = await client.query<{ epoch: string; last: bigint }>(LOCK);
    const sequence = locked.rows[0];
    if (sequence === undefined) throw new Error('event_sequence has no row');
    const collected = await client.query<{ id: bigint }>({ ...COLLECT, values: [MAX_BATCH] });
    const ids = collected.rows.map((row) => row.id);
    if (ids.length === 0) {
      await client.query('ROLLBACK');
      return null;
    }
    const numbered = await client.query<EventRow>({ ...NUMBER, values: [ids, sequence.last] });
    const last = sequence.last + BigInt(ids.length);
    await client.query({ ...ADVANCE, values: [last] });
    await client.query('COMMIT');
    const events = numbered.rows.map(toStoredEvent).toSorted((a, b) => a.seq - b.seq);
    return { epoch: sequence.epoch, events };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
