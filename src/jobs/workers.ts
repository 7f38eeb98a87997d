import { setTimeout as delay } from 'node:timers/promises';
import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import { isDatabaseAway } from '../infra/postgres/database-faults.ts';
import type { Logger } from '../infra/logger.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import type { JobBackend, JobWorker, QueuedJob } from './backend.ts';
import type { Job } from './define-job.ts';
import { envelopeSchema } from './queues.ts';

const RETRY_MS = 1000;
/** Until a job is tried again that found the database away. */
const OUTAGE_MS = 5000;
/** Within the grace that the whole shop has. */
const DRAIN_MS = 5000;
/** What is only just being opened is not waited for that long. */
const OPEN_MS = 1000;

/** Runs the jobs of this process, one worker for each queue. It need not be reachable yet: workers come when it is. */
export interface JobWorkers {
  /** Takes nothing new, and waits for what runs; not for ever. */
  drain(): Promise<void>;
}

/** How a run of a job ended. POSTPONED: the database was away, which uses up no try. */
export type JobOutcome = 'ok' | 'failed' | 'failed_for_good' | 'given_back' | 'postponed';

/** Has jobs run. Takes jobs of any payload: each parses its own. */
export function startJobWorkers(options: {
  backend: JobBackend;
  jobs: readonly Job<unknown>[];
  logger: Logger;
  /** Called with each run, for the metrics. */
  onRun?: (job: string, outcome: JobOutcome, seconds: number) => void;
  tracer?: Tracer | null;
}): JobWorkers {
  const { backend, jobs, logger, onRun = () => {}, tracer = null } = options;
  const stop = new AbortController();
  const running = new Set<JobWorker>();
  const openings = jobs.map((job) => open(job));

  /** Tries until it has one, or the shop closes. */
  async function open(job: Job<unknown>): Promise<void> {
    for (let failed = false; !stop.signal.aborted; failed = true) {
      try {
        const worker = await backend.openWorker(job.name, (...given) => process(job, ...given), job);
        worker.on('failed', (queued, error) => report(job, queued, error));
        running.add(worker);
        if (stop.signal.aborted) await worker.close();
        else if (failed) logger.info({ job: job.name }, 'the job queue is reachable again');
        return;
      } catch (error) {
        if (stop.signal.aborted) break;
        if (!failed) logger.warn({ reason: (error as Error).message, job: job.name }, 'the job queue is not reachable');
        await delay(RETRY_MS, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  }

  async function process(job: Job<unknown>, queued: QueuedJob, token?: string): Promise<void> {
    const began = performance.now();
    const ended = (outcome: JobOutcome) => onRun(job.name, outcome, (performance.now() - began) / 1000);
    try {
      // One more may come while the worker closes.
      stop.signal.throwIfAborted();
      await run(job, queued);
      ended('ok');
    } catch (error) {
      if (!stop.signal.aborted || error !== stop.signal.reason) {
        if (isDatabaseAway(error)) {
          ended('postponed');
          await postpone(job, queued, token, error);
        }
        ended(isLast(job, queued.attemptsMade + 1, error) ? 'failed_for_good' : 'failed');
        throw error;
      }
      ended('given_back');
      await queued.moveToWait(token);
      throw new WaitingError();
    }
  }

  /**
   * Puts a job off that could not do its work because the database was away. The queue may be away with it: then it is
   * tried until it is back, or until somebody else has the job.
   * @throws DelayedError once it is put off
   */
  async function postpone(
    job: Job<unknown>,
    queued: QueuedJob,
    token: string | undefined,
    error: unknown,
  ): Promise<never> {
    const { message: reason } = error as Error;
    logger.warn({ reason, job: job.name, jobId: queued.id }, 'a job is put off: the database is away');
    for (;;) {
      try {
        await queued.moveToDelayed(Date.now() + OUTAGE_MS, token);
        throw new DelayedError();
      } catch (fault) {
        if (fault instanceof DelayedError || stop.signal.aborted || !isDatabaseAway(fault)) throw fault;
        await delay(RETRY_MS, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  }

  async function run(job: Job<unknown>, queued: QueuedJob): Promise<void> {
    const envelope = envelopeSchema.safeParse(queued.data);
    const payload = job.schema.safeParse(envelope.data?.payload);
    // Another time it would be no better.
    if (!envelope.success || !payload.success) {
      const fault = envelope.error ?? payload.error;
      throw new UnrecoverableError(`invalid payload for ${job.name}: ${fault?.message ?? ''}`);
    }
    const { requestId, traceparent } = envelope.data;
    const scope = { job: job.name, jobId: queued.id, ...(requestId === null ? {} : { requestId }) };
    const work = () => job.run(payload.data, { signal: stop.signal, logger: logger.child(scope) });
    if (tracer === null) return work();
    const attributes = { 'vitrine.job.name': job.name, 'vitrine.job.id': queued.id ?? '' };
    return tracer.run(`job ${job.name}`, { kind: 'consumer', attributes, parent: traceparent ?? null }, work);
  }

  function report(job: Job<unknown>, queued: QueuedJob | undefined, error: Error): void {
    const tries = queued?.attemptsMade ?? 0;
    const last = isLast(job, tries, error);
    const line = { err: error, job: job.name, jobId: queued?.id, tries };
    if (last) logger.error(line, 'job failed permanently');
    else logger.warn(line, 'job failed; retrying');
  }

  return {
    async drain() {
      stop.abort();
      const opened = Promise.race([Promise.all(openings), delay(OPEN_MS, undefined, { ref: false })]);
      const drained = Promise.all([opened, ...[...running].map((worker) => worker.close())]).then(() => true);
      // What is left after that is run again elsewhere, once BullMQ's lock on it has run out.
      const inTime = await Promise.race([drained, delay(DRAIN_MS, false, { ref: false })]);
      if (!inTime) logger.warn('workers did not finish in time; their jobs will be run again');
    },
  };
}

/** Whether a job is left among the failed ones after so many tries. */
function isLast(job: Job<unknown>, tries: number, error: unknown): boolean {
  return tries >= job.attempts || error instanceof UnrecoverableError;
}
