import { pino } from 'pino';
import { v7 as uuid } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalBus, type EventBus } from '../../src/events/bus.ts';
import { createEventLog, type EventLog } from '../../src/events/event-log.ts';
import { pruneEvents } from '../../src/events/prune.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { rowsOf } from '../support/books.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const logger = pino({ level: 'silent' });

let database: TestDatabase;
let db: Database;
let bus: EventBus;
let log: EventLog;
let relay: Relay;
beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 4, logger });
  bus = createLocalBus();
  log = createEventLog({ db, wake: () => {} });
  relay = startRelay({ db, bus, logger });
});
afterEach(async () => {
  await relay[Symbol.asyncDispose]();
  await bus[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

/** Commits events of so many days ago. */
async function happened(count: number, daysAgo: number): Promise<void> {
  await db.query(
    {
      name: 'test_happened',
      text: `INSERT INTO event_log (type, subject_id, payload, occurred_at)
             SELECT 'happened', $2, '{}', clock_timestamp() - make_interval(days => $3) FROM generate_series(1, $1::int)`,
    },
    [count, uuid(), daysAgo],
  );
  await relay.flush();
}

/** @returns its name */
async function consumerAt(seq: number): Promise<string> {
  const { epoch } = await log.end();
  await db.query(
    { name: 'test_consumer', text: 'INSERT INTO event_consumers (name, seq, epoch) VALUES ($1, $2, $3)' },
    [`consumer-${String.fromCharCode(97 + (seq % 26))}`, seq, epoch],
  );
  return `consumer-${String.fromCharCode(97 + (seq % 26))}`;
}

/** The first and the last event that there are, how many, and the mark. */
async function left(): Promise<unknown> {
  const [row] = await rowsOf(
    db,
    `SELECT min(seq)::int AS first, max(seq)::int AS last, count(*)::int AS events,
            (SELECT pruned_through::int FROM event_sequence) AS pruned FROM event_log`,
  );
  return row;
}

const prune = (consumers: readonly string[] = []) => pruneEvents({ db, days: 7, consumers });

describe('old events', () => {
  test('go, in batches, and the others stay', async () => {
    await happened(2500, 8);
    await happened(10, 6);
    expect(await prune()).toBe(2500);
    expect(await left()).toEqual({ first: 2501, last: 2510, events: 10, pruned: 2500 });
    expect(await prune()).toBe(0);
    expect(await left()).toEqual({ first: 2501, last: 2510, events: 10, pruned: 2500 });
  });

  test('that come after a young one stay with it: the log has no holes', async () => {
    await happened(5, 8);
    await happened(1, 1);
    await happened(5, 8);
    expect(await prune()).toBe(5);
    expect(await left()).toEqual({ first: 6, last: 11, events: 6, pruned: 5 });
  });

  test('stay as long as the slowest consumer needs them', async () => {
    await happened(50, 8);
    await consumerAt(20);
    await consumerAt(40);
    expect(await prune()).toBe(20);
    expect(await left()).toMatchObject({ first: 21, pruned: 20 });
    await db.query({ name: 'test_move', text: 'UPDATE event_consumers SET seq = 50' });
    expect(await prune()).toBe(30);
    expect(await left()).toEqual({ first: null, last: null, events: 0, pruned: 50 });
  });

  test('wait a month longer for a consumer that this version does not know, and then no more', async () => {
    await happened(10, 50); // for nobody
    await happened(10, 38);
    await happened(10, 36);
    await consumerAt(20);
    // What it needs next is of 36 days ago: seven and thirty are not over.
    expect(await prune()).toBe(20);
    expect(await left()).toMatchObject({ first: 21, pruned: 20 });
    await db.query({ name: 'test_older', text: `UPDATE event_log SET occurred_at = occurred_at - interval '2 days'` });
    await happened(5, 6);
    expect(await prune()).toBe(10);
    expect(await left()).toEqual({ first: 31, last: 35, events: 5, pruned: 30 });
    // The log goes on without it; its row stays, where it finds what became of it.
    await db.query({ name: 'test_older', text: `UPDATE event_log SET occurred_at = occurred_at - interval '2 days'` });
    expect(await prune()).toBe(5);
    expect(await rowsOf(db, 'SELECT seq::int FROM event_consumers')).toEqual([{ seq: 20 }]);
  });

  test('wait for ever for one that it knows, beside one that is gone', async () => {
    await happened(30, 50);
    await consumerAt(3);
    const known = await consumerAt(12);
    expect(await prune([known])).toBe(12);
    expect(await left()).toMatchObject({ first: 13, pruned: 12 });
    // (The other has been passed by: nothing waits for it any more.)
    await db.query({ name: 'test_move_known', text: 'UPDATE event_consumers SET seq = 30 WHERE name = $1' }, [known]);
    expect(await prune([known])).toBe(18);
  });

  test('that have no number yet stay, and an empty log is nothing to prune', async () => {
    expect(await prune()).toBe(0);
    await relay[Symbol.asyncDispose]();
    await db.query(
      {
        name: 'test_unnumbered',
        text: `INSERT INTO event_log (type, subject_id, payload, occurred_at) VALUES ('happened', $1, '{}', clock_timestamp() - interval '9 days')`,
      },
      [uuid()],
    );
    expect(await prune()).toBe(0);
    expect(await left()).toMatchObject({ events: 1, pruned: 0 });
  });

  test('behind the mark of one who crashed before it deleted them go the next time', async () => {
    await happened(30, 8);
    await db.query({ name: 'test_mark', text: 'UPDATE event_sequence SET pruned_through = 12' });
    await consumerAt(12);
    expect(await prune()).toBe(12);
    expect(await left()).toMatchObject({ first: 13, pruned: 12 });
  });

  test('go once where two processes prune at the same time', async () => {
    await happened(3000, 8);
    const counts = await Promise.all([prune(), prune(), prune()]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(3000);
    expect(await left()).toEqual({ first: null, last: null, events: 0, pruned: 3000 });
  });

  test('do not go before the mark that says so: while the relay holds it, nothing is deleted', async () => {
    await happened(10, 8);
    await using watch = await watchLocks(db);
    await using barrier = await holdBarrier(db, 'SELECT FROM event_sequence FOR UPDATE');
    const pruning = prune();
    await watch.untilWaiting(1, 'event_sequence');
    expect(await left()).toMatchObject({ first: 1, events: 10, pruned: 0 });
    await barrier.release();
    expect(await pruning).toBe(10);
  });
});
