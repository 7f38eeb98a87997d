import type { StoredEvent } from './event.ts';
import type { EventFeed } from './feed.ts';

/** The consumer took events more slowly than they came, and too many are waiting for it. */
export class LaggedError extends Error {
  constructor() {
    super('Too many events are waiting: subscribe again after the last cursor you saw.');
    this.name = 'LaggedError';
  }
}

/** The log that the stream was reading is no more. */
export class LogReplacedError extends Error {
  constructor() {
    super('The event log was replaced: read anew and subscribe again.');
    this.name = 'LogReplacedError';
  }
}

/** One event with its place in the log, and what was made of it for the stream. */
export interface StreamItem<T> {
  event: StoredEvent;
  epoch: string;
  value: T;
}

/**
 * Opens a stream of the events that `pick` wants, from the feed's present position on. They wait in a queue of at most
 * `capacity`; a consumer that lets it overflow gets a LaggedError in place of the next event.
 *
 * Written out as an iterator and not as an async generator: a generator's `return()` waits for the `next()` in flight, so
 * a subscriber that leaves while nothing happens would never be let go.
 *
 * @param options.pick a value for the consumer, or null to pass the event over. Called as the event arrives, so that what
 * it looks up for the events of one batch can be looked up together; what it promises is awaited in the events' order.
 */
export function openStream<T>(options: {
  feed: EventFeed;
  pick: (event: StoredEvent) => T | null | Promise<T | null>;
  capacity?: number;
}): AsyncIterableIterator<StreamItem<T>> {
  const { feed, pick, capacity = 1000 } = options;
  const { epoch } = feed.position();
  const queue: { event: StoredEvent; picked: T | Promise<T | null> }[] = [];
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
    unsubscribe();
    signal();
  }

  const unsubscribe = feed.subscribe({
    event(event) {
      const picked = pick(event);
      if (picked === null) return;
      if (queue.length >= capacity) {
        fail(new LaggedError());
        return;
      }
      // Whether it fails is for the consumer to find out, when its turn comes.
      if (picked instanceof Promise) picked.catch(() => {});
      queue.push({ event, picked });
      signal();
    },
    reset: () => fail(new LogReplacedError()),
  });

  function finish(): IteratorResult<StreamItem<T>> {
    done = true;
    queue.length = 0;
    unsubscribe();
    signal();
    return { done: true, value: undefined };
  }

  return {
    async next() {
      for (;;) {
        if (done) return { done: true, value: undefined };
        if (failure !== undefined) {
          const error = failure;
          finish();
          throw error;
        }
        const next = queue.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        const value = await next.picked;
        // The consumer may have left meanwhile.
        if (value !== null && !done) return { done: false, value: { event: next.event, epoch, value } };
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
