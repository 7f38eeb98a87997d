import { randomUUID } from 'node:crypto';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import type { EventBus } from './bus.ts';
import { registerConsumers as insertConsumers } from './consumer.repository.ts';
import type { Consumer, ConsumerObserver } from './consumer.ts';
import { catchUp, LeaseLost, type ConsumerSettings, type Run } from './consumer-run.ts';

const SETTINGS: ConsumerSettings = { leaseMs: 10_000, pollMs: 1000, restMs: 50, attempts: 4, backoffMs: 100 };
/** The consumers of this process. */
export interface Consumers extends AsyncDisposable {
  /** Says that there may be something to do. Returns at once. */
  wake(): void;
  /** Goes through all that is numbered, unless another process is at it; throws where that fails. */
  flush(): Promise<void>;
}

/** Registers new consumers at the end of the log: later events wait until a process first runs the consumer. */
export async function registerConsumers(db: Database, consumers: readonly Consumer[]): Promise<void> {
  const names = consumers.map(({ name }) => name);
  await insertConsumers(db, names);
}

/** Starts to run consumers. The bus wakes them; a poll finds events that no batch contained. */
export function startConsumers(options: {
  db: Database;
  bus: EventBus;
  consumers: readonly Consumer[];
  logger: Logger;
  settings?: Partial<ConsumerSettings>;
  observer?: ConsumerObserver;
  tracer?: Tracer | null;
}): Consumers {
  const { db, bus, consumers, logger, observer = { ran() {}, events() {} }, tracer = null } = options;
  const settings = { ...SETTINGS, ...options.settings };
  const owner = randomUUID();
  const stop = new AbortController();
  const runners = consumers.map((consumer) => {
    const log = logger.child({ consumer: consumer.name });
    return {
      types: new Set(consumer.types.filter((type) => consumer.only?.some((only) => only.type === type) !== true)),
      ...createRunner({ db, consumer, owner, settings, stop: stop.signal, log, observer, tracer }),
    };
  });
  const wake = () => {
    for (const runner of runners) runner.wake();
  };
  const poll = setInterval(wake, settings.pollMs);
  let unsubscribe: (() => void) | undefined;
  // Not waited for: without the bus there is the poll.
  bus
    .subscribe(({ events }) => {
      for (const runner of runners) if (events.some((event) => runner.types.has(event.type))) runner.wake();
    })
    .then((end) => (stop.signal.aborted ? end() : (unsubscribe = end)))
    .catch((error: unknown) =>
      logger.warn({ err: error }, 'consumers are not subscribed to the event bus; polling instead'),
    );
  wake();
  return {
    wake,
    flush: async () => void (await Promise.all(runners.map((runner) => runner.flush()))),
    async [Symbol.asyncDispose]() {
      stop.abort();
      clearInterval(poll);
      unsubscribe?.();
      await Promise.all(runners.map((runner) => runner.ended()));
    },
  };
}

function createRunner(run: Run) {
  const { log, stop, settings } = run;
  let running: Promise<void> | undefined;
  let again = false;
  let restsUntil = 0;
  let rest: NodeJS.Timeout | undefined;

  async function runOnce(): Promise<void> {
    try {
      if (await catchUp(run)) run.observer.ran(run.consumer.name, 'ok');
    } catch (error) {
      run.observer.ran(run.consumer.name, 'failed');
      if (error instanceof LeaseLost) log.warn(error.message);
      else if (!stop.aborted) log.warn({ err: error }, 'consumer failed; retrying in 1 s');
      throw error;
    } finally {
      running = undefined;
      restsUntil = performance.now() + settings.restMs;
      if (again) wake();
    }
  }

  function start(): Promise<void> {
    if (stop.aborted) return Promise.reject(new Error('the consumers are closed'));
    clearTimeout(rest);
    rest = undefined;
    again = false;
    running = runOnce();
    return running;
  }

  /** Runs at once after a pause, otherwise when the rest is over. */
  function wake(): void {
    if (running !== undefined) again = true;
    if (running !== undefined || rest !== undefined || stop.aborted) return;
    const wait = restsUntil - performance.now();
    if (wait <= 0) start().catch(() => {});
    else rest = setTimeout(() => void start().catch(() => {}), wait);
  }

  return {
    wake,
    async flush() {
      await running?.catch(() => {});
      await (running ?? start());
    },
    async ended() {
      clearTimeout(rest);
      await running?.catch(() => {});
    },
  };
}
