import { ConfigError, loadConfig } from '../config/config.ts';
import { renewLog } from '../events/log-home.ts';
import { openDatabase } from '../infra/database.ts';
import { findDatabase, prepareDatabase } from '../infra/database-place.ts';
import { Disposals } from '../infra/disposals.ts';
import { createLogger } from '../infra/logger.ts';
import { endOnSignals } from './end-on-signals.ts';

// `npm run db:restored` gives the event log a new epoch, after a backup was restored over the same database.

endOnSignals();
try {
  const config = loadConfig();
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const disposals = new Disposals(logger);
  try {
    const place = await findDatabase(config, logger, disposals);
    await prepareDatabase(place, logger);
    const db = openDatabase({ ...place.main, poolSize: 1, logger });
    disposals.add('database', () => db[Symbol.asyncDispose]());
    const { epoch } = await renewLog(db);
    console.log(
      `The event log has a new epoch, ${epoch} (${place.data}). Subscribers with a cursor of before read their page again. Start the shop.`,
    );
  } finally {
    await disposals.run();
  }
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}
