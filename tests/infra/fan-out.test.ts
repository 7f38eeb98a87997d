import { buildSchema, parse, type ExecutionArgs } from 'graphql';
import { expect, test } from 'vitest';
import type { StoredEvent } from '../../src/events/event.ts';
import type { EventFeed, FeedListener } from '../../src/events/feed.ts';
import { LaggedError, type EventStream } from '../../src/events/stream.ts';
import type { Context } from '../../src/graphql/context/context.ts';
import type { EventText, Sink } from '../../src/graphql/context/sink.ts';
import { createEventQueue, type EventQueue } from '../../src/graphql/live/event-queue.ts';
import { createFanOut } from '../../src/graphql/live/fan-out.ts';
import { until } from '../support/until.ts';

/* What subscribers who catch up cost those who are live, and the memory of the node. The feed is one that the tests move. */

const schema = buildSchema('type Query { no: Int } type Subscription { value: String }');
const document = parse('subscription { value }');

type Make = (event: StoredEvent) => string | Promise<string>;

/** A fan-out with a feed that begins at event 0. */
function open(limits: { perTurn: number; waiting: number }) {
  const listeners = new Set<FeedListener>();
  const log: StoredEvent[] = [];
  const feed = {
    subscribe(listener: FeedListener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as EventFeed;
  const all = createEventQueue({ inFlight: 1_000, ...limits });
  let turns = 0;
  const queue: EventQueue = {
    run(...work) {
      turns += 1;
      return all.run(...work);
    },
  };
  const fanOut = createFanOut({ contextFor: () => ({}) as Context, queue, laneOf: () => '' });

  function streamFrom(after: number, make: Make, forget?: () => void): EventStream<unknown> {
    let seq = after;
    const catchUp = {
      epoch: 'e',
      async step(attach: (seq: number) => void) {
        const events = log.slice(seq);
        if (events.length === 0) attach(seq);
        seq = log.length;
        return events.length === 0 ? null : events;
      },
      leave: () => {},
    };
    const source = { feed, pick: make, ...(forget === undefined ? {} : { forget }) };
    return { catchUp, source } as unknown as EventStream<unknown>;
  }

  return {
    fanOut,
    /** How often executions have stood in line. */
    turns: () => turns,
    /** Adds events to the log, and notifies the listeners. */
    emit(count: number) {
      for (let i = 0; i < count; i += 1) {
        const event = { seq: log.length + 1 } as StoredEvent;
        log.push(event);
        for (const listener of listeners) listener.event(event);
      }
    },
    join(sink: Sink, of: { after: number; make?: Make; key?: string; cost?: number; forget?: () => void }) {
      const { after, make = ({ seq }) => String(seq), key = 'k', cost: eventCost = 1 } = of;
      const viewer = { user: null, guest: null };
      const shared = { key, viewer, viewerKey: 'public', isRecorded: false };
      const args = { schema, document, contextValue: { eventCost } } as unknown as ExecutionArgs;
      return fanOut.join(shared, args, streamFrom(after, make, of.forget), sink);
    },
  };
}

/** A sink that keeps what it is given. It has room for so many characters until `read` is called. */
class Kept implements Sink {
  readonly seen: string[] = [];
  readonly errors: Error[] = [];
  readonly #room: number;
  #unread = 0;
  #makeRoom: () => void = () => {};

  constructor(room = Number.POSITIVE_INFINITY) {
    this.#room = room;
  }

  get hasRoom(): boolean {
    return this.#unread < this.#room;
  }

  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#makeRoom = resolve;
    });
  }

  push({ text }: EventText): boolean {
    this.#unread += text.length;
    this.seen.push((JSON.parse(text) as { data: { value: string } }).data.value);
    return true;
  }

  read(): void {
    this.#unread = 0;
    this.#makeRoom();
  }

  cork(): void {}
  uncork(): void {}

  fail(error: Error): void {
    this.errors.push(error);
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

test.each([
  ['at once', ({ seq }: StoredEvent) => String(seq)],
  [
    'after a look at the database',
    ({ seq }: StoredEvent) => new Promise<string>((resolve) => void setImmediate(resolve, String(seq))),
  ],
])('many replays neither cut off nor delay those who are live, where events are picked %s', async (_name, make) => {
  const { fanOut, emit, join } = open({ perTurn: 10, waiting: 2_000 });
  emit(3_000);
  const live = new Kept();
  join(live, { after: 3_000, make });
  await until('it is live', () => fanOut.state().live === 1);
  // A hundred events apart: nobody finds an execution of another reader.
  const readers = Array.from({ length: 30 }, (_, index) => ({ sink: new Kept(), after: index * 100 }));
  for (const { sink, after } of readers) join(sink, { after, make });
  await until('the replays are under way', () => fanOut.state().executions > 500);
  const before = fanOut.state().executions;
  emit(1);
  await until('the event arrives', () => live.seen.length > 0 || live.errors.length > 0);
  // Some turns, in each of which the live event had its share.
  expect(fanOut.state().executions - before).toBeLessThan(200);
  await until(
    'all have caught up',
    () => fanOut.state().live === 31 || readers.some(({ sink }) => sink.errors.length > 0),
  );
  for (const { sink, after } of readers) {
    expect(sink.errors).toEqual([]);
    expect(sink.seen).toEqual(numbers(after + 1, 3_001));
  }
  expect(live.seen).toEqual(['3001']);
});

test.each([
  ['cheap events stand in line together', 1, 25],
  ['a piece of dear events costs no more than one of them', 60, 1_000],
])('of a thousand past events, %s', async (_name, cost, most) => {
  const { fanOut, emit, join, turns } = open({ perTurn: 1_000, waiting: 10_000 });
  emit(1_000);
  const sink = new Kept();
  join(sink, { after: 0, cost });
  await until('it has caught up', () => fanOut.state().live === 1);
  expect(sink.seen).toEqual(numbers(1, 1_000));
  expect(fanOut.state().executions).toBe(1_000);
  expect(turns()).toBeLessThanOrEqual(most);
  // Together, a thousand of the dear ones would keep live events waiting.
  if (cost > 50) expect(turns()).toBe(1_000);
});

test('a reader at the same place shares the executions of a portion, and its failure', async () => {
  const { fanOut, emit, join } = open({ perTurn: 1_000, waiting: 10_000 });
  emit(50);
  const make = ({ seq }: StoredEvent) =>
    seq === 30
      ? Promise.reject(new Error('no such event'))
      : new Promise<string>((resolve) => void setImmediate(resolve, String(seq)));
  const [one, two] = [new Kept(), new Kept()];
  join(one, { after: 0, make });
  join(two, { after: 0, make });
  await until('both have failed', () => one.errors.length + two.errors.length === 2);
  for (const sink of [one, two]) {
    expect(sink.seen).toEqual(numbers(1, 29));
    expect(sink.errors.map(({ message }) => message)).toEqual(['no such event']);
  }
  expect(fanOut.state().executions).toBe(49);
});

const long = ({ seq }: StoredEvent) => `${seq}`.padEnd(20_000);

test('a reader who reads nothing has executions only for what there is room for', async () => {
  const { fanOut, emit, join } = open({ perTurn: 1_000, waiting: 10_000 });
  emit(500);
  const sink = new Kept(64_000);
  join(sink, { after: 0, make: long });
  await until('it has no room', () => !sink.hasRoom);
  // Whoever comes later, and reads, is live: nothing is on its way any more.
  const quick = new Kept();
  join(quick, { after: 499, key: 'another' });
  await until('it is live', () => fanOut.state().live === 1);
  expect(fanOut.state().executions).toBeLessThan(10);
  while (sink.seen.length < 500) {
    await until('there is no room', () => !sink.hasRoom || sink.seen.length === 500);
    sink.read();
  }
  expect(sink.seen.map((text) => text.trim())).toEqual(numbers(1, 500));
});

test.each([
  ['', undefined],
  [', and whose events are its own', () => {}],
])('a reader whose texts become long suddenly gets each event once, in order%s', async (_name, forget) => {
  const { fanOut, emit, join } = open({ perTurn: 1_000, waiting: 10_000 });
  emit(400);
  const picked: number[] = [];
  const make = (event: StoredEvent) => {
    picked.push(event.seq);
    return event.seq > 150 ? long(event) : String(event.seq);
  };
  const sink = new Kept(64_000);
  join(sink, { after: 0, make, ...(forget === undefined ? {} : { forget }) });
  while (fanOut.state().live === 0) {
    await until('there is no room', () => !sink.hasRoom || fanOut.state().live === 1);
    sink.read();
  }
  expect(sink.seen.map((text) => text.trim())).toEqual(numbers(1, 400));
  // What is remembered of an event must be remembered once.
  if (forget !== undefined) expect(picked).toHaveLength(400);
});

test('an event that fails ends those who were live before it, and nobody who came after it', async () => {
  const { fanOut, emit, join } = open({ perTurn: 1_000, waiting: 10_000 });
  let fail: (error: Error) => void = () => {};
  const make = ({ seq }: StoredEvent) =>
    seq === 1 ? new Promise<string>((_resolve, reject) => void (fail = reject)) : String(seq);
  const [before, after] = [new Kept(), new Kept()];
  join(before, { after: 0, make });
  await until('it is live', () => fanOut.state().live === 1);
  emit(1);
  join(after, { after: 1, make });
  await until('it is live', () => fanOut.state().live === 2);
  fail(new LaggedError());
  await until('the first one has the error', () => before.errors.length > 0);
  emit(1);
  await until('the second one goes on', () => after.seen.length + after.errors.length > 0);
  expect(after).toMatchObject({ seen: ['2'], errors: [] });
});
