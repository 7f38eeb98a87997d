import { createCatchUp, type CatchUp, type Resumption } from './catch-up.ts';
import type { StoredEvent } from './event.ts';
import type { EventFeed } from './feed.ts';
import { patiently } from './patience.ts';

/** The consumer took events more slowly than they came, and too many are waiting for it. */
export class LaggedError extends Error {
  constructor() {
    super('The subscriber reads too slowly. Subscribe again after the last cursor received.');
    this.name = 'LaggedError';
  }
}

/** The log that the stream was reading is no more. */
export class LogReplacedError extends Error {
  constructor() {
    super('The event log was replaced. Run the query again and subscribe after its cursor.');
    this.name = 'LogReplacedError';
  }
}

/** One event with its place in the log, and what was made of it for the stream. */
export interface StreamItem<T> {
  event: StoredEvent;
  epoch: string;
  value: T;
}

/** What a stream is made of. */
export interface StreamSource<T> {
  feed: EventFeed;
  /**
   * A value for the consumer, or null to pass the event over. Called as the event arrives, so that what it looks up for the
   * events of one batch can be looked up together; what it promises is awaited in the events' order.
   */
  pick: (event: StoredEvent) => T | null | Promise<T | null>;
  /** Where it begins; left out or null: now. */
  resume?: Resumption | null;
  /** Events that may wait for a consumer that is live. */
  capacity?: number;
  /**
   * Present where `pick` remembers what it let through, so that its answers are one consumer's own. Called where another consumer goes
   * on with it: `pick` must not rely on what it remembers.
   */
  forget?: () => void;
}

/** A stream of events. Until its first `next()`, somebody else may go the way that it would have gone. */
export interface EventStream<T> extends AsyncIterableIterator<StreamItem<T>> {
  readonly source: StreamSource<T>;
  readonly catchUp: CatchUp;
}

/**
 * Opens a stream of the events that `pick` wants: from the feed's present position on, or from a cursor (see
 * `createCatchUp`). Once it is live they wait in a queue of at most `capacity`; a consumer that lets it overflow gets a
 * LaggedError in place of the next event.
 *
 * Written out as an iterator and not as an async generator: a generator's `return()` waits for the `next()` in flight, so
 * a subscriber that leaves while nothing happens would never be let go.
 *
 * One `next()` at a time.
 */
export function openStream<T>(source: StreamSource<T>): EventStream<T> {
  const { feed, pick, resume = null, capacity = 1000 } = source;
  const catchUp = createCatchUp(feed, resume);
  const { epoch } = catchUp;
  const queue: { event: StoredEvent; picked: T | null | Promise<T | null> }[] = [];
  let unsubscribe: (() => void) | undefined;
  let failure: Error | undefined;
  let done = false;
  let wake: (() => void) | undefined;

  function signal(): void {
    wake?.();
    wake = undefined;
  }

  function fail(error: Error): void {
    failure = error;
    queue.length = 0;
    unsubscribe?.();
    signal();
  }

  function enqueue(event: StoredEvent): void {
    const picked = pickFrom(pick, event);
    if (picked !== null) queue.push({ event, picked });
  }

  function attach(seq: number): void {
    if (done) return;
    unsubscribe = feed.subscribe({
      event(event) {
        if (event.seq <= seq) return;
        enqueue(event);
        if (queue.length > capacity) fail(new LaggedError());
        else signal();
      },
      reset: () => fail(new LogReplacedError()),
    });
  }

  function finish(): IteratorResult<StreamItem<T>> {
    done = true;
    catchUp.leave();
    queue.length = 0;
    unsubscribe?.();
    signal();
    return { done: true, value: undefined };
  }

  /** What `pick` made of an event; it is asked again where it failed. */
  function pickAgain({ event, picked: first }: (typeof queue)[number]): Promise<T | null> {
    const attempt = async (again: boolean) => await (again ? pickFrom(pick, event) : first);
    return patiently(attempt, { isOver: () => done });
  }

  async function take(): Promise<IteratorResult<StreamItem<T>>> {
    for (;;) {
      if (done) return { done: true, value: undefined };
      if (failure !== undefined) throw failure;
      const next = queue.shift();
      if (next !== undefined) {
        const value = await pickAgain(next);
        // The consumer may have left meanwhile.
        if (value !== null && !done) return { done: false, value: { event: next.event, epoch, value } };
      } else if (unsubscribe === undefined) {
        const events = await catchUp.step(attach);
        if (!done) for (const event of events ?? []) enqueue(event);
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  return {
    source,
    catchUp,
    async next() {
      try {
        return await take();
      } catch (error) {
        // A stream that went on after a failed pick would leave an event out.
        finish();
        throw error;
      }
    },
    return: async () => finish(),
    async throw(error: unknown) {
      finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** What goes wrong is the consumer's to find out when the event's turn comes, and no business of the feed's. */
export function pickFrom<T>(pick: StreamSource<T>['pick'], event: StoredEvent): T | null | Promise<T | null> {
  let picked: T | null | Promise<T | null>;
  try {
    picked = pick(event);
  } catch (error) {
    picked = Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
  if (picked instanceof Promise) picked.catch(() => {});
  return picked;
}
