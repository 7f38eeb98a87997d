import type { Config } from '../config/config.ts';
import type { Logger } from '../infra/logger.ts';
import type { JobBackend } from './backend.ts';
import { createPostgresJobs, type PostgresJobsOptions } from './postgres-backend.ts';
import { createRedisJobs } from './redis-backend.ts';

/** What the job queue needs to know of the database beside its address. */
export type JobPlace = Omit<PostgresJobsOptions, 'connectionString' | 'logger'>;

/** The one choice of where jobs are kept: Redis where there is one, else the shop's own PostgreSQL. */
export function createJobBackend(options: {
  config: Pick<Config, 'redisUrl'>;
  /** Of the shop's database, straight to it. */
  connectionString: string;
  /** More of the database, where it is needed. */
  place?: JobPlace | undefined;
  /** Names the shop among those that share a Redis. */
  shop: () => Promise<string>;
  logger: Logger;
}): JobBackend {
  const { config, connectionString, place, shop, logger } = options;
  return config.redisUrl === null
    ? createPostgresJobs({ ...place, connectionString, logger })
    : createRedisJobs({ url: config.redisUrl, shop, logger });
}
