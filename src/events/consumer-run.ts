import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseAway } from '../infra/postgres/database-faults.ts';
import type { Database, Transaction } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import {
  acquireLease,
  advanceConsumer,
  findPlace,
  readRange,
  registerConsumers,
  releaseLease,
  renewLease,
  type Lease,
} from './consumer.repository.ts';
import type { Consumer, ConsumerObserver } from './consumer.ts';
import type { StoredEvent } from './event.ts';
import { describeFault } from './describe-fault.ts';
import { insertParked } from './parked-event.repository.ts';
import { handleTraced } from './traced-consumer.ts';

/*
 * A consumer reads the log in order. It writes the effect of an event and its new position in one transaction, so each event has its
 * effect exactly once, whenever a process dies. One runner across all processes holds the lease. A runner that takes the lease raises
 * the fence; a runner that was wrongly taken for dead finds another fence when it saves its position, and its transaction does not
 * commit. Several events share a transaction until one of them fails; then each gets its own, and the one that keeps failing is parked.
 * If the database is away, the consumer waits.
 */

/** How consumers are run; tests have less patience. */
export interface ConsumerSettings {
  /** How long a lease holds without being renewed. */
  leaseMs: number;
  pollMs: number;
  /** After a run, in milliseconds: what arrives meanwhile is handled together. A run takes half a dozen statements, however few events. */
  restMs: number;
  /** How often an event is tried before it is parked. */
  attempts: number;
  /** Before the second try; twice as long before each further one. */
  backoffMs: number;
}

/** Places in the log that are looked at in one statement. */
const RANGE = 1000;
/** Events that share a transaction: of a consumer that handles each by itself, and of one that handles them together. */
const BATCH = 50;
const BATCH_TOGETHER = 200;

/** Another process runs the consumer now. */
export class LeaseLost extends Error {
  constructor() {
    super('another process has taken over this consumer');
  }
}

/** What a run of a consumer needs. */
export interface Run {
  db: Database;
  consumer: Consumer;
  owner: string;
  settings: ConsumerSettings;
  stop: AbortSignal;
  log: Logger;
  observer: ConsumerObserver;
  tracer: Tracer | null;
}

/** Processes events up to the end of the log, unless another process holds the lease. @returns whether this process did anything */
export async function catchUp(run: Run): Promise<boolean> {
  const { db, consumer, owner, settings, stop } = run;
  const { name } = consumer;
  const seen = await findPlace(db, name);
  if (seen === null) await registerConsumers(db, [name]);
  if (seen === null || (seen.epoch === seen.logEpoch && seen.seq === seen.last) || stop.aborted) return false;
  const lease = await acquireLease(db, name, owner, settings.leaseMs);
  if (lease === null) return false;
  const renewal = setInterval(() => {
    renewLease(db, lease, settings.leaseMs).catch(() => {});
  }, settings.leaseMs / 3);
  try {
    while (!stop.aborted && (await step(run, lease)));
    return true;
  } finally {
    clearInterval(renewal);
    // Where this fails too, the lease runs out.
    await releaseLease(db, lease).catch(() => {});
  }
}

/** Goes over one stretch of the log. False: there is no more. */
async function step(run: Run, lease: Lease): Promise<boolean> {
  const { db, consumer, log } = run;
  const place = await findPlace(db, consumer.name);
  if (place === null) throw new LeaseLost();
  const { seq, last, logEpoch: epoch, prunedThrough } = place;
  if (place.epoch !== epoch || seq > last) {
    log.error(
      { from: { epoch: place.epoch, seq }, to: { epoch, seq: last } },
      'the event log was replaced; the consumer starts from its end',
    );
    await mustAdvance(db, lease, { seq: last, epoch });
    return false;
  }
  if (seq < prunedThrough) {
    log.error(
      { from: seq, to: prunedThrough },
      'the event log was pruned beyond the position of this consumer; the pruned events are lost to it',
    );
    await mustAdvance(db, lease, { seq: prunedThrough, epoch });
    return true;
  }
  if (seq === last) return false;
  const upTo = Math.min(seq + RANGE, last);
  const events = await readRange(db, seq, upTo, consumer);
  const isAtEnd = events.at(-1)?.seq === upTo;
  const size = consumer.handleTogether === undefined ? BATCH : BATCH_TOGETHER;
  for (let rest = events; rest.length > 0 && !run.stop.aborted;) {
    const batch = rest.slice(0, size);
    rest = [...(await handleBatch(run, lease, epoch, batch)), ...rest.slice(size)];
  }
  if (run.stop.aborted) return false;
  // The transaction of the last event has moved the consumer on.
  if (!isAtEnd) await mustAdvance(db, lease, { seq: upTo, epoch });
  // Later events have woken the consumer once more.
  return upTo < last;
}

