import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from './logger.ts';

/** What a process does by the clock, beside other processes that do the same. */
export interface Recurring {
  /** Milliseconds between two starts. Starts that fall into a longer run are skipped. */
  ms: number;
  /** Whether the first run begins immediately, or after the first interval. */
  atOnce: boolean;
  /** Does the work once. The signal is aborted when it should end soon. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Log message for a run that failed; the next one takes place all the same. */
  failed: string;
  /** Log level of that message. Defaults to `warn`. */
  level?: 'warn' | 'error';
  logger: Logger;
  /** Maximum number of milliseconds that disposal waits for the current run. Without it, until the run ends. */
  closeWithinMs?: number;
}

/** Does work at intervals, one run at a time, until it is disposed of. */
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
