import { setTimeout as delay } from 'node:timers/promises';
import type { Postmaster } from './embedded-postgres-server.ts';
import { every } from '../every.ts';
import type { Logger } from '../logger.ts';
import { childrenOf, identify, isFrozen, isRunning, pidOf } from '../process-identity.ts';

const PACE = {
  /** A look costs a few reads of /proc on Linux, and two processes elsewhere. */
  lookMs: process.platform === 'linux' ? 500 : 3_000,
  /** Before the second attempt in a row; each further one waits twice as long. */
  leastWaitMs: 500,
  mostWaitMs: 15_000,
};
/** Consecutive checks that find a process stopped before it is continued: someone may have stopped it for a moment on purpose. */
const FROZEN_LOOKS = 4;
/** A server that ran for so long is not one that dies at each start. */
const STEADY_MS = 60_000;
/** Starts in a row that fail before the process gives up: about a minute, and what each of them takes. */
const MOST_FAILURES = 8;

/** Watches over a server until it is disposed of. */
export interface ServerWatch extends AsyncDisposable {
  /** Resolves where the server is gone for good: with what to say of it. */
  lost: Promise<Error>;
}

/**
 * Has a server that died started again, at growing intervals where it dies or fails again, and wakes one that was frozen.
 * @param options.revive starts the server on its old port, or finds the one that another process started
 */
export function watchServer(options: {
  server: Postmaster;
  revive: () => Promise<Postmaster>;
  logger: Logger;
  pace?: typeof PACE;
}): ServerWatch {
  const { revive, logger, pace = PACE } = options;
  let { server } = options;
  let since = Date.now();
  let failures = 0;
  let wait = 0;
  let over = false;
  const frozenLooks = new Map<number, number>();
  let lose: (error: Error) => void = () => {};
  const lost = new Promise<Error>((resolve) => (lose = resolve));

  async function look(signal: AbortSignal): Promise<void> {
    if (over) return;
    if (isRunning(server.identity)) {
      wakeFrozen();
      if (Date.now() - since > STEADY_MS) wait = 0;
      return;
    }
    logger.error({ pid: server.pid, waitMs: wait }, 'the embedded PostgreSQL has died; restarting');
    await delay(wait, undefined, { signal });
    wait = Math.min(Math.max(pace.leastWaitMs, wait * 2), pace.mostWaitMs);
    try {
      const { port } = server;
      const revived = await revive();
      if (signal.aborted) return;
      server = revived;
      if (server.port !== port) return giveUp(`it runs again on another port, ${server.port} instead of ${port}`);
      [failures, since] = [0, Date.now()];
      logger.warn({ pid: server.pid, port }, 'the embedded PostgreSQL was restarted');
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      logger.error({ err: error, failures }, 'the embedded PostgreSQL could not be restarted');
      if (failures >= MOST_FAILURES) giveUp(error instanceof Error ? error.message : String(error));
    }
  }

  function giveUp(reason: string): void {
    over = true;
    lose(new Error(`The embedded PostgreSQL has died, and this process cannot continue without it: ${reason}`));
  }

  function wakeFrozen(): void {
    for (const pid of [server.pid, ...childrenOf(server.pid).map(pidOf)]) {
      const looks = isFrozen(pid) ? (frozenLooks.get(pid) ?? 0) + 1 : 0;
      if (looks === 0) frozenLooks.delete(pid);
      else frozenLooks.set(pid, looks);
      if (looks !== FROZEN_LOOKS) continue;
      logger.warn({ pid }, 'a process of the embedded PostgreSQL was stopped (SIGSTOP); sending SIGCONT');
      wake(pid);
      frozenLooks.delete(pid);
    }
  }

  const failed = 'the embedded PostgreSQL could not be looked after';
  return Object.assign(every({ ms: pace.lookMs, atOnce: false, run: look, failed, logger }), { lost });
}

function wake(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    // It may have ended in between.
    if (identify(pid) !== null) throw error;
  }
}
