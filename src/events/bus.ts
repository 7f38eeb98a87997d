import { PubSub } from 'graphql-subscriptions';
import type { StoredEvent } from './event.ts';

/** What one run of the relay numbered: contiguous, in order. */
export interface EventBatch {
  epoch: string;
  events: readonly StoredEvent[];
}

/**
 * Carries batches from the relays to the nodes. Makes no promise of order, of delivery or of delivering once: the feed of
 * each node sees to that by `seq`.
 */
export interface EventBus extends AsyncDisposable {
  /** Must settle within seconds, whatever the state of the bus: this process numbers no more events until then. */
  publish(batch: EventBatch): Promise<void>;
  /** @returns a function that ends the subscription */
  subscribe(listener: (batch: EventBatch) => void): Promise<() => void>;
  /** Whether batches of other processes arrive now. Omitted: there are none that could be lost on their way. */
  isJoined?(): boolean;
  /** What it needs and may be away while the shop goes on, by name: each rejects where it is, and says why in a few words. */
  readonly checks?: Readonly<Record<string, () => Promise<unknown>>>;
}

const CHANNEL = 'events';

/** The bus of one process. */
export function createLocalBus(): EventBus {
  const pubSub = new PubSub();
  return {
    publish: (batch) => pubSub.publish(CHANNEL, batch),
    async subscribe(listener) {
      const id = await pubSub.subscribe(CHANNEL, listener);
      return () => pubSub.unsubscribe(id);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
