import { v5 as uuidOf } from 'uuid';
import { UnrecoverableError } from 'bullmq';
import type { JobBackend } from '../../src/jobs/backend.ts';
import { globalId } from './fixtures.ts';
import { until } from './until.ts';

/** By which the API knows a job of a queue that failed. */
export function failedJobId(queue: string, jobId: string): string {
  return globalId('FailedJob', uuidOf(`${queue}:${jobId}`, '0b7b2f0e-6f0a-4c55-9a51-3f1f6a5d8a11'));
}

/** A job that is to fail. */
export interface Failing {
  jobId: string;
  reason: string;
  requestId?: string;
  /** How often it is tried. */
  attempts?: number;
}

/** Has jobs fail for good, one after the other, as a worker does that cannot do them. */
export async function failJobs(backend: JobBackend, name: string, jobs: readonly Failing[]): Promise<void> {
  const queue = await backend.openQueue(name);
  const worker = await backend.openWorker(
    name,
    async ({ data, attemptsMade }) => {
      const { payload } = data as { payload: { reason: string; attempts: number } };
      if (attemptsMade + 1 < payload.attempts) throw new Error('not yet for good');
      throw new UnrecoverableError(payload.reason);
    },
    { concurrency: 1 },
  );
  try {
    for (const { jobId, reason, requestId = null, attempts = 1 } of jobs) {
      await queue.add(
        name,
        { payload: { reason, attempts, second: 1 }, requestId },
        {
          jobId,
          attempts: 10,
          backoff: { type: 'exponential', delay: 1 },
          removeOnComplete: { count: 10, age: 60 },
          removeOnFail: { count: 1000, age: 3600 },
        },
      );
      await until('it has failed', async () => (await queue.getRanges(['failed'], 0, -1, false)).includes(jobId));
    }
  } finally {
    await worker.close();
    await queue.close();
  }
}
