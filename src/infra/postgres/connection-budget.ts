/** How the connections of one process are shared out. Together they are never more than the process may have. */
export interface ConnectionBudget {
  /** The pool of requests, consumers and everything else, and what of it is left to reads while changes wait for locks. */
  main: { poolSize: number; reservedForReads: number };
  /** The relay has a connection of its own, for which it never waits. */
  relay: 1;
  /** The execution of events for subscribers, which must not take the connections of requests. */
  live: number;
  /** Subscribers that come back and read the log. */
  replays: number;
  /** The job queue, where it is kept in PostgreSQL: one connection listens, the others send statements. */
  jobs: number;
}

/**
 * Shares out the connections of a process.
 * @param total what the process may have at most; 8 at least
 * @param given.jobsOnPostgres whether the job queue is kept in the database
 */
export function shareConnections(total: number, { jobsOnPostgres }: { jobsOnPostgres: boolean }): ConnectionBudget {
  const ample = total >= 16;
  const relay = 1;
  const live = ample ? 2 : 1;
  const replays = ample ? 2 : 1;
  const jobs = jobsOnPostgres ? (ample ? 4 : 2) : 0;
  const poolSize = total - relay - live - replays - jobs;
  const reservedForReads = Math.max(1, Math.ceil(poolSize / 4));
  return { main: { poolSize, reservedForReads }, relay, live, replays, jobs };
}
