/** What of BullMQ's `Queue` the shop uses. */
export interface JobQueue {
  add(name: string, data: object, options: JobQueueOptions): Promise<unknown>;
  /** By state. */
  getJobCounts(...states: JobState[]): Promise<Record<string, number>>;
  /** Ids of jobs in these states; finished ones by when they finished. */
  getRanges(states: JobState[], start: number, end: number, ascending: boolean): Promise<string[]>;
  getJob(id: string): Promise<RestingJob | undefined>;
  close(): Promise<void>;
}

/** The states that staff and metrics see. */
export type JobState = 'waiting' | 'delayed' | 'active' | 'failed';

/** A job as it stands in its queue. */
export interface RestingJob {
  data: unknown;
  /** When the job was put into the queue, in milliseconds since 1970. */
  timestamp: number;
  attemptsMade: number;
  failedReason: string;
  finishedOn?: number | null | undefined;
  /** Throws, with BullMQ's code, where it is not in the state any more. */
  retry(state: 'failed', options: { resetAttemptsMade: boolean }): Promise<unknown>;
}

/** How one job is put into a queue. */
export interface JobQueueOptions {
  jobId?: string;
  delay?: number;
  attempts: number;
  backoff: { type: 'exponential'; delay: number };
  removeOnComplete: { count: number; age: number };
  removeOnFail: { count: number; age: number };
}

/** A job as a worker gets it. */
export interface QueuedJob {
  id?: string | undefined;
  data: unknown;
  attemptsMade: number;
  /** Gives it back to the queue, as if it had not been begun. */
  moveToWait(token?: string): Promise<unknown>;
  /** Puts it off until an instant in milliseconds since 1970, as if it had not been begun. */
  moveToDelayed(timestamp: number, token?: string): Promise<unknown>;
}

/** What of BullMQ's `Worker` the shop uses. */
export interface JobWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: QueuedJob | undefined, error: Error) => void): unknown;
  /** Waits for the jobs that run. */
  close(): Promise<void>;
}

export type Processor = (job: QueuedJob, token?: string) => Promise<void>;

/** Where jobs are kept. Opening connects, and throws where that fails: then try again. */
export interface JobBackend extends AsyncDisposable {
  openQueue(name: string): Promise<JobQueue>;
  openWorker(name: string, processor: Processor, options: { concurrency: number }): Promise<JobWorker>;
  /** Rejects, with the cause in a few words, where nothing can be written to the queues. */
  check(): Promise<void>;
}
