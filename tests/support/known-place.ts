import { pino } from 'pino';
import type { Config } from '../../src/config/config.ts';
import { Disposals } from '../../src/infra/disposals.ts';
import { findDatabase, type DatabasePlace } from '../../src/infra/postgres/database-place.ts';
import type { TestDatabase } from './postgres.ts';

/** What was found in the first clone. */
let first: Promise<DatabasePlace> | undefined;

/**
 * What the start of a shop would find in a database that was just cloned. All clones are alike, so only the first
 * of a worker is inspected: the connection for that takes 20 ms of processor time, and a run opens hundreds of shops.
 * @param config names a clone in which nothing was changed, and leaves the rest of the settings of the database as tests have them
 */
export async function placeOfClone({ url }: TestDatabase, config: Pick<Config, 'database'>): Promise<DatabasePlace> {
  const logger = pino({ level: 'silent' });
  first ??= findDatabase(config, logger, new Disposals(logger)).catch((error: unknown) => {
    first = undefined;
    throw error;
  });
  const found = await first;
  return {
    ...found,
    main: { ...found.main, connectionString: url },
    direct: { ...found.direct, connectionString: url },
    data: 'a database of tests',
    // Nothing is migrated, and there is no pooler.
    settle: () => Promise.resolve(),
  };
}
