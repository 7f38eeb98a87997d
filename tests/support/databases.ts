import { randomBytes } from 'node:crypto';
import pg from 'pg';

const PREFIX = 'vitrine_test_';
const DAY_MS = 86_400_000;
const SYNTAX_ERROR = '42601';

/** Makes a database of a new name on a server: empty, or a copy of another one that nobody is connected to. */
export async function createDatabase(serverUrl: string, template?: string): Promise<{ name: string; url: string }> {
  // The time is there for `dropOldDatabases`.
  const name = `${PREFIX}${Date.now()}_${randomBytes(6).toString('hex')}`;
  await withDatabase(serverUrl, async (client) => {
    if (template === undefined) {
      await client.query(`CREATE DATABASE ${name}`);
      return;
    }
    const create = `CREATE DATABASE ${name} TEMPLATE ${template}`;
    try {
      await client.query(`${create} STRATEGY FILE_COPY`);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === SYNTAX_ERROR)) throw error;
      await client.query(create); // before PostgreSQL 15, which knew no other strategy
    }
  });
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

/** Drops a database, whoever is connected to it. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await withDatabase(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

/** Drops what runs that were killed left on a server that outlives them: every test database of more than a day ago. */
export async function dropOldDatabases(serverUrl: string): Promise<void> {
  await withDatabase(serverUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [PREFIX],
    );
    for (const { datname } of rows) {
      const made = Number(datname.slice(PREFIX.length).split('_')[0]);
      if (made < Date.now() - DAY_MS) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    }
  });
}

/** Connects to a database for as long as the work takes. */
export async function withDatabase<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
