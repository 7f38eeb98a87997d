import type { Config } from '../config/config.ts';
import type { Disposals } from './disposals.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { Logger } from './logger.ts';

/** Where the shop's database is. */
export interface DatabasePlace {
  connectionString: string;
  /** The same for people. */
  data: string;
  /** Resolves where the database is gone for good and the process should end: with what to say of it. */
  lost: Promise<Error>;
}

/** The one choice of a database: the one that is named, else the embedded one, which is started or joined. */
export async function findDatabase(
  { database }: Pick<Config, 'database'>,
  logger: Logger,
  disposals: Disposals,
  signal?: AbortSignal,
): Promise<DatabasePlace> {
  if (database.kind === 'url') {
    const { hostname, port, pathname } = new URL(database.url);
    const data = `PostgreSQL at ${hostname}:${port || '5432'}${pathname}`;
    // A server that is away may come back.
    return { connectionString: database.url, data, lost: new Promise(() => {}) };
  }
  const postgres = await startEmbeddedPostgres({ dataDir: database.dataDir, logger, signal });
  disposals.add('embedded PostgreSQL', () => postgres.dispose());
  const how = postgres.attached ? 'attached to the embedded PostgreSQL' : 'embedded PostgreSQL';
  const { connectionString, lost } = postgres;
  return { connectionString, data: `${how} in ${database.dataDir}`, lost };
}
