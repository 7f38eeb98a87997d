import { pino } from 'pino';
import { v7 as uuid } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLocalBus, type EventBatch, type EventBus } from '../../src/events/bus.ts';
import type { StoredEvent } from '../../src/events/event.ts';
import { createEventLog, type EventLog } from '../../src/events/event-log.ts';
import { startFeed, type EventFeed } from '../../src/events/feed.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const logger = pino({ level: 'silent' });

/** Delivers what a test says, when it says so. */
class HandBus implements EventBus {
  readonly listeners = new Set<(batch: EventBatch) => void>();

  publish = () => Promise.resolve();

  async subscribe(listener: (batch: EventBatch) => void): Promise<() => void> {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  deliver(...batches: EventBatch[]): void {
    for (const batch of batches) for (const listener of this.listeners) listener(batch);
  }

  [Symbol.asyncDispose] = () => Promise.resolve();
}

/** A log whose answers a test can hold back, after they were read. */
function controlled(real: EventLog) {
  let holding: Promise<void> | null = null;
  let release: () => void = () => {};
  const asked = { end: 0, readAfter: 0 };
  const held = { end: 0, readAfter: 0 };
  async function passing<T>(what: keyof typeof held, answer: Promise<T>): Promise<T> {
    asked[what] += 1;
    const value = await answer;
    if (holding !== null) held[what] += 1;
    await holding;
    return value;
  }
  const log: EventLog = {
    ...real,
    end: () => passing('end', real.end()),
    readAfter: (seq, limit) => passing('readAfter', real.readAfter(seq, limit)),
  };
  return {
    log,
    /** How often it was asked, and how many of the answers were held back. */
    asked,
    held,
    hold() {
      holding = new Promise((resolve) => {
        release = resolve;
      });
    },
    release() {
      holding = null;
      release();
    },
  };
}

let database: TestDatabase;
let db: Database;
let real: EventLog;
let relay: Relay;
const numbered: EventBatch[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 5, logger });
  real = createEventLog({ db, wake: () => {} });
  const bus = Object.assign(new HandBus(), { publish: async (batch: EventBatch) => void numbered.push(batch) });
  relay = startRelay({ db, bus, logger });
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

/** Writes events, has them numbered, and gives the batch that a relay would publish. */
async function write(count = 1): Promise<EventBatch> {
  const events = Array.from({ length: count }, () => ({ type: 'something_happened', subjectId: uuid(), payload: {} }));
  await db.transaction((tx) => real.append(tx, new Date(), events));
  numbered.length = 0;
  await relay.flush();
  const [first] = numbered;
  if (first === undefined) throw new Error('nothing was numbered');
  return { epoch: first.epoch, events: numbered.flatMap((batch) => batch.events) };
}

const bySeq = ({ epoch, events }: EventBatch): EventBatch[] => events.map((event) => ({ epoch, events: [event] }));

/** A batch of one, which must be there. */
function only(batches: readonly EventBatch[], index: number): EventBatch {
  const batch = batches[index];
  if (batch === undefined) throw new Error(`there is no batch ${index}`);
  return batch;
}

const feeds: EventFeed[] = [];
let bus: HandBus;
let log: ReturnType<typeof controlled>;
beforeEach(() => {
  bus = new HandBus();
  log = controlled(real);
});
afterEach(async () => {
  log.release();
  for (const feed of feeds.splice(0)) await feed[Symbol.asyncDispose]();
  vi.useRealTimers();
});

async function open(options: Partial<Parameters<typeof startFeed>[0]> = {}): Promise<EventFeed> {
  const feed = await startFeed({ log: log.log, bus, logger, ...options });
  feeds.push(feed);
  return feed;
}

/** Without the look at the end each second, so that it is seen what happens without it. */
function openWithoutTail(): Promise<EventFeed> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  return open();
}

