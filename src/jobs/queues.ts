import { z } from 'zod';
import type { Logger } from '../infra/logger.ts';
import { createKeyedQueue } from '../infra/limits/keyed-semaphore.ts';
import { QueueAway } from '../modules/staff/failed-jobs.service.ts';
import type { JobBackend, JobQueue } from './backend.ts';
import type { Job } from './define-job.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import { within } from '../infra/within.ts';

/** How a job is enqueued. */
export interface Enqueue {
  /** Jobs of one id are one job, as long as it is known. Neither a colon nor a bare number, for BullMQ's sake. */
  id?: string;
  delayMs?: number;
  /** The request that it comes from, for the log. */
  requestId?: string;
  /** Trace that the job continues, if not the current one. */
  traceparent?: string | null;
}

/** Puts jobs into their queues. */
export interface JobQueues extends AsyncDisposable {
  /**
   * Enqueues a nudge, and never fails: a sweep finds what was not enqueued. Thousands may be enqueued at once: a few of each
   * kind are sent at a time, and the others wait in line without holding up other kinds. The queue is given a second for
   * each; once it fails, everything in line is answered with false.
   * @returns whether the job was enqueued
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
export const envelopeSchema = z.object({
  payload: z.unknown(),
  requestId: z.string().nullable(),
  traceparent: z.string().nullish(),
});

const WITHIN_MS = 1000;
/** After a failure the queue is left alone for so long: callers may be many, and each would wait its second. */
const PAUSE_MS = 1000;
/** More would not be faster: they would wait for connections, and run out of time while the queue is well. */
const AT_A_TIME = 8;
/** Each holds some hundred bytes. */
const MAX_WAITING = 100_000;
const HOUR_S = 3600;
const ID = /^(?!\d+$)[^:]{1,200}$/;

/** Wires the queues; each is opened when the first job comes. */
export function createJobQueues({
  backend,
  logger,
  tracer = null,
}: {
  backend: JobBackend;
  logger: Logger;
  tracer?: Tracer | null;
}): JobQueues {
  const queues = new Map<string, Promise<JobQueue>>();
  const adding = new Set<Promise<unknown>>();
  const lines = createKeyedQueue({ atATime: AT_A_TIME, waiting: MAX_WAITING });
  let awayUntil = -Infinity;
  let closed = false;

  const isAway = () => performance.now() < awayUntil;

  /** Those that were sent together fail together: the first one is logged. */
  function fail(job: string, { message }: Error): void {
    const known = isAway();
    awayUntil = performance.now() + PAUSE_MS;
    if (!known) logger.warn({ reason: message, job }, 'a job could not be enqueued');
  }

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
    const traceparent = job.ownTrace ? null : (options.traceparent ?? tracer?.traceparent() ?? null);
    const queue = await open(job.name);
    await queue.add(
      job.name,
      { payload, requestId, ...(traceparent === null ? {} : { traceparent }) },
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
      if (options.id !== undefined && !ID.test(options.id))
        throw new Error(`"${options.id}" is not a valid ID for a job`);
      if (isAway()) return false;
      const turn = lines.enter(job.name);
      if (turn === null) {
        fail(job.name, new Error(`${MAX_WAITING} jobs are waiting to be enqueued`));
        return false;
      }
      try {
        await turn.come;
        if (closed || isAway()) return false;
        const added = add(job, parsed, options);
        adding.add(added);
        added.finally(() => adding.delete(added)).catch(() => {});
        await within(WITHIN_MS, added);
        return true;
      } catch (error) {
        fail(job.name, error as Error);
        return false;
      } finally {
        turn.leave();
      }
    },

    async use(name, work) {
      // The caller has just waited for the queue in vain; slow work here does not block other callers.
      if (isAway()) throw new QueueAway();
      try {
        return await within(WITHIN_MS, open(name).then(work));
      } catch (error) {
        throw new QueueAway({ cause: error });
      }
    },

    async [Symbol.asyncDispose]() {
      closed = true;
      await within(WITHIN_MS, Promise.allSettled(adding)).catch(() => {});
      const closing = [...queues.values()].map(async (queue) => (await queue).close());
      await within(WITHIN_MS, Promise.allSettled(closing)).catch(() => {});
    },
  };
}
