import type { Redis } from 'ioredis';
import { connectRedis } from '../infra/redis.ts';
import type { Logger } from '../infra/logger.ts';

/** A connection to Redis that stays subscribed, however often it breaks. */
export interface RedisSubscriber extends AsyncDisposable {
  /** For RedisPubSub: reports a subscription as established at once; each new connection subscribes again. */
  readonly client: Redis;
  /** Connects, now or as soon as Redis is there. */
  connect(): void;
  /** Whether Redis has confirmed on the present connection all that is subscribed to. */
  isJoined(): boolean;
  /** To be called every few seconds: finds out that a silent connection is none, and subscribes where that has failed. */
  beat(): void;
}

/** Makes one that is not connected yet. */
export function createRedisSubscriber(options: { url: string; silentMs: number; logger: Logger }): RedisSubscriber {
  const { url, silentMs, logger } = options;
  const connection = connectRedis(url, logger, {
    away: 'receiving events from Redis is not possible; events of other processes are read from the event log, up to 1 s late',
    there: 'receiving events from Redis',
    silentMs,
    lazy: true,
  });
  const { client } = connection;
  const channels = new Set<string>();
  let isJoined = false;
  let isRefused = false;

  async function join(): Promise<void> {
    if (client.status !== 'ready' || channels.size === 0) return;
    try {
      await client.subscribe(...channels);
      isJoined = true;
      isRefused = false;
    } catch (error) {
      isJoined = false;
      // A broken connection has already been logged.
      if (isRefused || client.status !== 'ready') return;
      isRefused = true;
      // The reason alone: the error holds the command.
      logger.warn({ reason: (error as Error).message }, 'subscribing to events in Redis failed; retrying');
    }
  }
  client.on('ready', () => void join());
  client.on('close', () => {
    isJoined = false;
  });

  // RedisPubSub 2.7.0 keeps a promise that nobody hears: where a subscription failed, the process would end of it. And it
  // never subscribes again.
  const standIn = {
    on: (event: string, listener: (...args: unknown[]) => void) => client.on(event, listener),
    subscribe(channel: string, done: (error: null) => void) {
      channels.add(channel);
      isJoined = false;
      done(null);
      void join();
    },
    unsubscribe(channel: string) {
      channels.delete(channel);
      client.unsubscribe(channel).catch(() => {});
    },
    punsubscribe() {},
  };

  return {
    client: standIn as unknown as Redis,
    connect() {
      if (client.status === 'wait') client.connect().catch(() => {});
    },
    isJoined: () => isJoined,
    beat() {
      if (!isJoined) void join();
      // Whose answer does not come ends the connection, after `silentMs`.
      else client.ping().catch(() => {});
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