/** What a listener gets. */
function listen(feed: EventFeed) {
  const seen: { events: StoredEvent[]; resets: number; unsubscribe: () => void } = {
    events: [],
    resets: 0,
    unsubscribe: () => {},
  };
  seen.unsubscribe = feed.subscribe({
    event: (event) => void seen.events.push(event),
    reset: () => (seen.resets += 1),
  });
  return seen;
}

describe('whatever the bus does, each event comes once and in order', () => {
  test('in order and on time: at once, and without a look at the log', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const batch = await write(3);
    const { end, readAfter } = log.asked;
    bus.deliver(batch);
    expect(seen.events).toEqual(batch.events);
    expect(feed.position()).toEqual({ epoch: batch.epoch, seq: batch.events[2]?.seq });
    expect(log.asked).toEqual({ end, readAfter });
  });

  test('twice, in parts, overlapping; nothing of it is kept, or waited for', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
    const feed = await open();
    const seen = listen(feed);
    const batch = await write(4);
    const { epoch, events } = batch;
    bus.deliver(...bySeq(batch).slice(0, 2), { epoch, events: events.slice(1, 3) }, batch, batch);
    expect(seen.events).toEqual(events);
    const asked = { ...log.asked };
    vi.advanceTimersByTime(200);
    expect(log.asked).toEqual(asked);
  });

  test('in any order, within the patience', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const batch = await write(5);
    const parts = bySeq(batch);
    const { readAfter } = log.asked;
    for (const index of [3, 1, 4, 2]) bus.deliver(only(parts, index));
    expect(seen.events).toEqual([]);
    bus.deliver(only(parts, 0));
    expect(seen.events).toEqual(batch.events);
    expect(log.asked.readAfter).toBe(readAfter);
  });

  test('events read from the log are reported, those in a gap and those at the end, and not those that had arrived', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const reported: unknown[] = [];
    const feed = await open({ onRead: (events) => void reported.push(events) });
    const seen = listen(feed);
    const parts = bySeq(await write(6));
    bus.deliver(only(parts, 0), only(parts, 2), only(parts, 4));
    await until('the hole is filled', () => seen.events.length === 6);
    // The second and the fourth; the sixth is the end.
    expect(reported).toEqual([{ hole: 2, end: 1 }]);
    await write(3);
    vi.advanceTimersByTime(1000);
    await until('the end is found', () => seen.events.length === 9);
    expect(reported.slice(1)).toEqual([{ hole: 0, end: 3 }]);
    vi.advanceTimersByTime(1000);
    bus.deliver(await write(1));
    await until('it is there', () => seen.events.length === 10);
    expect(reported).toHaveLength(2);
  });

  test('not at all: what is missing is read from the log once the patience is over', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
    const feed = await open();
    const seen = listen(feed);
    const batch = await write(5);
    const parts = bySeq(batch);
    bus.deliver(only(parts, 0), only(parts, 2));
    expect(seen.events).toEqual(batch.events.slice(0, 1));
    vi.advanceTimersByTime(49);
    bus.deliver(only(parts, 4));
    expect(log.asked.readAfter).toBe(0);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await until('the events are there', () => seen.events.length === 5);
    expect(seen.events).toEqual(batch.events);
    expect(log.asked.readAfter).toBe(1);
  });

  test('late: read from the log meanwhile, and not delivered again', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const batch = await write(2);
    const parts = bySeq(batch);
    bus.deliver(only(parts, 1));
    await until('the events are there', () => seen.events.length === 2);
    bus.deliver(...parts);
    expect(seen.events).toEqual(batch.events);
  });

  test('a hole that opens while the end of the log is being looked at is filled soon as well', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const first = await write(2);
    // A look is under way, and has read the end already, when the next events come, with a hole.
    bus.deliver(only(bySeq(first), 1));
    log.hold();
    await until('the look is under way', () => log.held.end === 1);
    const second = await write(2);
    bus.deliver(first, only(bySeq(second), 1));
    await new Promise((resolve) => {
      setTimeout(resolve, 100); // past the patience: this reading is still in flight
    });
    expect(seen.events).toEqual(first.events);
    log.release();
    await until('the hole is filled', () => seen.events.length === 4);
    expect(seen.events).toEqual([...first.events, ...second.events]);
  });

  test('hundreds of batches shuffled, some lost, some twice, to many listeners alike', async () => {
    const feed = await open();
    const listeners = Array.from({ length: 5 }, () => listen(feed));
    const { epoch, events } = await write(600);
    let state = 5;
    const random = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
    const parts = events
      .map((event) => ({ batch: { epoch, events: [event] }, at: event.seq + random() * 40 }))
      .filter(() => random() > 0.05)
      .flatMap((part) => (random() < 0.1 ? [part, { ...part, at: part.at + 50 }] : [part]))
      .toSorted((a, b) => a.at - b.at);
    for (const [index, { batch }] of parts.entries()) {
      bus.deliver(batch);
      if (index % 20 === 0) await new Promise(setImmediate);
    }
    await until('all of them came', () => listeners.every((seen) => seen.events.length >= 600));
    for (const seen of listeners)
      expect(seen.events.map((event) => event.seq)).toEqual(events.map((event) => event.seq));
  });

  test('more than a page is missing', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const batch = await write(2_500);
    bus.deliver(only(bySeq(batch), 2_499));
    await until('the events are there', () => seen.events.length >= 2_500);
    expect(seen.events.map((event) => event.seq)).toEqual(batch.events.map((event) => event.seq));
  });
});

