import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { refuse, type InputPath } from '../user-error.ts';
import { changesBetween, type StaffService } from './staff.service.ts';

/** A job that failed for good, and rests in its queue for a while. */
export interface FailedJob {
  /** Made of its queue and its name there: the same as long as it rests. */
  id: string;
  queue: string;
  /** Its name in the queue, as logs have it. */
  jobId: string;
  attempts: number;
  failedAt: Date;
  /** The last error's message, cut, without what may be a secret in it. */
  reason: string;
  /** Of the request that it came from, where it came from one. */
  requestId: string | null;
}

/** The queue does not answer: try again later. */
export class QueueAway extends Error {
  constructor(options?: ErrorOptions) {
    super('The job queue is not reachable', options);
    this.name = 'QueueAway';
  }
}

/** How a queue stands. */
export interface QueueState {
  queue: string;
  /** Jobs by state: due now; due later; being run; failed in all attempts. */
  waiting: number;
  delayed: number;
  active: number;
  failed: number;
  /** Since when the first of the waiting jobs has been in the queue; null if none waits. */
  oldestWaitingSince: Date | null;
}

/** Where failed jobs rest. It answers within a second or two, or throws QueueAway. */
export interface FailedJobStore {
  /** The queues that there are. */
  names: readonly string[];
  /** The state of each queue. */
  states(): Promise<QueueState[]>;
  page(queue: string, page: PageRequest): Promise<Page<FailedJob>>;
  count(queue: string): Promise<number>;
  byIds(ids: readonly string[]): Promise<FailedJob[]>;
  /** Puts one back to be run, as if it had never been tried. False: it does not rest there any more. */
  retry(job: FailedJob): Promise<boolean>;
}

/** Jobs that failed for good: seen by staff, and run again when they say so. */
export interface FailedJobService extends Omit<FailedJobStore, 'retry'> {
  /**
   * Has one run again, and records who said so. It gives the job as it was.
   * @throws Refusal NOT_FOUND where it does not rest any more, UNAVAILABLE where the queue is away
   */
  retry(id: string, who: { actorId: string; path: InputPath }): Promise<FailedJob>;
}

/** Wires it. */
export function createFailedJobService(deps: {
  db: Database;
  staff: StaffService;
  /** Called for each use. @throws QueueAway in a process that has no job queue, such as a command */
  store: () => FailedJobStore;
}): FailedJobService {
  const { db, staff, store } = deps;
  return {
    get names() {
      return store().names;
    },
    states: async () => store().states(),
    page: async (queue, page) => store().page(queue, page),
    count: async (queue) => store().count(queue),
    byIds: async (ids) => store().byIds(ids),
    async retry(id, { actorId, path }) {
      try {
        const [job] = await store().byIds([id]);
        if (job === undefined) return refuse('NOT_FOUND', 'Failed job not found.', path);
        return await db.transaction(async (tx) => {
          const subject = { type: 'FailedJob', id } as const;
          const changes = changesBetween(job, { reason: null, attempts: 0 });
          const note = `${job.queue} ${job.jobId}`.slice(0, 1000);
          await staff.record(tx, await readClock(tx), { actorId, kind: 'FAILED_JOB_RETRIED', subject, changes, note });
          // Last, and bounded: what cannot be recorded is not done. No lock is held meanwhile but that of the new entry.
          if (!(await store().retry(job)))
            refuse('NOT_FOUND', 'The job is no longer in the list of failed jobs.', path);
          return job;
        });
      } catch (error) {
        if (error instanceof QueueAway) refuse('UNAVAILABLE', 'The job queue is not reachable. Try again later.', path);
        throw error;
      }
    },
  };
}
