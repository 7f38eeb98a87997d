import type { z } from 'zod';
import type { Logger } from '../infra/logger.ts';

/** What a run of a job is given beside its payload. */
export interface JobRun {
  /** Aborted when the shop closes. A run that then throws the signal's reason is given back to the queue. */
  signal: AbortSignal;
  /** Names the job, and the request that it came from. */
  logger: Logger;
}

/**
 * A kind of job. A job is a nudge: what is to be done stands in rows, so that a job that is lost, or runs twice, or late,
 * does no harm.
 */
export interface Job<Payload> {
  /** In kebab-case; also the name of its queue. */
  name: string;
  /** Of its payload, which holds ids and numbers. Parsed when it is enqueued, and again when it is run. */
  schema: z.ZodType<Payload>;
  /** How often it is tried before it is left among the failed ones, for staff to see. */
  attempts: number;
  /** Before the second try; twice as long before each further one. */
  backoffMs: number;
  /** How many run at the same time in one process. */
  concurrency: number;
  /** Whether a run does the work of many requests, and is therefore a trace of its own. Default: it continues the request's. */
  ownTrace: boolean;
  run(payload: Payload, run: JobRun): Promise<void>;
}

const NAME = /^[a-z]+(-[a-z]+)*$/;

/** Declares a kind of job. */
export function defineJob<Payload>(
  job: Pick<Job<Payload>, 'name' | 'schema' | 'run'> & Partial<Job<Payload>>,
): Job<Payload> {
  if (!NAME.test(job.name)) throw new Error(`"${job.name}" is not a valid name for a job`);
  return { attempts: 4, backoffMs: 500, concurrency: 1, ownTrace: false, ...job };
}
