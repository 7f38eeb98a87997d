import { randomBytes } from 'node:crypto';
import pg from 'pg';

const PREFIX = 'vitrine_test_';
const DAY_MS = 86_400_000;

/** Makes a database of a new name on a server: empty, or a copy of another one that nobody is connected to. */
export async function createDatabase(serverUrl: string, template?: string): Promise<{ name: string; url: string }> {
  // The time is there for `dropOldDatabases`.
  const name = `${PREFIX}${Date.now()}_${randomBytes(6).toString('hex')}`;
  const from = template === undefined ? '' : ` TEMPLATE ${template} STRATEGY FILE_COPY`;
  await send(serverUrl, `CREATE DATABASE ${name}${from}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

/** Drops a database, whoever is connected to it. */
export function dropDatabase(serverUrl: string, name: string): Promise<void> {
  return send(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
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

/** A connection to each server that tests make databases on: opening one for each database would cost as much as the database. */
const servers = new Map<string, Promise<Server>>();

interface Server {
  client: pg.Client & { ref(): void; unref(): void };
  /** Statements in progress. */
  busy: number;
}

/** Sends a statement to a server, over a connection that stays open and keeps no process from ending. */
async function send(serverUrl: string, statement: string): Promise<void> {
  const server = await (servers.get(serverUrl) ?? open(serverUrl));
  if (server.busy === 0) server.client.ref();
  server.busy += 1;
  try {
    await server.client.query(statement);
  } finally {
    server.busy -= 1;
    if (server.busy === 0) server.client.unref();
  }
}

function open(serverUrl: string): Promise<Server> {
  // Its types leave out that it has both.
  const client = new pg.Client({
    connectionString: serverUrl,
    application_name: 'databases of tests',
  }) as Server['client'];
  const forget = () => servers.delete(serverUrl);
  // The server ends before the process does.
  client.on('error', forget).on('end', forget);
  const opened = client.connect().then(() => {
    client.unref();
    return { client, busy: 0 };
  });
  opened.catch(forget);
  servers.set(serverUrl, opened);
  return opened;
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
