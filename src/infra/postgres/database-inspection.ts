import pg from 'pg';
import { NEEDED_BEHIND_POOLER, quoteIdentifier, type Session } from './connection.ts';
import { DatabaseUrlError, explainConnectError } from './database-url.ts';

/** A database that the shop cannot work on. The message says why, and what to do. */
export class DatabaseUnusableError extends Error {}

/** The extensions that the shop's functions and indexes use. */
const EXTENSIONS = ['unaccent', 'pg_trgm'];
const LEAST_VERSION = 150_000;
const CONNECT_WITHIN_MS = 20_000;

/** What a database is like as a plain connection finds it, without any setting of ours. */
export interface Inspection {
  version: string;
  versionNumber: number;
  encoding: string;
  /** Where names without a schema are made; null: no schema of the search path is there. */
  schema: string | null;
  searchPath: string;
  /** The schemas in which the extensions are. */
  extensionSchemas: string[];
  /** Whether the process that answers is the one that the log-in named: a pooler's log-in names none of its own. */
  pooled: boolean;
  role: string;
  database: string;
}

const INSPECT = `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS "versionNumber",
    pg_encoding_to_char(d.encoding) AS encoding, current_schema() AS schema, current_setting('search_path') AS "searchPath",
    ARRAY(SELECT DISTINCT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
           WHERE e.extname = ANY(string_to_array('${EXTENSIONS.join(',')}', ',')) ORDER BY 1) AS "extensionSchemas",
    pg_backend_pid() AS pid, current_user AS role, current_database() AS database
  FROM pg_database d WHERE d.datname = current_database()`;

/**
 * Looks at a database before any of the shop's connections is opened.
 * @param options.name of the setting that has the address, for messages
 * @param options.readToo reads more over the connection, which costs the server more than a statement
 * @throws DatabaseUnusableError in words where the shop cannot work on it
 */
export async function inspectDatabase(
  connectionString: string,
  {
    name = 'DATABASE_URL',
    readToo,
  }: { name?: string; readToo?: ((client: pg.ClientBase, found: Inspection) => Promise<void>) | undefined } = {},
): Promise<Inspection> {
  return withPlainClient(connectionString, name, async (client) => {
    const found = await inspect(client, name);
    await readToo?.(client, found);
    return found;
  });
}

/**
 * Looks at a database over a connection that has no setting of the shop.
 * @throws DatabaseUnusableError as `inspectDatabase`
 */
export async function inspect(client: pg.ClientBase, name: string): Promise<Inspection> {
  const { rows } = await client.query<Inspection & { pid: number }>(INSPECT);
  const [row] = rows;
  if (row === undefined) throw new DatabaseUnusableError(`${name} does not name a database.`);
  const found = { ...row, pooled: (client as unknown as { processID: number | null }).processID !== row.pid };
  if (found.versionNumber < LEAST_VERSION)
    throw new DatabaseUnusableError(`${name} is PostgreSQL ${found.version}; the shop needs version 15 or newer.`);
  if (found.encoding !== 'UTF8') {
    throw new DatabaseUnusableError(
      `The database ${found.database} has the encoding ${found.encoding}, which cannot hold every text of a shop. Make one ` +
        "with UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
    );
  }
  return found;
}

/** The search path of the shop's connections: its own schema, then those of the extensions that its functions call. */
export function searchPathOf(schema: string, { extensionSchemas }: Pick<Inspection, 'extensionSchemas'>): string[] {
  return [...new Set([schema, ...extensionSchemas])];
}

/**
 * Checks that connections through a transaction pooler have the settings that the shop depends on. It cannot set them: what
 * one transaction sets is gone with its server connection, or is met by another client.
 * @throws DatabaseUnusableError that has the statements which set them for the role
 */
export async function assertPooledSettings(connectionString: string, { searchPath }: Session): Promise<void> {
  const { rows, role, database } = await withPlainClient(connectionString, 'DATABASE_URL', async (client) => {
    // In one transaction, so on one server connection.
    const { rows: found } = await client.query<{ wrong: string; role: string; database: string; path: string[] }>(
      `SELECT ARRAY(SELECT s.name FROM pg_settings s JOIN unnest($1::text[], $2::text[]) AS w (name, setting)
                      ON lower(w.name) = lower(s.name) AND lower(w.setting) <> lower(s.setting))::text AS wrong,
              current_user AS role, current_database() AS database, current_schemas(false)::text[] AS path`,
      [Object.keys(NEEDED_BEHIND_POOLER), Object.values(NEEDED_BEHIND_POOLER)],
    );
    const [row] = found;
    if (row === undefined) throw new DatabaseUnusableError('DATABASE_URL does not name a database.');
    return { rows: row, role: row.role, database: row.database };
  });
  const wrong = new Set(rows.wrong.replaceAll(/[{}]/g, '').split(',').filter(Boolean));
  const needed = Object.entries(NEEDED_BEHIND_POOLER)
    .filter(([setting]) => [...wrong].some((one) => one.toLowerCase() === setting.toLowerCase()))
    .map(([setting, value]): [string, string] => [setting, `'${value}'`]);
  if (searchPath !== null && (rows.path[0] !== searchPath[0] || searchPath.some((one) => !rows.path.includes(one))))
    needed.push(['search_path', searchPath.map(quoteIdentifier).join(', ')]);
  if (needed.length === 0) return;
  const statements = needed.map(
    ([setting, value]) =>
      `  ALTER ROLE ${quoteIdentifier(role)} IN DATABASE ${quoteIdentifier(database)} SET ${setting} = ${value};`,
  );
  throw new DatabaseUnusableError(
    [
      'DATABASE_URL leads through a transaction pooler, which prevents the shop from changing session settings. Set them for',
      'the role, then make the pooler reconnect (PgBouncer: RECONNECT):',
      ...statements,
    ].join('\n'),
  );
}

/** Makes the schema that `?schema=` names, where it is not there. */
export async function createSchema(connectionString: string, schema: string, name: string): Promise<void> {
  await withPlainClient(connectionString, name, async (client) => {
    const { rows } = await client.query<{ there: boolean }>(
      'SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS there',
      [schema],
    );
    if (rows[0]?.there === true) return;
    try {
      // Another process may be as far as this one.
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === '23505' || code === '42P06') return;
      if (code !== '42501') throw error;
      throw new DatabaseUnusableError(
        `The schema ${schema} in ${name} does not exist, and the role may not create it. Run: CREATE SCHEMA ` +
          `${quoteIdentifier(schema)} AUTHORIZATION …;`,
        { cause: error },
      );
    }
  });
}

async function withPlainClient<T>(
  connectionString: string,
  name: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  // Without any setting of ours: poolers refuse most, and what the database has by itself is to be seen.
  const client = new pg.Client({
    connectionString,
    application_name: 'vitrine start',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    if (error instanceof DatabaseUnusableError || error instanceof DatabaseUrlError) throw error;
    const words = explainConnectError(error, name);
    throw words === null ? error : new DatabaseUnusableError(words, { cause: error });
  } finally {
    void client.end().catch(() => {});
  }
}
