import type { Cursor } from './cursor.ts';
import type { StoredEvent } from './event.ts';
import type { EventFeed } from './feed.ts';
import type { Turn } from '../infra/limits/keyed-semaphore.ts';
import { patiently } from './patience.ts';
import { CursorExpiredError, type EventFilter, type Replay } from './replay.ts';

/** Where a reader goes on that was here before. */
export interface Resumption {
  /** The last event that was seen; `replay.check` has accepted it. */
  after: Cursor;
  replay: Replay;
  /** Waits for a turn before the log is read; the turn ends when the stream is live or has left. Omitted: no waiting. */
  queue?: (() => Turn) | undefined;
  /** What to read of the log: at least all that is wanted. Asked for once, and only where the log has to be read. */
  filter: () => EventFilter | Promise<EventFilter>;
}

/** Leads a reader from its place in the log to the log's living end. */
export interface CatchUp {
  readonly epoch: string;
  /**
   * The next events, in order. Where none are missing `attach` is called instead, in the very tick in which that was found,
   * with the number after which the reader is live; null is given then.
   * @throws CursorExpiredError where the log does not lead on from here
   */
  step(attach: (seq: number) => void): Promise<readonly StoredEvent[] | null>;
  /** The reader goes before it is live. */
  leave(): void;
}

/** Taken from memory at a time. */
const STRIDE = 1000;

/**
 * Begins at the feed's current position, or after a cursor. Events that the node no longer has in memory are read from the log, a page
 * at a time and only on demand. Then come the events in memory, up to the feed's position, and the reader subscribes to the feed in the
 * same tick. The feed delivers later events synchronously, so there is no gap and no repetition whatever is committed in between, and
 * memory stays bounded however old the cursor is.
 */
export function createCatchUp(feed: EventFeed, resume: Resumption | null): CatchUp {
  const { epoch, seq: start } = resume?.after ?? feed.position();
  // A node may be behind the cursor that another one gave: then nothing is missing, and what comes up to it is passed over.
  let seq = start;
  let filter: Promise<EventFilter> | undefined;
  let turn: Turn | undefined;
  let left = false;

  async function readLog({ replay, filter: ask, queue }: Resumption): Promise<readonly StoredEvent[]> {
    if (turn === undefined && queue !== undefined) {
      turn = queue();
      await turn.come;
    }
    if (left) return [];
    const read = async () => {
      filter ??= Promise.resolve(ask());
      // What could not be found out is asked again.
      filter.catch(() => (filter = undefined));
      return replay.read({ epoch, seq }, feed.position().seq, await filter);
    };
    const part = await patiently(read, { isOver: () => left });
    seq = part.through;
    return part.events;
  }

  function leave(): void {
    left = true;
    turn?.leave();
  }

  async function step(attach: (seq: number) => void): Promise<readonly StoredEvent[] | null> {
    if (feed.position().epoch !== epoch) throw new CursorExpiredError();
    const missing = feed.since(seq);
    if (missing === null) {
      // Who began at the feed's position and let ten thousand events pass before the first step.
      if (resume === null) throw new CursorExpiredError();
      return readLog(resume);
    }
    if (missing.length === 0) {
      turn?.leave();
      attach(seq);
      return null;
    }
    const stride = missing.slice(0, STRIDE);
    seq += stride.length;
    return stride;
  }

  return {
    epoch,
    async step(attach) {
      try {
        return await step(attach);
      } catch (error) {
        leave();
        throw error;
      }
    },
    leave,
  };
}
