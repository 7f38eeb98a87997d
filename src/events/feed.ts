import type { Logger } from '../infra/logger.ts';
import type { EventBatch, EventBus } from './bus.ts';
import type { Cursor } from './cursor.ts';
import type { StoredEvent } from './event.ts';
import type { EventLog } from './event-log.ts';

/*
 * The feed is a node's view of the log's growing end: every event once, in order of seq, whatever the bus does. Batches may
 * come late, twice, out of order or not at all. An event that is not the next one is put aside; where the gap before it has
 * not closed within 50 ms, what is missing is read from the log. Once a second the end of the log is looked at, for events
 * that no batch announced (a relay that died between commit and publish, a process on another bus). Where the log itself does
 * not lead on from here (it was replaced, or pruned beyond this position) listeners are notified, and never skip events silently.
 */

/** Callbacks of a listener of the feed. They must not throw or block. */
export interface FeedListener {
  event(event: StoredEvent): void;
  /** The log does not lead on from the last event: it was replaced, or pruned beyond it. No event follows. */
  reset(): void;
}

/** The events of this node, in order. */
export interface EventFeed extends AsyncDisposable {
  /** The last event that was delivered. */
  position(): Cursor;
  /**
   * Whether events arrive as they should: none is known to be missing, the bus is there, and the log's end was looked at a moment
   * ago. Where not, what the node knows of changes may be seconds old.
   */
  isCurrent(): boolean;
  /**
   * The events after `seq` that the node still has in memory, in order: the latest ten thousand. Null where the log has to
   * be asked for some of them.
   */
  since(seq: number): readonly StoredEvent[] | null;
  /** How many subscribers there are, without those that are not counted. */
  readonly listeners: number;
  /**
   * Delivers each later event, synchronously and in order.
   * @param options.isCounted false for a part of the node itself, which listens for as long as the node runs
   * @returns a function that ends it
   */
  subscribe(listener: FeedListener, options?: { isCounted: boolean }): () => void;
}

/** Number of events that no batch contained, by where they were missing. */
export interface EventsRead {
  /** Later ones had come. */
  hole: number;
  /** None had come that is later. */
  end: number;
}

const GAP_PATIENCE_MS = 50;
const TAIL_INTERVAL_MS = 1000;
const PAGE = 1000;
/** Without a successful look at the log's end for this long, the node may have missed anything. */
const LOOK_PATIENCE_MS = 5000;
/** Looks in a row that found events which no batch had announced: then batches are lost on their way. */
const MAX_SURPRISES = 2;
/** Beyond this many events put aside there is no point in waiting for the gap to close by itself. */
const MAX_ASIDE = 10_000;

/** The latest events, for those who were away for a moment. */
const MAX_RECENT = 10_000;

