import type { Config } from '../config/config.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import { createLocalBus, type EventBus } from './bus.ts';
import { readEnd } from './event-log.ts';
import { createRedisBus } from './redis-bus.ts';

/** The bus that the configuration calls for: over Redis where there is one, else within this process. */
export function createEventBus(options: {
  config: Config;
  db: Database;
  /** Names the database. */
  home: string;
  logger: Logger;
}): EventBus {
  const { config, db, home, logger } = options;
  if (config.redisUrl === null) return createLocalBus();
  return createRedisBus({ url: config.redisUrl, epoch: async () => (await readEnd(db)).epoch, home, logger });
}