test('events of a process on another bus arrive by the look at the end, within about a second', async () => {
  const feed = await open();
  const seen = listen(feed);
  const batch = await write(3);
  await until('the events are there', () => seen.events.length === 3);
  expect(seen.events).toEqual(batch.events);
});

test('two nodes on buses of their own see the same', async () => {
  const [busA, busB] = [createLocalBus(), createLocalBus()];
  const [feedA, feedB] = [await open({ bus: busA }), await open({ bus: busB })];
  const [seenA, seenB] = [listen(feedA), listen(feedB)];
  const relayA = startRelay({ db, bus: busA, logger });
  try {
    const logA = createEventLog({ db, wake: () => relayA.wake() });
    const event = { type: 'something_happened', subjectId: uuid(), payload: {} };
    for (let count = 0; count < 20; count += 1)
      await db.transaction((tx) => logA.append(tx, new Date(), [event, event]));
    await until('both have them', () => seenA.events.length >= 40 && seenB.events.length >= 40);
    expect(seenB.events).toEqual(seenA.events);
  } finally {
    await relayA[Symbol.asyncDispose]();
  }
});

test('if the end of the log cannot be read for a while, that is logged, and the events are delivered afterwards', async () => {
  const { logger: recording, logs } = recordLogs();
  let down = true;
  const flaky: EventLog = {
    ...real,
    readAfter: (seq, limit) => (down ? Promise.reject(new Error('no database')) : real.readAfter(seq, limit)),
  };
  const feed = await open({ log: flaky, logger: recording });
  const seen = listen(feed);
  const batch = await write(2);
  bus.deliver(only(bySeq(batch), 1));
  await until('it is said', () => logs.length > 0);
  down = false;
  await until('it is caught up', () => seen.events.length === 2);
  expect(seen.events).toEqual(batch.events);
});

test('batches that come while the feed starts are not lost', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const before = await write();
  log.hold();
  const starting = open();
  await until('the end is read', () => log.held.end === 1);
  const early = await write(2);
  bus.deliver(before, early);
  log.release();
  const feed = await starting;
  expect(feed.position()).toEqual({ epoch: early.epoch, seq: early.events[1]?.seq });
  const seen = listen(feed);
  const later = await write();
  bus.deliver(later);
  expect(seen.events).toEqual(later.events);
});

test('a feed that cannot start leaves nothing on the bus', async () => {
  await expect(
    startFeed({ log: { ...real, end: () => Promise.reject(new Error('no database')) }, bus, logger }),
  ).rejects.toThrow('no database');
  expect(bus.listeners.size).toBe(0);
});

