import type pg from 'pg';
import type { Config } from '../../config/config.ts';
import { DIRECT, type Session } from './connection.ts';
import {
  assertPooledSettings,
  createSchema,
  DatabaseUnusableError,
  inspect,
  inspectDatabase,
  searchPathOf,
} from './database-inspection.ts';
import { readDatabaseUrl } from './database-url.ts';
import type { Disposals } from '../disposals.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { Logger } from '../logger.ts';
import { readRecords, type MigrationRecord } from '../migrations/migration-record.ts';
import { migrate } from '../migrations/migrations.ts';

/** One way to the database: an address, and what connections to it can keep. */
export interface Route {
  connectionString: string;
  session: Session;
}

/** Where the shop's database is. */
export interface DatabasePlace {
  /** For statements and transactions. */
  main: Route;
  /** Past any pooler, for what lasts longer than a transaction: migrations, and the job queue that listens. */
  direct: Route;
  /** The schema of the shop's tables. */
  schema: string;
  /** The database, in words for people. */
  data: string;
  /** Migrations that the database had when it was found. */
  migrations: readonly MigrationRecord[];
  /** Resolves where the database is gone for good and the process should end: with what to say of it. */
  lost: Promise<Error>;
  /**
   * Settles how connections find tables and extensions, once the database is up to date.
   * @param migrated whether anything has changed since the place was found
   */
  settle(migrated: boolean): Promise<void>;
}

/**
 * The one choice of a database: the one that is named, else the embedded one, which is started or joined.
 * @param options.meanwhile called while the embedded server starts, which takes the processor of this process for little
 */
export async function findDatabase(
  { database }: Pick<Config, 'database'>,
  logger: Logger,
  disposals: Disposals,
  { meanwhile, signal }: { meanwhile?: (() => void) | undefined; signal?: AbortSignal | undefined } = {},
): Promise<DatabasePlace> {
  if (database.kind === 'url') return findNamed(database, logger);
  const schema = 'public';
  let searchPath: string[] = [];
  let migrations: MigrationRecord[] = [];
  // The connection that shows that the server answers reads all that a start needs to know.
  const look = async (client: pg.ClientBase) => {
    searchPath = searchPathOf(schema, await inspect(client, 'The embedded PostgreSQL'));
    migrations = await readRecords(client, schema);
  };
  const postgres = await startEmbeddedPostgres({ dataDir: database.dataDir, logger, meanwhile, look, signal });
  disposals.add('embedded PostgreSQL', () => postgres.dispose());
  const how = postgres.attached ? 'attached to the embedded PostgreSQL' : 'embedded PostgreSQL';
  const route: Route = { connectionString: postgres.connectionString, session: { ...DIRECT, searchPath } };
  return place({
    main: route,
    direct: route,
    schema,
    migrations,
    data: `${how} in ${database.dataDir}`,
    lost: postgres.lost,
  });
}

/**
 * Brings the database up to date, and settles how connections reach it.
 * @param signal ends a pause in which a migration waits for locks of others
 */
export async function prepareDatabase(found: DatabasePlace, logger: Logger, signal?: AbortSignal): Promise<void> {
  const { applied } = await migrate({ ...found.direct, logger, seen: found.migrations, signal });
  await found.settle(applied.length > 0);
}

async function findNamed(database: Config['database'] & { kind: 'url' }, logger: Logger): Promise<DatabasePlace> {
  const main = readDatabaseUrl(database.url);
  // Either address may name the schema.
  const second = database.directUrl === null ? null : readDatabaseUrl(database.directUrl, 'DATABASE_DIRECT_URL');
  const named = main.schema ?? second?.schema ?? null;
  let migrations: MigrationRecord[] = [];
  const readToo = async (client: pg.ClientBase, schemaOf: { schema: string | null }) => {
    const schema = named ?? schemaOf.schema;
    if (schema !== null) migrations = await readRecords(client, schema);
  };
  const seen = await inspectDatabase(main.connectionString, second === null ? { readToo } : {});
  const pooler = database.pooler ?? (main.pgbouncer || seen.pooled ? 'transaction' : 'none');
  if (database.pooler === 'none' && seen.pooled)
    logger.warn('DATABASE_POOLER is none, but a pooler answered the connection');
  const { hostname, port, pathname } = new URL(database.url);
  const where = `PostgreSQL at ${hostname}:${port || '5432'}${pathname}`;

  const direct = second ?? (pooler === 'transaction' ? null : main);
  if (direct === null) {
    throw new DatabaseUnusableError(
      'DATABASE_URL leads through a connection pooler, and there is no way past it for migrations and for the job queue, ' +
        'which need connections of their own: set DATABASE_DIRECT_URL to the address of the database itself. If each client ' +
        'keeps its server connection there, set DATABASE_POOLER=session; if there is no pooler at all, DATABASE_POOLER=none.',
    );
  }
  const directName = second === null ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL';
  let there = second === null ? seen : await inspectDatabase(direct.connectionString, { name: directName, readToo });
  if (there.pooled && second !== null && database.pooler === null) {
    throw new DatabaseUnusableError(
      'DATABASE_DIRECT_URL leads through a connection pooler itself: it must be the address of the database. (If there is ' +
        'none, set DATABASE_POOLER=none or DATABASE_POOLER=session.)',
    );
  }
  if (named !== null) {
    await createSchema(direct.connectionString, named, directName);
    there = { ...there, schema: named };
  }
  const { schema } = there;
  if (schema === null) {
    throw new DatabaseUnusableError(
      `None of the schemas in the search path of the role ${there.role} is there (${there.searchPath}): make one of them, or ` +
        'name another one in DATABASE_URL by ?schema=…',
    );
  }
  assertSameDatabase(seen, there);
  const searchPath = searchPathOf(schema, there);
  const past = there.pooled && pooler !== 'none' ? 'session' : 'none';
  // Without a second address the first one keeps a connection, or it would have been refused.
  const directPooler = second === null ? pooler : past;
  const found = place({
    main: { connectionString: main.connectionString, session: { pooler, searchPath } },
    direct: {
      connectionString: direct.connectionString,
      session: { pooler: directPooler, searchPath },
    },
    schema,
    migrations,
    data: schema === 'public' ? where : `${where}, schema ${schema}`,
    // A server that is away may come back.
    lost: new Promise(() => {}),
  });
  logger.info({ pooler, schema }, 'database found');
  return found;
}

function assertSameDatabase(one: { database: string }, other: { database: string }): void {
  if (one.database === other.database) return;
  throw new DatabaseUnusableError(
    `DATABASE_URL leads to the database ${one.database}, and DATABASE_DIRECT_URL to ${other.database}: both must lead to the same.`,
  );
}

function place(given: Omit<DatabasePlace, 'settle'>): DatabasePlace {
  return {
    ...given,
    async settle(migrated) {
      const { main, direct, schema } = given;
      if (migrated) {
        const searchPath = searchPathOf(schema, await inspectDatabase(direct.connectionString));
        main.session = { ...main.session, searchPath };
        direct.session = { ...direct.session, searchPath };
      }
      if (main.session.pooler === 'transaction') await assertPooledSettings(main.connectionString, main.session);
    },
  };
}