/** Attaches to the bus at the log's present end. */
export async function startFeed(options: {
  log: EventLog;
  bus: EventBus;
  logger: Logger;
  /** Called with the number of events read from the log because no batch contained them. */
  onRead?: (events: EventsRead) => void;
}): Promise<EventFeed> {
  const { log, bus, logger, onRead = () => {} } = options;
  const listeners = new Set<FeedListener>();
  const uncounted = new WeakSet<FeedListener>();
  const aside = new Map<number, StoredEvent>();
  // Contiguous, up to the position. Cut when it is twice as long as it is meant to be: not at each event.
  let recent: StoredEvent[] = [];
  // Batches that come before the end is known wait in `early`.
  let early: EventBatch[] | undefined = [];
  let epoch = '';
  let seq = 0;
  let gapTimer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;
  let lookedAt = performance.now();
  let surprises = 0;
  let disposed = false;

  function receive(batch: EventBatch): void {
    if (disposed) return;
    if (early !== undefined) {
      early.push(batch);
      return;
    }
    // Another log's batch: its numbers mean nothing here. The look at the log's end finds out.
    if (batch.epoch !== epoch) readMissing();
    else accept(batch.events);
  }

  function accept(events: readonly StoredEvent[]): void {
    if (disposed) return;
    for (const event of events) if (event.seq > seq) aside.set(event.seq, event);
    for (let next = aside.get(seq + 1); next !== undefined; next = aside.get(seq + 1)) {
      aside.delete(next.seq);
      seq = next.seq;
      recent.push(next);
      if (recent.length >= 2 * MAX_RECENT) recent = recent.slice(-MAX_RECENT);
      for (const listener of listeners) notify(() => listener.event(next));
    }
    mindGap();
  }

  /** An error of one listener must not cost the others an event. */
  function notify(call: () => void): void {
    try {
      call();
    } catch (error) {
      logger.error({ err: error }, 'event listener failed');
    }
  }

  /** Sees to it that what was put aside does not stay there. */
  function mindGap(): void {
    if (aside.size === 0) {
      clearTimeout(gapTimer);
      gapTimer = undefined;
    } else if (aside.size > MAX_ASIDE) {
      readMissing();
    } else if (!disposed) {
      gapTimer ??= setTimeout(() => {
        gapTimer = undefined;
        readMissing();
      }, GAP_PATIENCE_MS);
    }
  }

  /** Reads what the log has beyond this node's position; one such reading at a time. */
  function readMissing(): void {
    if (disposed) return;
    reading ??= catchUp()
      // A gap may have opened behind the end that this reading saw.
      .then(mindGap)
      .catch((error: unknown) => logger.warn({ err: error }, 'the event log could not be read; retrying in 1 s'))
      .finally(() => {
        reading = undefined;
      });
  }

  async function catchUp(): Promise<void> {
    // Compared with the position of before the look: batches move it on while the look is under way.
    const before = seq;
    const began = performance.now();
    const end = await log.end();
    let missing = 0;
    if (end.epoch !== epoch || end.seq < before) {
      restart(end, 'the event log was replaced');
      return;
    }
    while (seq < end.seq && !disposed) {
      const page = await log.readAfter(seq, PAGE);
      // Numbers are contiguous: what is in neither the log nor a batch no longer exists.
      if ((page[0]?.seq ?? end.seq + 1) > seq + 1 && seq < end.seq) {
        restart(end, 'the event log was pruned beyond this position');
        return;
      }
      missing += reportMissing(page);
      accept(page);
    }
    lookedAt = began;
    surprises = missing > 0 ? surprises + 1 : 0;
  }

  /** Reports the events of a page that no batch had contained. @returns their number */
  function reportMissing(page: readonly StoredEvent[]): number {
    let highest = 0;
    for (const put of aside.keys()) if (put > highest) highest = put;
    const missing = page.filter((event) => event.seq > seq && !aside.has(event.seq));
    const hole = missing.filter((event) => event.seq < highest).length;
    if (missing.length > 0) onRead({ hole, end: missing.length - hole });
    return missing.length;
  }

  function restart(end: Cursor, why: string): void {
    logger.error({ from: { epoch, seq }, to: end }, `${why}; ending subscriptions`);
    aside.clear();
    recent = [];
    ({ epoch, seq } = end);
    const ended = [...listeners];
    listeners.clear();
    for (const listener of ended) notify(() => listener.reset());
  }

  const unsubscribe = await bus.subscribe(receive);
  try {
    ({ epoch, seq } = await log.end());
  } catch (error) {
    unsubscribe();
    throw error;
  }
  const waiting = early;
  early = undefined;
  for (const batch of waiting) receive(batch);
  const tail = setInterval(readMissing, TAIL_INTERVAL_MS);

  return {
    position: () => ({ epoch, seq }),
    isCurrent: () =>
      !disposed &&
      aside.size === 0 &&
      surprises < MAX_SURPRISES &&
      bus.isJoined?.() !== false &&
      performance.now() - lookedAt < LOOK_PATIENCE_MS,
    since(after) {
      const missing = seq - after;
      if (missing <= 0) return [];
      return missing > recent.length || missing > MAX_RECENT ? null : recent.slice(-missing);
    },
    get listeners() {
      return [...listeners].filter((listener) => !uncounted.has(listener)).length;
    },
    subscribe(listener, { isCounted } = { isCounted: true }) {
      listeners.add(listener);
      if (!isCounted) uncounted.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      clearInterval(tail);
      clearTimeout(gapTimer);
      unsubscribe();
      await reading;
      listeners.clear();
    },
  };
}
