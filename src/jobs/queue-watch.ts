import { every } from '../infra/every.ts';
import type { Logger } from '../infra/logger.ts';
import type { JobBackend } from './backend.ts';
import { inTime } from './bullmq-settings.ts';

const LOOK_MS = 5_000;

/** Looks now and then whether jobs can be enqueued. */
export interface QueueWatch extends AsyncDisposable {
  /** Rejects with the cause where the last look failed. Waits for nothing. */
  check(): Promise<void>;
}

/** Starts looking; the job queue may be away for good though nobody enqueues anything, so nobody would find out. */
export function watchQueue(backend: Pick<JobBackend, 'check'>, logger: Logger, lookMs = LOOK_MS): QueueWatch {
  let cause: Error | null = null;

  async function look(): Promise<void> {
    try {
      await inTime(backend.check());
      if (cause !== null) logger.info('the job queue accepts jobs again');
      cause = null;
    } catch (error) {
      // The reason alone: an error of Redis holds the command that failed.
      const reason = describe(error);
      if (cause?.message !== reason)
        logger.warn({ reason }, 'the job queue does not accept jobs; timers do their work');
      cause = new Error(reason);
    }
  }

  const failed = 'the job queue could not be inspected';
  const looking = every({ ms: lookMs, atOnce: true, run: look, failed, logger, closeWithinMs: 500 });
  return {
    check: () => (cause === null ? Promise.resolve() : Promise.reject(cause)),
    [Symbol.asyncDispose]: () => looking[Symbol.asyncDispose](),
  };
}

function describe(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  // A refused connection to localhost is several errors in one, which has no message of its own.
  return message === '' ? (code ?? 'not reachable') : message;
}
