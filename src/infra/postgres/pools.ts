import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { TimeLimits } from './connection.ts';
import { shareConnections } from './connection-budget.ts';
import { openDatabase, openReader, type Database, type Reader } from './database.ts';
import type { DatabasePlace } from './database-place.ts';
import type { Disposals } from '../disposals.ts';
import type { Logger } from '../logger.ts';
import type { Tracer } from '../tracing/tracer.ts';

/** The pools of a process. Together with the relay and the job queue they have the connections that it may have. */
export interface Pools {
  db: Database;
  /** For the execution of events, which must not take the connections of requests, expiry and mail. */
  live: Database;
  /** For subscribers that come back: so many pages of the log are read at a time, and the others wait. */
  reader: Reader;
  /** How many connections the job queue may have, where it is kept in PostgreSQL. */
  jobs: number;
}

const CLOSE_WITHIN_MS = 500;

/** Opens them. Nothing is connected until the first statement of each. */
export function openPools(options: {
  place: DatabasePlace;
  config: Pick<Config, 'database' | 'redisUrl'>;
  limits: Partial<TimeLimits> | undefined;
  disposals: Disposals;
  tracer: Tracer | null;
  logger: Logger;
}): Pools {
  const { place, config, limits, disposals, tracer, logger } = options;
  const budget = shareConnections(config.database.poolSize, { jobsOnPostgres: config.redisUrl === null });
  const settings = { ...place.main, limits, tracer, logger };
  const open = (name: string, size: { poolSize: number; reservedForReads?: number }): Database => {
    const pool = openDatabase({ ...settings, ...size });
    // A statement that hangs must not keep the process; the server rolls back what is cut off.
    const patience = () => delay(CLOSE_WITHIN_MS, undefined, { ref: false });
    disposals.add(name, () => Promise.race([pool[Symbol.asyncDispose](), patience()]));
    return pool;
  };
  const db = open('database', budget.main);
  const live = open('live connections', { poolSize: budget.live });
  const reader = openReader({ ...place.main, poolSize: budget.replays, logger });
  disposals.add('replays', () => reader[Symbol.asyncDispose]());
  return { db, live, reader, jobs: budget.jobs };
}
