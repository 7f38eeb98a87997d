import { pino } from 'pino';
import { v7 as uuid } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalBus, type EventBus } from '../../src/events/bus.ts';
import type { Cursor } from '../../src/events/cursor.ts';
import type { StoredEvent } from '../../src/events/event.ts';
import { createEventLog, type EventLog } from '../../src/events/event-log.ts';
import { startFeed, type EventFeed } from '../../src/events/feed.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { CursorExpiredError, createReplay, type EventFilter, type Replay } from '../../src/events/replay.ts';
import { openStream, type StreamItem } from '../../src/events/stream.ts';
import { openDatabase, openReader, type Database, type Reader } from '../../src/infra/postgres/database.ts';
import { meanwhile } from '../support/meanwhile.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const logger = pino({ level: 'silent' });
const ALL: EventFilter = { types: ['happened', 'else'], subjects: null };

let database: TestDatabase;
let db: Database;
let reader: Reader;
let bus: EventBus;
let log: EventLog;
let relay: Relay;
let feed: EventFeed;
let replay: Replay;
let reads: { after: number; events: number }[];
beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 4, logger });
  reader = openReader({ connectionString: database.url, poolSize: 2, logger });
  bus = createLocalBus();
  log = createEventLog({ db, wake: () => {} });
  relay = startRelay({ db, bus, logger });
  feed = await startFeed({ log, bus, logger });
  const real = createReplay(reader);
  reads = [];
  replay = {
    ...real,
    async read(cursor, through, filter) {
      const part = await real.read(cursor, through, filter);
      reads.push({ after: cursor.seq, events: part.events.length });
      return part;
    },
  };
});
afterEach(async () => {
  await feed[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  await bus[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

/** Commits so many events, one in `every` of the subject. */
async function happen(count: number, { subject = uuid(), every = 1, type = 'happened' } = {}): Promise<void> {
  await db.query(
    {
      name: 'test_happen',
      text: `INSERT INTO event_log (type, subject_id, payload, occurred_at)
             SELECT $4, CASE WHEN n % $3 = 0 THEN $2::uuid ELSE gen_random_uuid() END, '{}', now() FROM generate_series(1, $1::int) n`,
    },
    [count, subject, every, type],
  );
  await relay.flush();
}

const pickSeq = (event: StoredEvent) => event.seq;

async function cursorAt(seq: number): Promise<Cursor> {
  return { epoch: (await log.end()).epoch, seq };
}

async function resumed(seq: number, filter: EventFilter = ALL, pick: (event: StoredEvent) => number | null = pickSeq) {
  const after = await cursorAt(seq);
  await replay.check(after);
  return openStream({ feed, pick, resume: { after, replay, filter: () => filter } });
}

async function take(stream: AsyncIterator<StreamItem<number>>, count: number): Promise<number[]> {
  const values: number[] = [];
  while (values.length < count) {
    const { value, done } = await stream.next();
    if (done === true) throw new Error(`it ended after ${values.length}`);
    values.push(value.value);
  }
  return values;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A node that starts now: it has nothing of the log in memory. */
async function restartFeed(): Promise<void> {
  await feed[Symbol.asyncDispose]();
  feed = await startFeed({ log, bus, logger });
}

describe('a stream from a cursor', () => {
  test('reads the log where memory does not reach, goes on live, and neither misses nor repeats', async () => {
    await happen(2500);
    await restartFeed();
    const stream = await resumed(100);
    expect(await take(stream, 2400)).toEqual(range(101, 2500));
    expect(reads.map(({ after }) => after)).toEqual([100, 1100, 2100]);
    const later = take(stream, 3);
    await happen(3);
    expect(await later).toEqual([2501, 2502, 2503]);
    await stream.return?.();
    expect(feed.listeners).toBe(0);
  });

  test('needs no statement for what is in memory', async () => {
    await happen(3000);
    const stream = await resumed(10);
    expect(await take(stream, 2990)).toEqual(range(11, 3000));
    expect(reads).toEqual([]);
    await stream.return?.();
  });

  test('of a node that is behind the cursor leaves out what the client has seen on another', async () => {
    await happen(5);
    const after = { ...feed.position(), seq: 8 };
    const stream = openStream({ feed, pick: pickSeq, resume: { after, replay, filter: () => ALL } });
    const next = take(stream, 2);
    await happen(5);
    expect(await next).toEqual([9, 10]);
    await stream.return?.();
  });

  test('keeps to the order while writers commit, whatever the moment it goes live at', async () => {
    await happen(1500);
    await restartFeed();
    await using writer = meanwhile(() => happen(7));
    const streams = await Promise.all(
      range(0, 19).map(async (index) => ({ index, stream: await resumed(index * 70) })),
    );
    const taken = await Promise.all(
      streams.map(async ({ index, stream }) => {
        const values = await take(stream, 2000);
        await stream.return?.();
        return { index, values };
      }),
    );
    await writer.stop();
    for (const { index, values } of taken) expect(values).toEqual(range(index * 70 + 1, index * 70 + 2000));
  });

  test('holds a page at most in memory, however slow its consumer is, and is not lagging while it catches up', async () => {
    await happen(4000);
    await restartFeed();
    const stream = openStream({
      feed,
      pick: pickSeq,
      capacity: 10,
      resume: { after: await cursorAt(0), replay, filter: () => ALL },
    });
    expect(await take(stream, 1)).toEqual([1]);
    // What commits meanwhile waits in the log, and not here.
    await happen(3000);
    expect(reads).toEqual([{ after: 0, events: 1000 }]);
    expect(await take(stream, 6999)).toEqual(range(2, 7000));
    await stream.return?.();
  });

  test('of a few subjects reads their events alone, in pages of their own', async () => {
    const [one, two] = [uuid(), uuid()];
    await happen(6000, { subject: one, every: 5 });
    await happen(100, { subject: two, every: 10 });
    await happen(10, { subject: two, type: 'else' });
    await restartFeed();
    const wanted = new Set([one, two]);
    const pick = (event: StoredEvent) => (wanted.has(event.subjectId) && event.type === 'happened' ? event.seq : null);
    const stream = await resumed(0, { types: ['happened'], subjects: [...wanted] }, pick);
    const expected = [...range(1, 1200).map((n) => n * 5), ...range(1, 10).map((n) => 6000 + n * 10)];
    expect(await take(stream, expected.length)).toEqual(expected);
    expect(reads.map(({ events }) => events)).toEqual([1000, 210]);
    await happen(1, { subject: two });
    expect(await take(stream, 1)).toEqual([6111]);
    await stream.return?.();
  });

  test('reads a window of the log at a time where next to nothing of it is wanted', async () => {
    await happen(3500);
    await happen(1, { type: 'else' });
    await restartFeed();
    const stream = await resumed(0, { types: ['else'], subjects: null }, (event) =>
      event.type === 'else' ? event.seq : null,
    );
    expect(await take(stream, 1)).toEqual([3501]);
    expect(reads.map(({ events }) => events)).toEqual([0, 0, 0, 1]);
    await stream.return?.();
  });

  test('can be closed while a page is being read', async () => {
    await happen(20);
    await restartFeed();
    const stream = await resumed(0);
    const pending = stream.next();
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(feed.listeners).toBe(0);
  });
});

describe('a cursor', () => {
  test('of another log, beyond the end, or older than the log is kept is refused', async () => {
    await happen(50);
    const good = await cursorAt(50);
    await replay.check(good);
    await replay.check({ ...good, seq: 0 });
    await expect(replay.check({ ...good, epoch: 'ffffffffffffffff' })).rejects.toThrow(CursorExpiredError);
    await expect(replay.check({ ...good, seq: 51 })).rejects.toThrow(CursorExpiredError);
    await db.query({ name: 'test_pruned', text: 'UPDATE event_sequence SET pruned_through = 20' });
    await expect(replay.check({ ...good, seq: 19 })).rejects.toThrow(CursorExpiredError);
    // The next event after it is still there.
    await replay.check({ ...good, seq: 20 });
  });

  test('that the pruner passes during the replay ends it, instead of leaving a gap', async () => {
    await happen(3000);
    await restartFeed();
    const stream = await resumed(0);
    expect(await take(stream, 1000)).toEqual(range(1, 1000));
    await db.query({ name: 'test_prune_mark', text: 'UPDATE event_sequence SET pruned_through = 1500' });
    await db.query({ name: 'test_prune', text: 'DELETE FROM event_log WHERE seq <= 1500' });
    await expect(stream.next()).rejects.toThrow(CursorExpiredError);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('of a log that is replaced during the replay ends it', async () => {
    await happen(3000);
    await restartFeed();
    const stream = await resumed(0);
    await take(stream, 1000);
    await db.query({ name: 'test_epoch', text: `UPDATE event_sequence SET epoch = '00000000000000aa'` });
    await expect(stream.next()).rejects.toThrow(CursorExpiredError);
  });
});

/** What a plan says of itself, as far as it is asked here. */
interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** Rows of the log that were looked at. */
function rowsSeen(node: PlanNode): number {
  const here = node['Relation Name'] === 'event_log';
  const own = here ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'] : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + rowsSeen(child), own);
}

test.each([
  { every: 2000, wanted: 10 },
  { every: 4, wanted: 1000 },
])('who comes back by subject looks at $wanted rows of 20,000, and no more', async ({ every, wanted }) => {
  const subject = uuid();
  await happen(20_000, { subject, every });
  await db.query({ name: 'test_analyze', text: 'ANALYZE event_log' });
  let seen = -1;
  const explained = createReplay({
    async query<Row extends object>({ name, text }: { name: string; text: string }, values?: readonly unknown[]) {
      const [row] = await reader.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
        { name: `explain_${name}`, text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}` },
        values,
      );
      seen = rowsSeen(row?.['QUERY PLAN'][0]?.Plan ?? expect.fail());
      return reader.query<Row>({ name, text }, values);
    },
  });
  const { epoch } = await log.end();
  const part = await explained.read({ epoch, seq: 0 }, 20_000, { types: ['happened'], subjects: [subject, uuid()] });
  expect(part.events).toHaveLength(wanted);
  expect(seen).toBe(wanted);
});
