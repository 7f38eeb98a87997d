import type { Transaction } from '../infra/postgres/database.ts';
import type { StoredEvent } from './event.ts';
import type { Only } from './only.ts';

/**
 * What became of an event. MORE: a part of it is done, which is committed; the handler is called with the event again,
 * and must find from the rows themselves what is left.
 */
export type Handled = 'DONE' | 'MORE';

/** Turns events into rows, each event once, in their order, in one process at a time. */
export interface Consumer {
  /** In kebab-case; its place in the log is kept under this name, so it is not to be changed. */
  name: string;
  /** The types of events that it is about; it passes over the others. */
  types: readonly string[];
  /**
   * Conditions that payloads have to meet, at most one `onlyIf` for each type. Other events of the type are not read. For types that are
   * common while nearly none of their events calls for anything: they do not wake the consumer, which finds them within a second.
   */
  only?: readonly Only[];
  /**
   * Writes what the event calls for in the transaction that also moves the consumer on. A handler that throws is tried
   * again and then does without the event, which is parked; a parked event may come once more, and out of order. So it
   * must do no harm twice.
   */
  handle(tx: Transaction, event: StoredEvent): Promise<Handled>;
  /**
   * Does what `handle` does for several events, in their order, with statements whose number does not depend on how many events there
   * are. Only for consumers that never leave MORE of an event. If it throws, each of the events comes to `handle` by itself.
   */
  handleTogether?(tx: Transaction, events: readonly StoredEvent[]): Promise<void>;
}

const NAME = /^[a-z]+(-[a-z]+)*$/;

/**
 * Declares a durable consumer. One that is new begins with the events that come after it was first started.
 * @throws if the name is not valid, or if `only` has conditions on a type that the consumer does not read, or twice on one type
 */
export function defineConsumer(consumer: Consumer): Consumer {
  const { name, types, only = [], handle, handleTogether } = consumer;
  if (!NAME.test(name)) throw new Error(`"${name}" is not a valid name for a consumer`);
  for (const [index, { type }] of only.entries()) {
    if (!types.includes(type))
      throw new Error(`the consumer "${name}" has conditions on "${type}", which it does not read`);
    if (only.findIndex((other) => other.type === type) < index) {
      throw new Error(`the consumer "${name}" has conditions on "${type}" twice`);
    }
  }
  if (only.length === 0) return consumer;
  // Events that the database could not judge are read, and fail here.
  const assertJudged = (event: StoredEvent) => only.find(({ type }) => type === event.type)?.assertJudged(event);
  return {
    ...consumer,
    async handle(tx, event) {
      assertJudged(event);
      return handle.call(consumer, tx, event);
    },
    ...(handleTogether !== undefined && {
      async handleTogether(tx, events) {
        for (const event of events) assertJudged(event);
        await handleTogether.call(consumer, tx, events);
      },
    }),
  };
}

/** Callbacks for the metrics of consumers. */
export interface ConsumerObserver {
  /** A run to the log's end, or one that failed. */
  ran(consumer: string, outcome: 'ok' | 'failed'): void;
  /** What became of so many events; `failed`: of one that is tried again, or parked in the end. */
  events(consumer: string, outcome: 'handled' | 'failed' | 'parked', events: number): void;
}
