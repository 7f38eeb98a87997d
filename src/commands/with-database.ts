import { loadConfig } from '../config/config.ts';
import { openDatabase, type Database } from '../infra/postgres/database.ts';
import { findDatabase, prepareDatabase, type DatabasePlace } from '../infra/postgres/database-place.ts';
import { Disposals } from '../infra/disposals.ts';
import { createLogger } from '../infra/logger.ts';
import { endOnSignals } from './end-on-signals.ts';

/**
 * Runs a command that works on the shop's database: brings it up to date, and lets go of it when the work is done or a signal
 * ends the command. The log says nothing below a warning, unless LOG_LEVEL asks for more.
 * @throws what the configuration, the start of the database or the work throws
 */
export async function withDatabase(work: (db: Database, place: DatabasePlace) => Promise<void>): Promise<void> {
  endOnSignals();
  const config = loadConfig();
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const disposals = new Disposals(logger);
  try {
    const place = await findDatabase(config, logger, disposals);
    await prepareDatabase(place, logger);
    const db = openDatabase({ ...place.main, poolSize: 2, logger });
    disposals.add('database', () => db[Symbol.asyncDispose]());
    await work(db, place);
  } finally {
    await disposals.run();
  }
}
