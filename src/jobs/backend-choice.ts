import type { Config } from '../config/config.ts';
import type { Logger } from '../infra/logger.ts';
import type { JobBackend } from './backend.ts';
import { createPostgresJobs } from './postgres-backend.ts';
import { createRedisJobs } from './redis-backend.ts';

/** The one choice of where jobs are kept: Redis where there is one, else the shop's own PostgreSQL. */
export function createJobBackend(options: {
  config: Pick<Config, 'redisUrl'>;
  /** Of the shop's database. */
  connectionString: string;
  /** Names the shop among those that share a Redis. */
  shop: () => Promise<string>;
  logger: Logger;
}): JobBackend {
  const { config, connectionString, shop, logger } = options;
  return config.redisUrl === null
    ? createPostgresJobs({ connectionString, logger })
    : createRedisJobs({ url: config.redisUrl, shop, logger });
}
