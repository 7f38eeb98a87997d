import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from './logger.ts';

/** What a process does by the clock, beside other processes that do the same. */
export interface Recurring {
  /** Between two starts. Where a run takes longer, the starts that fall into it are left out. */
  ms: number;
  /** Whether the first run begins at once; else it waits for its time like the others. */
  atOnce: boolean;
  /** The signal tells it to end soon. */
  run: (signal: AbortSignal) => Promise<void>;
  /** What the log says of a run that failed; the next one comes all the same. */
  failed: string;
  /** How loud that is. */
  level?: 'warn' | 'error';
  logger: Logger;
  /** Disposal waits for the run in hand, but no longer than this; unless set, until it ends. */
  closeWithinMs?: number;
}

/** Does something at intervals, never twice at the same time, until it is disposed of. */
export function every(recurring: Recurring): AsyncDisposable {
  const { ms, atOnce, failed, level = 'warn', logger, closeWithinMs } = recurring;
  const stop = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      await recurring.run(stop.signal);
    } catch (error) {
      // What is cut off by the end of the shop is no fault.
      if (!stop.signal.aborted) logger[level]({ err: error }, failed);
    }
  }

  function start(): void {
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  const timer = setInterval(start, ms);
  if (atOnce) start();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await (closeWithinMs === undefined
        ? running
        : Promise.race([running, delay(closeWithinMs, undefined, { ref: false })]));
    },
  };
}
