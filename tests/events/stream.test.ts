import { describe, expect, test, vi } from 'vitest';
import type { StoredEvent } from '../../src/events/event.ts';
import type { EventFeed, FeedListener } from '../../src/events/feed.ts';
import { LaggedError, LogReplacedError, openStream, type StreamItem } from '../../src/events/stream.ts';

/** A feed by hand. */
function handFeed() {
  const listeners = new Set<FeedListener>();
  const recent: StoredEvent[] = [];
  let seq = 0;
  const feed: EventFeed = {
    isCurrent: () => true,
    position: () => ({ epoch: '00112233aabbccdd', seq }),
    since: (after) => recent.filter((event) => event.seq > after),
    get listeners() {
      return listeners.size;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return {
    feed,
    /** Delivers so many more events. */
    emit(count = 1): void {
      for (let index = 0; index < count; index += 1) {
        seq += 1;
        const event: StoredEvent = { seq, type: 'happened', subjectId: 'x', payload: {}, occurredAt: new Date(0) };
        recent.push(event);
        for (const listener of listeners) listener.event(event);
      }
    },
    reset(): void {
      for (const listener of [...listeners]) listener.reset();
    },
  };
}

const seqOf = (event: StoredEvent) => event.seq;
const DONE = { done: true, value: undefined };

/** Takes so many values. */
async function take<T>(stream: AsyncIterator<StreamItem<T>>, count: number): Promise<T[]> {
  const values: T[] = [];
  while (values.length < count) {
    const { value, done } = await stream.next();
    if (done === true) throw new Error(`it ended after ${values.length}`);
    values.push(value.value);
  }
  return values;
}

/** A promise that is settled from outside. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

test('gives what is picked, with its place; from the moment it is opened, not from the first next()', async () => {
  const { feed, emit } = handFeed();
  emit();
  const stream = openStream({ feed, pick: (event) => (event.seq % 2 === 0 ? `no. ${event.seq}` : null) });
  emit(3);
  expect(await stream.next()).toMatchObject({
    done: false,
    value: { epoch: '00112233aabbccdd', event: { seq: 2 }, value: 'no. 2' },
  });
  expect(await take(stream, 1)).toEqual(['no. 4']);
  await stream.return?.();
});

test('an event that comes while next() waits ends the waiting', async () => {
  const { feed, emit } = handFeed();
  const stream = openStream({ feed, pick: seqOf });
  const waiting = take(stream, 3);
  emit();
  await Promise.resolve();
  emit(2);
  expect(await waiting).toEqual([1, 2, 3]);
  await stream.return?.();
});

describe('a consumer that is too slow', () => {
  test('gets LaggedError in place of the next event, and leaves the feed at once', async () => {
    const { feed, emit } = handFeed();
    const stream = openStream({ feed, pick: seqOf, capacity: 3 });
    const first = take(stream, 1);
    emit(1);
    expect(await first).toEqual([1]);
    emit(3);
    expect(feed.listeners).toBe(1);
    emit(1);
    expect(feed.listeners).toBe(0);
    emit(1);
    await expect(stream.next()).rejects.toThrow(LaggedError);
    expect(await stream.next()).toEqual(DONE);
  });

  test('is not behind for events that it does not want', async () => {
    const { feed, emit } = handFeed();
    const stream = openStream({ feed, pick: (event) => (event.seq > 1000 ? event.seq : null), capacity: 1 });
    emit(1001);
    expect(await take(stream, 1)).toEqual([1001]);
    await stream.return?.();
  });

  test('takes as many as fit, however long it waited', async () => {
    const { feed, emit } = handFeed();
    const stream = openStream({ feed, pick: seqOf });
    emit(1000);
    expect(await take(stream, 1000)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
    await stream.return?.();
  });
});

describe('leaving', () => {
  test('while next() waits ends it at once and lets the feed go', async () => {
    const { feed, emit } = handFeed();
    const stream = openStream({ feed, pick: seqOf });
    const waiting = stream.next();
    expect(await stream.return?.()).toEqual(DONE);
    expect(await waiting).toEqual(DONE);
    expect(feed.listeners).toBe(0);
    emit();
    expect(await stream.next()).toEqual(DONE);
    expect(await stream.return?.()).toEqual(DONE);
  });

  test('while a pick is being awaited gives nothing more', async () => {
    const { feed, emit } = handFeed();
    const picked = deferred<string>();
    const stream = openStream({ feed, pick: () => picked.promise });
    emit();
    const waiting = stream.next();
    await stream.return?.();
    picked.resolve('too late');
    expect(await waiting).toEqual(DONE);
  });

  test('by throw() lets the feed go as well', async () => {
    const { feed } = handFeed();
    const stream = openStream({ feed, pick: seqOf });
    await expect(stream.throw?.(new Error('enough'))).rejects.toThrow('enough');
    expect(feed.listeners).toBe(0);
    expect(await stream.next()).toEqual(DONE);
  });

  test('by break lets the feed go as well', async () => {
    const { feed, emit } = handFeed();
    const stream = openStream({ feed, pick: seqOf });
    emit(2);
    for await (const { value } of stream) {
      expect(value).toBe(1);
      break;
    }
    expect(feed.listeners).toBe(0);
  });
});

describe('picks that take their time', () => {
  test('are all begun as the events come, and awaited in the order of the events', async () => {
    const { feed, emit } = handFeed();
    const picks = [deferred<string | null>(), deferred<string | null>(), deferred<string | null>()];
    const begun: number[] = [];
    const stream = openStream({
      feed,
      pick(event) {
        begun.push(event.seq);
        return picks[event.seq - 1]?.promise ?? null;
      },
    });
    const first = stream.next();
    emit(3);
    expect(begun).toEqual([1, 2, 3]);
    picks[2]?.resolve('third');
    picks[1]?.resolve(null);
    picks[0]?.resolve('first');
    expect(await first).toMatchObject({ value: { value: 'first', event: { seq: 1 } } });
    expect(await stream.next()).toMatchObject({ value: { value: 'third', event: { seq: 3 } } });
    await stream.return?.();
  });

  test.each<[string, () => never | Promise<never>]>([
    ['are rejected', () => Promise.reject(new Error('no database'))],
    [
      'throw',
      () => {
        throw new Error('no database');
      },
    ],
  ])('and %s: the consumer gets the error when their turn comes, and no more events', async (_how, fail) => {
    const { feed, emit } = handFeed();
    const stream = openStream<number>({ feed, pick: (event) => (event.seq === 2 ? fail() : event.seq) });
    const other = openStream({ feed, pick: seqOf });
    const [first, others] = [take(stream, 1), take(other, 3)];
    emit(3);
    // Nobody looks at it for a while: that must not be an unhandled rejection.
    await new Promise(setImmediate);
    expect(await first).toEqual([1]);
    await expect(stream.next()).rejects.toThrow('no database');
    expect(await stream.next()).toEqual(DONE);
    expect(feed.listeners).toBe(1);
    expect(await others).toEqual([1, 2, 3]);
    await other.return?.();
  });
});

test('the log is replaced: the consumer gets an error, and events that waited for it are dropped', async () => {
  const { feed, emit, reset } = handFeed();
  const [waiting, behind] = [openStream({ feed, pick: seqOf }), openStream({ feed, pick: seqOf })];
  const firsts = [take(waiting, 1), take(behind, 1)];
  emit(3);
  expect(await Promise.all(firsts)).toEqual([[1], [1]]);
  expect(await take(waiting, 2)).toEqual([2, 3]);
  const next = waiting.next();
  reset();
  await expect(next).rejects.toThrow(LogReplacedError);
  await expect(behind.next()).rejects.toThrow(LogReplacedError);
  expect(feed.listeners).toBe(0);
});

describe('who reads the log after others', () => {
  /** A stream that goes on after an event that the feed has no more. */
  function behind(turn: { come: Promise<void>; leave: () => void }) {
    const { feed } = handFeed();
    const page = deferred<never>();
    const read = vi.fn(() => page.promise);
    const resume = {
      after: { epoch: '00112233aabbccdd', seq: 0 },
      replay: { check: () => Promise.resolve(), read },
      filter: () => ({ types: [], subjects: null }),
      queue: () => turn,
    };
    return { read, page, stream: openStream({ feed: { ...feed, since: () => null }, pick: seqOf, resume }) };
  }

  test('reads nothing before its turn, and gives its place up when it leaves', async () => {
    const come = deferred<void>();
    const leave = vi.fn(() => come.resolve());
    const { stream, read } = behind({ come: come.promise, leave });
    const next = stream.next();
    await stream.return?.();
    expect(await next).toEqual(DONE);
    expect(leave).toHaveBeenCalledOnce();
    expect(read).not.toHaveBeenCalled();
  });

  test('makes way when it leaves in the midst of a page, and when the log cannot be read', async () => {
    const leave = vi.fn();
    const { stream, read, page } = behind({ come: Promise.resolve(), leave });
    const next = stream.next();
    await vi.waitFor(() => expect(read).toHaveBeenCalledOnce());
    expect(leave).not.toHaveBeenCalled();
    await stream.return?.();
    expect(leave).toHaveBeenCalled();
    page.reject(new Error('no database'));
    await expect(next).rejects.toThrow('no database');

    const gone = vi.fn();
    const other = behind({ come: Promise.resolve(), leave: gone });
    other.read.mockImplementation(() => Promise.reject(new Error('no database')));
    await expect(other.stream.next()).rejects.toThrow('no database');
    expect(gone).toHaveBeenCalled();
  });
});
