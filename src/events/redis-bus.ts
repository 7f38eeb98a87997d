import { randomUUID } from 'node:crypto';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { Logger } from '../infra/logger.ts';
import { connectRedis } from '../infra/redis.ts';
import { readMessage, toMessage } from './batch-message.ts';
import type { EventBatch, EventBus } from './bus.ts';
import { redisName, type LogHome } from './log-home.ts';
import { createRedisSubscriber } from './redis-subscriber.ts';

/*
 * The bus between processes. Redis makes events timely and nothing more: whatever it loses, the feeds read from the log.
 *
 * Each log has a channel of its own, named by its epoch and by its database, so that shops which share a Redis do not hear of
 * each other. (The number of a Redis database would not keep them apart, and the address of PostgreSQL is not the same for
 * every node.) A
 * batch goes to the channel of its own epoch; those who listen ask every few seconds which log it is that they live on, so
 * that after a restore they meet on the new one's channel without a restart. Until then the look at the log's end serves.
 *
 * Listeners in the same process are called directly, without Redis.
 */

const BEAT_MS = 2_000;
/** Also what a publish takes at most: the relay waits for it, once; then the connection is broken, and none is waited for. */
const SILENT_MS = 1_000;
const COMPLAIN_EVERY_MS = 60_000;

/** The channel on which the batches of a log are sent. */
export function channelOf(log: LogHome): string {
  return `vitrine:events:${redisName(log)}`;
}

/**
 * Opens the bus over Redis, whether or not it is there. It connects to listen with the first subscription.
 * @param options.epoch the epoch of the log as it is now
 * @param options.home names the database that the log is in
 */
export function createRedisBus(options: {
  url: string;
  epoch: () => Promise<string>;
  home: string;
  logger: Logger;
  beatMs?: number;
}): EventBus {
  const { url, home, logger, beatMs = BEAT_MS } = options;
  const connection = connectRedis(url, logger, {
    away: 'publishing events to Redis is not possible; other processes read them from the event log, up to 1 s late',
    there: 'publishing events to Redis',
    silentMs: SILENT_MS,
  });
  const publisher = connection.client;
  const subscriber = createRedisSubscriber({ url, silentMs: SILENT_MS, logger });
  const pubSub = new RedisPubSub({ publisher, subscriber: subscriber.client });
  const self = randomUUID();
  const listeners = new Set<(batch: EventBatch) => void>();
  let heard: { epoch: string; id: number } | null = null;
  let following: Promise<void> | undefined;
  let beating: NodeJS.Timeout | undefined;
  let isRefused = false;
  let complainedAt = -Infinity;

  publisher.on('ready', () => {
    isRefused = false;
  });

  function deliver(batch: EventBatch): void {
    for (const listener of listeners) listener(batch);
  }

  function receive(received: unknown): void {
    const message = readMessage(received);
    if (message === null) {
      // The event log contains everything that the message may have contained.
      if (performance.now() < complainedAt + COMPLAIN_EVERY_MS) return;
      complainedAt = performance.now();
      logger.warn('ignored a Redis message that is not a batch of events');
    } else if (message.from !== self) {
      const { epoch, events } = message;
      deliver({ epoch, events });
    }
  }

  /** Listens to the channel of the log as it is now. */
  async function follow(): Promise<void> {
    const epoch = await options.epoch();
    if (epoch === heard?.epoch) return;
    const id = await pubSub.subscribe(channelOf({ epoch, home }), receive);
    if (heard !== null) pubSub.unsubscribe(heard.id);
    heard = { epoch, id };
  }

  function followOnce(): Promise<void> {
    following ??= follow().finally(() => {
      following = undefined;
    });
    return following;
  }

  function beat(): void {
    subscriber.beat();
    // Where the database is away the channel stays what it is.
    followOnce().catch(() => {});
  }

  return {
    async publish(batch) {
      deliver(batch);
      // The outage has already been logged.
      if (publisher.status !== 'ready') return;
      try {
        await pubSub.publish(channelOf({ epoch: batch.epoch, home }), toMessage(self, batch));
        isRefused = false;
      } catch (error) {
        if (isRefused) return;
        isRefused = true;
        // The reason alone: the error holds the command.
        logger.warn({ reason: (error as Error).message }, 'a batch of events could not be published to Redis');
      }
    },
    async subscribe(listener) {
      if (heard === null) await followOnce();
      subscriber.connect();
      beating ??= setInterval(beat, beatMs);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isJoined: () => subscriber.isJoined(),
    checks: {
      async redis() {
        if (publisher.status !== 'ready') throw new Error('not connected');
        try {
          // As a batch goes out, and to nobody.
          await publisher.publish(channelOf({ epoch: 'check', home }), '');
        } catch (error) {
          const refused = (error as Error).name === 'ReplyError';
          throw new Error(refused ? 'takes no events' : 'no answer', { cause: error });
        }
        if (beating !== undefined && !subscriber.isJoined()) throw new Error('not subscribed');
      },
    },
    async [Symbol.asyncDispose]() {
      clearInterval(beating);
      listeners.clear();
      await Promise.all([connection[Symbol.asyncDispose](), subscriber[Symbol.asyncDispose]()]);
    },
  };
}
