import { z } from 'zod';
import type { Logger } from '../infra/logger.ts';
import { QueueAway } from '../modules/staff/failed-jobs.service.ts';
import type { JobBackend, JobQueue } from './backend.ts';
import type { Job } from './define-job.ts';

/** How a job is enqueued. */
export interface Enqueue {
  /** Jobs of one id are one job, as long as it is known. Neither a colon nor a bare number, for BullMQ's sake. */
  id?: string;
  delayMs?: number;
  /** The request that it comes from, for the log. */
  requestId?: string;
}

/** Puts jobs into their queues. */
export interface JobQueues extends AsyncDisposable {
  /**
   * Enqueues a nudge. It takes a second at most, and never fails: what was not enqueued is found by a sweep.
   * @returns whether it was enqueued
   * @throws where the payload is not what the job takes: the caller's bug
   */
  enqueue<Payload>(job: Job<Payload>, payload: Payload, options?: Enqueue): Promise<boolean>;
  /**
   * Looks at a queue, or has something done in it.
   * @throws QueueAway where that takes more than a second, or fails
   */
  use<T>(name: string, work: (queue: JobQueue) => Promise<T>): Promise<T>;
}

/** What stands in the queue. */
export const envelopeSchema = z.object({ payload: z.unknown(), requestId: z.string().nullable() });

const WITHIN_MS = 1000;
/** After a failure the queue is left alone for so long: callers may be many, and each would wait its second. */
const PAUSE_MS = 1000;
const HOUR_S = 3600;
const ID = /^(?!\d+$)[^:]{1,200}$/;

/** Wires the queues; each is opened when the first job comes. */
export function createJobQueues({ backend, logger }: { backend: JobBackend; logger: Logger }): JobQueues {
  const queues = new Map<string, Promise<JobQueue>>();
  const adding = new Set<Promise<unknown>>();
  let awayUntil = -Infinity;

  function open(name: string): Promise<JobQueue> {
    let queue = queues.get(name);
    if (queue === undefined) {
      queue = backend.openQueue(name).catch((error: unknown) => {
        queues.delete(name);
        throw error;
      });
      queues.set(name, queue);
    }
    return queue;
  }

  async function add<Payload>(job: Job<Payload>, payload: Payload, options: Enqueue): Promise<void> {
    const { id, delayMs = 0, requestId = null } = options;
    const queue = await open(job.name);
    await queue.add(
      job.name,
      { payload, requestId },
      {
        ...(id === undefined ? {} : { jobId: id }),
        ...(delayMs > 0 ? { delay: Math.round(delayMs) } : {}),
        attempts: job.attempts,
        backoff: { type: 'exponential', delay: job.backoffMs },
        removeOnComplete: { count: 100, age: HOUR_S },
        removeOnFail: { count: 1000, age: 7 * 24 * HOUR_S },
      },
    );
  }

  return {
    async enqueue(job, payload, options = {}) {
      const parsed = job.schema.parse(payload);
      if (options.id !== undefined && !ID.test(options.id)) throw new Error(`"${options.id}" is no id for a job`);
      if (performance.now() < awayUntil) return false;
      const added = add(job, parsed, options);
      adding.add(added);
      added.finally(() => adding.delete(added)).catch(() => {});
      try {
        await within(WITHIN_MS, added);
        return true;
      } catch (error) {
        awayUntil = performance.now() + PAUSE_MS;
        logger.warn({ reason: (error as Error).message, job: job.name }, 'a job could not be enqueued');
        return false;
      }
    },

    async use(name, work) {
      // Who enqueues has just waited for it in vain; but what is slow here keeps nobody from enqueueing.
      if (performance.now() < awayUntil) throw new QueueAway();
      try {
        return await within(WITHIN_MS, open(name).then(work));
      } catch (error) {
        throw new QueueAway({ cause: error });
      }
    },

    async [Symbol.asyncDispose]() {
      await within(WITHIN_MS, Promise.allSettled(adding)).catch(() => {});
      const closing = [...queues.values()].map(async (queue) => (await queue).close());
      await within(WITHIN_MS, Promise.allSettled(closing)).catch(() => {});
    },
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
