import { openDatabase, type Database } from '../infra/postgres/database.ts';
import { findDatabase, prepareDatabase, type DatabasePlace } from '../infra/postgres/database-place.ts';
import { Disposals } from '../infra/disposals.ts';
import { configure, type CommandContext } from './command.ts';

/**
 * Runs work on the shop's database without the rest of the shop: brings it up to date, and lets go of it when the work is done.
 * @throws what the configuration, the start of the database or the work throws
 */
export async function withDatabase(
  context: CommandContext,
  work: (db: Database, place: DatabasePlace) => Promise<void>,
): Promise<void> {
  const { config, logger } = configure(context);
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
