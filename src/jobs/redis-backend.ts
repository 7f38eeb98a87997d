import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../infra/logger.ts';
import type { JobBackend, JobQueue, JobWorker } from './backend.ts';
import { inTime, SETTINGS, whenReady } from './bullmq-settings.ts';

const PREFIX = 'vitrine-jobs';
const RECONNECT_WITHIN_MS = 1000;

/** Jobs in Redis. Nothing is connected until the first queue or worker is opened. */
export function createRedisJobs({ url, logger }: { url: string; logger: Logger }): JobBackend {
  const connections = new Set<Redis>();

  /** Throws where it is not to be reached; once it was, it is tried to be reached again for ever. */
  async function connect(options: Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue'>): Promise<Redis> {
    const redis = new Redis(url, {
      ...options,
      lazyConnect: true,
      connectTimeout: RECONNECT_WITHIN_MS,
      retryStrategy: (times) => Math.min(times * 50, RECONNECT_WITHIN_MS),
    });
    redis.on('error', (error: Error) => logger.debug({ reason: error.message }, 'the job queue is not to be reached'));
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
      const connection = await connect({ maxRetriesPerRequest: 1, enableOfflineQueue: false });
      const queue = new Queue(name, { connection, prefix: PREFIX, skipWaitingForReady: true });
      return whenReady(queue, logger);
    },
    async openWorker(name, processor, { concurrency }): Promise<JobWorker> {
      const connection = await connect({ maxRetriesPerRequest: null, enableOfflineQueue: true });
      const worker = new Worker(name, processor, { ...SETTINGS, connection, prefix: PREFIX, concurrency });
      return whenReady(worker, logger);
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.disconnect();
    },
  };
}
