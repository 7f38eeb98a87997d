import { setTimeout as delay } from 'node:timers/promises';
import type { BackendFactory, IQueueBackend } from 'bullmq';
import type { Logger } from '../infra/logger.ts';
import { within } from '../infra/within.ts';

/**
 * Settings of all workers: after how many milliseconds they try again when the queue is unavailable (BullMQ's default is 15 s), and how
 * often a job may stall before it counts as failed (BullMQ's default is once). An outage of the queue stalls every job in progress.
 */
export const SETTINGS = { runRetryDelay: 1000, maxStalledCount: 20 } as const;

interface Opened {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

/** How long a worker waits after its queue refused it a job. */
const PAUSE_MS = 1000;

/**
 * Makes workers wait a second after their request for the next job failed. BullMQ's workers wait only where the connection is
 * refused. On any other error they ask again at once: a Redis cluster that is down, a Redis without memory, a PostgreSQL that
 * starts, or a pool that was closed would keep the whole process busy, and nothing else in it would have its turn.
 */
export function paced<B extends IQueueBackend, C>(factory: BackendFactory<B, C>): BackendFactory<B, C> {
  return (...given) => {
    const backend = factory(...given);
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = async (...asked) => {
      try {
        return await moveToActive(...asked);
      } catch (error) {
        await delay(PAUSE_MS, undefined, { ref: false });
        throw error;
      }
    };
    return backend;
  };
}

/** Longer than any server takes that is well. */
const OPEN_WITHIN_MS = 5000;

/**
 * Waits for a queue or a worker to open.
 * @throws Error if it takes longer than five seconds
 */
export function inTime<T>(opening: Promise<T>): Promise<T> {
  return within(OPEN_WITHIN_MS, opening);
}

/** Waits until it is connected; closes what could not be, which BullMQ does not try again. */
export async function whenReady<T extends Opened>(opened: T, logger: Logger): Promise<T> {
  // An error event without a listener would end the process.
  opened.on('error', (error) => logger.debug({ reason: error.message }, 'the job queue is not reachable'));
  try {
    await inTime(opened.waitUntilReady());
    return opened;
  } catch (error) {
    // Not awaited: the other side may be gone.
    opened.close().catch(() => {});
    throw error;
  }
}

/** Wraps a function so that it runs once, for the first caller; after a failure, again for the next caller. */
export function onceOpened(open: () => Promise<void>): () => Promise<void> {
  let opening: Promise<void> | undefined;
  return () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
}
