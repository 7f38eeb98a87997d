import type { Config } from '../config/config.ts';
import type { Disposals } from './disposals.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { Logger } from './logger.ts';

/** Where the shop's database is. */
export interface DatabasePlace {
  connectionString: string;
  /** The same for people. */
  data: string;
}

/** The one choice of a database: the one that is named, else the embedded one, which is started or joined. */
export async function findDatabase(
  { database }: Pick<Config, 'database'>,
  logger: Logger,
  disposals: Disposals,
): Promise<DatabasePlace> {
  if (database.kind === 'url') {
    const { hostname, port, pathname } = new URL(database.url);
    return { connectionString: database.url, data: `PostgreSQL at ${hostname}:${port || '5432'}${pathname}` };
  }
  const postgres = await startEmbeddedPostgres({ dataDir: database.dataDir, logger });
  disposals.add('embedded PostgreSQL', () => postgres.dispose());
  const how = postgres.attached ? 'attached to the embedded PostgreSQL' : 'embedded PostgreSQL';
  return { connectionString: postgres.connectionString, data: `${how} in ${database.dataDir}` };
}