describe('the log was replaced', () => {
  async function replace(): Promise<string> {
    const [row] = await db.query<{ epoch: string }>({
      name: 'test_replace',
      text: `UPDATE event_sequence SET epoch = encode(substring(uuid_send(gen_random_uuid()) from 1 for 8), 'hex') RETURNING epoch`,
    });
    return row?.epoch ?? '';
  }

  test('by one of another epoch: every listener gets a reset and no further event', async () => {
    const feed = await open();
    const seen = [listen(feed), listen(feed)];
    const { events } = await write();
    await until('the event is there', () => seen[0]?.events.length === 1);
    const epoch = await replace();
    await until('they are reset', () => seen.every((one) => one.resets === 1));
    expect(feed.position()).toEqual({ epoch, seq: events[0]?.seq });
    expect(feed.listeners).toBe(0);

    const newcomer = listen(feed);
    const batch = await write();
    bus.deliver(batch);
    expect(newcomer.events).toEqual(batch.events);
    expect(seen.map((one) => [one.events.length, one.resets])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test('a batch of another epoch is not believed, but is reason to look at once', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const old = await write();
    const epoch = await replace();
    const batch = await write();
    bus.deliver(batch);
    await until('it is reset', () => seen.resets === 1);
    expect(seen.events).toEqual([]);
    expect(feed.position()).toEqual({ epoch, seq: batch.events[0]?.seq });
    // What comes late from the old log is passed over.
    bus.deliver(old);
    expect(log.asked.end).toBe(3);
    // Waits until that look is over.
    await feed[Symbol.asyncDispose]();
    expect(feed.position()).toEqual({ epoch, seq: batch.events[0]?.seq });
  });

  test('by an older copy of itself, which ends before what was delivered', async () => {
    const feed = await openWithoutTail();
    const { seq } = feed.position();
    const { epoch, events } = await write(3);
    const seen = listen(feed);
    bus.deliver({ epoch, events });
    await db.query({ name: 'test_shorten', text: 'DELETE FROM event_log WHERE seq > $1' }, [seq + 1]);
    await db.query({ name: 'test_end', text: 'UPDATE event_sequence SET last = $1' }, [seq + 1]);
    bus.deliver({ epoch: 'another', events: [] });
    await until('it is reset', () => seen.resets === 1);
    expect(feed.position()).toEqual({ epoch, seq: seq + 1 });
  });

  test('and pruned beyond the last delivered event: listeners get a reset, since the missing events are gone', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    const gone = await write(3);
    await db.query({ name: 'test_prune', text: 'DELETE FROM event_log WHERE seq = ANY($1::bigint[])' }, [
      gone.events.map((event) => event.seq),
    ]);
    bus.deliver(only(bySeq(gone), 2));
    await until('it is reset', () => seen.resets === 1);
    expect(seen.events).toEqual([]);
    expect(feed.position()).toEqual({ epoch: gone.epoch, seq: gone.events[2]?.seq });
    const newcomer = listen(feed);
    const batch = await write();
    bus.deliver(batch);
    expect(newcomer.events).toEqual(batch.events);

    // The same where something is left after the gap.
    const partly = await write(3);
    await db.query({ name: 'test_prune_seq', text: 'DELETE FROM event_log WHERE seq = $1' }, [partly.events[0]?.seq]);
    bus.deliver(only(bySeq(partly), 1));
    await until('it is reset', () => newcomer.resets === 1);
    expect(newcomer.events).toEqual(batch.events);
    expect(feed.position()).toEqual({ epoch: partly.epoch, seq: partly.events[2]?.seq });
  });
});

test('a look at the end that races with arriving batches is no replaced log', async () => {
  const feed = await openWithoutTail();
  const seen = listen(feed);
  const first = await write(2);
  log.hold();
  bus.deliver(only(bySeq(first), 1));
  await until('the look is under way', () => log.held.end === 1);
  // It has read an end that these leave behind.
  const second = await write(3);
  bus.deliver(first, second);
  log.release();
  const third = await write(1);
  bus.deliver(third);
  expect(seen.events).toEqual([...first.events, ...second.events, ...third.events]);
  // Waits until the look is over.
  await feed[Symbol.asyncDispose]();
  expect(log.asked.readAfter).toBe(0);
  expect(seen.resets).toBe(0);
});

test('a listener that throws costs no other listener an event', async () => {
  const { logger: recording, logs } = recordLogs();
  const feed = await open({ logger: recording });
  feed.subscribe({
    event: () => {
      throw new Error('careless');
    },
    reset: () => {},
  });
  const seen = listen(feed);
  const batch = await write(3);
  bus.deliver(batch);
  expect(seen.events).toEqual(batch.events);
  expect(logs[0]).toMatchObject({ err: { message: 'careless' } });
});

test('a listener gets events from its subscription until it unsubscribes', async () => {
  const feed = await openWithoutTail();
  const [early, leaving] = [listen(feed), listen(feed)];
  const first = await write();
  bus.deliver(first);
  leaving.unsubscribe();
  leaving.unsubscribe();
  const late = listen(feed);
  expect(feed.listeners).toBe(2);
  const second = await write();
  bus.deliver(second);
  expect(early.events).toEqual([...first.events, ...second.events]);
  expect(leaving.events).toEqual(first.events);
  expect(late.events).toEqual(second.events);
});

describe('a closed feed leaves no timer and no listener on the bus, and delivers no further event', () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

  test.each(['the end is looked at', 'events are read'] as const)('while %s', async (when) => {
    const idle = timers();
    const feed = await open();
    const seen = listen(feed);
    const batch = await write(4);
    const parts = bySeq(batch);
    log.hold();
    bus.deliver(only(parts, 1));
    await until('the end is read', () => log.held.end === 1);
    if (when === 'events are read') {
      log.release();
      log.hold();
      await until('events are read', () => log.held.readAfter === 1);
    }
    // A hole that waits to be filled.
    bus.deliver(only(parts, 3));
    const asked = { ...log.asked };
    const closed = feed[Symbol.asyncDispose]();
    bus.deliver(batch);
    log.release();
    await closed;
    bus.deliver(batch);
    expect(seen.events).toEqual([]);
    expect(bus.listeners.size).toBe(0);
    expect(feed.listeners).toBe(0);
    await until('the timers are gone', () => timers() <= idle);
    expect(log.asked).toEqual(asked);
    await feed[Symbol.asyncDispose]();
  });
});

