import { createRedisBackend, withBackend } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../infra/logger.ts';
import { isOfReplica } from '../infra/redis.ts';
import type { JobBackend, JobQueue, JobWorker } from './backend.ts';
import { inTime, paced, SETTINGS, whenReady } from './bullmq-settings.ts';

/**
 * What all keys of a shop's jobs begin with.
 * @param shop its name in Redis; with the braces in it all keys are in one slot of a cluster, which BullMQ's scripts need
 */
export function jobPrefix(shop: string): string {
  return `vitrine-jobs-${shop}`;
}

const { Queue, Worker } = withBackend(paced(createRedisBackend));

const CHECK_FOR_S = 10;

const RECONNECT_WITHIN_MS = 1000;

/**
 * Jobs in Redis. Nothing is connected until the first queue or worker is opened.
 * @param options.shop names this shop among those that share the Redis; asked when a queue is opened
 */
export function createRedisJobs(options: { url: string; shop: () => Promise<string>; logger: Logger }): JobBackend {
  const { url, shop, logger } = options;
  const connections = new Set<Redis>();
  let checking: Promise<Redis> | undefined;

  /** Throws where it is not to be reached; once it was, it is tried to be reached again for ever. */
  async function connect(settings: Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue'>): Promise<Redis> {
    const redis = new Redis(url, {
      ...settings,
      lazyConnect: true,
      connectTimeout: RECONNECT_WITHIN_MS,
      retryStrategy: (times) => Math.min(times * 50, RECONNECT_WITHIN_MS),
      // BullMQ's connections for waiting are copies of this one, and have it too.
      reconnectOnError: isOfReplica,
    });
    redis.on('error', (error: Error) => logger.debug({ reason: error.message }, 'the job queue is not reachable'));
    connections.add(redis);
    try {
      await inTime(redis.connect());
      return redis;
    } catch (error) {
      redis.disconnect();
      connections.delete(redis);
      throw error;
    }
  }

  return {
    // With an offline queue, `add()` would hang for as long as Redis is away.
    async openQueue(name): Promise<JobQueue> {
      const prefix = jobPrefix(await shop());
      const connection = await connect({ maxRetriesPerRequest: 1, enableOfflineQueue: false });
      const queue = new Queue(name, { connection, prefix, skipWaitingForReady: true });
      return whenReady(queue, logger);
    },
    async openWorker(name, processor, { concurrency }): Promise<JobWorker> {
      const prefix = jobPrefix(await shop());
      const connection = await connect({ maxRetriesPerRequest: null, enableOfflineQueue: true });
      const worker = new Worker(name, processor, { ...SETTINGS, connection, prefix, concurrency });
      return whenReady(worker, logger);
    },
    async check() {
      const prefix = jobPrefix(await shop());
      checking ??= connect({ maxRetriesPerRequest: 1, enableOfflineQueue: false }).catch((error: unknown) => {
        checking = undefined;
        throw error;
      });
      await (await checking).set(`${prefix}:check`, '', 'EX', CHECK_FOR_S);
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.disconnect();
    },
  };
}