async function mustAdvance(tx: Pick<Transaction, 'query'>, lease: Lease, place: { seq: number; epoch: string }) {
  if (!(await advanceConsumer(tx, lease, place))) throw new LeaseLost();
}

/** Handles events in one transaction. @returns those that are still to be handled: the one that there is MORE of first */
async function attempt(run: Run, lease: Lease, epoch: string, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
  const left = await run.db.transaction(async (tx) => {
    const rest = await handleInOrder(run, tx, events);
    const [next] = rest;
    // Released last, so that the next runner does not start while this one still processes an event.
    await mustAdvance(tx, lease, { seq: next === undefined ? (events.at(-1)?.seq ?? 0) : next.seq - 1, epoch });
    return rest;
  });
  run.observer.events(run.consumer.name, 'handled', events.length - left.length);
  return left;
}

/** @returns the events that are still to be handled: the one that there is MORE of first */
async function handleInOrder(run: Run, tx: Transaction, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
  const { consumer, tracer } = run;
  // Each event continues a trace of its own, which the rows that it calls for keep.
  if (consumer.handleTogether !== undefined && events.length > 1 && tracer === null) {
    await consumer.handleTogether(tx, events);
    return [];
  }
  let rest = [...events];
  for (const event of events) {
    if ((await handleTraced(run, tx, event)) === 'MORE') break;
    rest = rest.slice(1);
  }
  return rest;
}

async function handleBatch(
  run: Run,
  lease: Lease,
  epoch: string,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  try {
    return await attempt(run, lease, epoch, events);
  } catch (error) {
    if (error instanceof LeaseLost || isDatabaseAway(error)) throw error;
    for (const [index, event] of events.entries()) {
      const fault = index === 0 && events.length === 1 ? error : undefined;
      if (fault !== undefined) run.observer.events(run.consumer.name, 'failed', 1);
      if (!(await handleAlone(run, lease, { epoch, event, fault }))) return [];
    }
    return [];
  }
}

/**
 * Handles one event, or parks it. @returns false where the shop is closing meanwhile
 * @param options.fault of an attempt that was made already
 */
async function handleAlone(
  run: Run,
  lease: Lease,
  options: { epoch: string; event: StoredEvent; fault?: unknown },
): Promise<boolean> {
  const { settings, log, stop, consumer, observer } = run;
  const { epoch, event } = options;
  let { fault } = options;
  for (let tries = fault === undefined ? 0 : 1; tries < settings.attempts; tries += 1) {
    if (tries > 0) {
      log.warn({ err: fault, seq: event.seq, type: event.type, tries }, 'event could not be processed; retrying');
      await delay(settings.backoffMs * 2 ** (tries - 1), undefined, { signal: stop }).catch(() => {});
    }
    if (stop.aborted) return false;
    try {
      for (let rest = [event]; rest.length > 0;) rest = await attempt(run, lease, epoch, rest);
      return true;
    } catch (error) {
      if (error instanceof LeaseLost || isDatabaseAway(error)) throw error;
      observer.events(consumer.name, 'failed', 1);
      fault = error;
    }
  }
  log.error({ err: fault, seq: event.seq, type: event.type }, 'event could not be processed and was parked');
  const why = { consumer: consumer.name, epoch, error: describeFault(fault), attempts: settings.attempts };
  await run.db.transaction(async (tx) => {
    await insertParked(tx, event, why);
    await mustAdvance(tx, lease, { seq: event.seq, epoch });
  });
  observer.events(consumer.name, 'parked', 1);
  return true;
}