describe('a feed is current', () => {
  test('unless an event is missing, the bus is away, or the end of the log was not seen for five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
    let isJoined = true;
    const feed = await open({ bus: Object.assign(bus, { isJoined: () => isJoined }) });
    expect(feed.isCurrent()).toBe(true);
    isJoined = false;
    expect(feed.isCurrent()).toBe(false);
    isJoined = true;
    const parts = bySeq(await write(2));
    bus.deliver(only(parts, 1));
    expect(feed.isCurrent()).toBe(false);
    bus.deliver(only(parts, 0));
    expect(feed.isCurrent()).toBe(true);
    log.hold();
    vi.advanceTimersByTime(4999);
    expect(feed.isCurrent()).toBe(true);
    vi.advanceTimersByTime(1);
    expect(feed.isCurrent()).toBe(false);
  });

  test('unless two looks in a row found events that no batch had', async () => {
    const feed = await openWithoutTail();
    const seen = listen(feed);
    for (const [index, isCurrent] of [true, false].entries()) {
      await write();
      vi.advanceTimersByTime(1000);
      await until('the event is read', () => seen.events.length === index + 1);
      expect(feed.isCurrent()).toBe(isCurrent);
    }
    vi.advanceTimersByTime(1000);
    await until('a look found nothing', () => feed.isCurrent());
  });
});
