import { v5 as uuidOf } from 'uuid';
import type { Page, PageRequest } from '../infra/postgres/page.ts';
import type { FailedJob, FailedJobStore, QueueState } from '../modules/staff/failed-jobs.service.ts';
import type { JobQueue, RestingJob } from './backend.ts';
import { envelopeSchema, type JobQueues } from './queues.ts';

/** Names for this use alone; never to be changed. */
const NAMESPACE = '0b7b2f0e-6f0a-4c55-9a51-3f1f6a5d8a11';
const MAX_REASON = 500;
/** What an address of a server may hold between its slashes and its name. */
const CREDENTIALS = /(?<=:\/\/)[^\s/@]*:[^\s/@]*(?=@)/g;
/** Those of BullMQ that say that a job is not there, is locked, or is in another state. */
const GONE: ReadonlySet<unknown> = new Set([-1, -2, -3]);

/** The id by which the shop knows a job of a queue: row ids are UUIDs, and a job's name may be anything. */
function idOf(queue: string, jobId: string): string {
  return uuidOf(`${queue}:${jobId}`, NAMESPACE);
}

function describe(message: string): string {
  return message
    .replaceAll(CREDENTIALS, '…')
    .slice(0, MAX_REASON)
    .replace(/[\ud800-\udbff]$/, '');
}

function toFailed(queue: string, jobId: string, job: RestingJob): FailedJob | null {
  // One that was put back between the two looks.
  if (job.finishedOn === undefined || job.finishedOn === null) return null;
  return {
    id: idOf(queue, jobId),
    queue,
    jobId,
    attempts: job.attemptsMade,
    failedAt: new Date(job.finishedOn),
    reason: describe(job.failedReason),
    requestId: envelopeSchema.safeParse(job.data).data?.requestId ?? null,
  };
}

/** The ids of all that rest, the latest first: at most a thousand, since no more are kept. */
function restingIn(queue: JobQueue): Promise<string[]> {
  return queue.getRanges(['failed'], 0, -1, false);
}

/** By the ids; BullMQ gives jobs one by one, where they are in PostgreSQL. */
async function read(name: string, queue: JobQueue, jobIds: readonly string[]): Promise<FailedJob[]> {
  const found = await Promise.all(
    jobIds.map(async (jobId) => {
      const job = await queue.getJob(jobId);
      return job === undefined ? null : toFailed(name, jobId, job);
    }),
  );
  return found.filter((job) => job !== null);
}

/** Where in the list, the latest first, a cursor stands: the job itself may not rest any more. */
async function placeOf(name: string, queue: JobQueue, resting: readonly string[], [ms, jobId]: readonly string[]) {
  const known = jobId === undefined ? -1 : resting.indexOf(jobId);
  if (known !== -1) return { before: known, after: known + 1 };
  let [low, high] = [0, resting.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const [job] = await read(name, queue, resting.slice(middle, middle + 1));
    if (job !== undefined && job.failedAt.getTime() > Number(ms)) low = middle + 1;
    else high = middle;
  }
  return { before: low, after: low };
}

async function pageOf(name: string, queue: JobQueue, { limit, direction, cursor }: PageRequest) {
  const resting = await restingIn(queue);
  const place = cursor === null ? { before: resting.length, after: 0 } : await placeOf(name, queue, resting, cursor);
  const [from, to] =
    direction === 'forward'
      ? [place.after, Math.min(place.after + limit, resting.length)]
      : [Math.max(place.before - limit, 0), place.before];
  const jobs = await read(name, queue, resting.slice(from, to));
  const page: Page<FailedJob> = {
    rows: jobs.map((job) => ({ ...job, cursor: [String(job.failedAt.getTime()), job.jobId] })),
    hasNextPage: to < resting.length,
    hasPreviousPage: from > 0,
  };
  return page;
}

async function stateOf(name: string, queue: JobQueue): Promise<QueueState> {
  const [counts, [oldest]] = await Promise.all([
    queue.getJobCounts('waiting', 'delayed', 'active', 'failed'),
    queue.getRanges(['waiting'], 0, 0, true),
  ]);
  const job = oldest === undefined ? undefined : await queue.getJob(oldest);
  const { waiting = 0, delayed = 0, active = 0, failed = 0 } = counts;
  const oldestWaitingSince = job === undefined ? null : new Date(job.timestamp);
  return { queue: name, waiting, delayed, active, failed, oldestWaitingSince };
}

/** The failed jobs of these queues. */
export function createFailedJobStore({
  queues,
  names,
}: {
  queues: Pick<JobQueues, 'use'>;
  names: readonly string[];
}): FailedJobStore {
  return {
    names,
    states: () => Promise.all(names.map((name) => queues.use(name, (queue) => stateOf(name, queue)))),
    page: (name, page) => queues.use(name, (queue) => pageOf(name, queue, page)),
    count: (name) => queues.use(name, async (queue) => (await queue.getJobCounts('failed')).failed ?? 0),
    async byIds(ids) {
      const wanted = new Set(ids);
      const found = await Promise.all(
        names.map((name) =>
          queues.use(name, async (queue) => {
            const resting = await restingIn(queue);
            const jobIds = resting.filter((jobId) => wanted.has(idOf(name, jobId)));
            return read(name, queue, jobIds);
          }),
        ),
      );
      return found.flat();
    },
    retry: ({ queue: name, jobId }) =>
      queues.use(name, async (queue) => {
        const job = await queue.getJob(jobId);
        try {
          await job?.retry('failed', { resetAttemptsMade: true });
        } catch (error) {
          if (GONE.has((error as { code?: unknown }).code)) return false;
          throw error;
        }
        return job !== undefined;
      }),
  };
}
