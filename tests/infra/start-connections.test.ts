import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { Disposals } from '../../src/infra/disposals.ts';
import { findDatabase, prepareDatabase } from '../../src/infra/postgres/database-place.ts';
import { createPostgresJobs } from '../../src/jobs/postgres-backend.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/postgres.ts';

// A connection costs the server as much as dozens of statements.

const logger = pino({ level: 'silent' });

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.dispose());

/** Connections that are opened, and statements that are sent, while some work is done. */
async function recordConnections(work: () => Promise<unknown>) {
  const real = { connect: pg.Client.prototype.connect, query: pg.Client.prototype.query };
  const statements: string[] = [];
  let connections = 0;
  Object.assign(pg.Client.prototype, {
    connect(this: pg.Client, ...given: unknown[]): unknown {
      connections += 1;
      return Reflect.apply(real.connect, this, given);
    },
    query(this: pg.Client, ...given: unknown[]): unknown {
      const [first] = given as [string | { text: string }];
      statements.push(typeof first === 'string' ? first : first.text);
      return Reflect.apply(real.query, this, given);
    },
  });
  try {
    await work();
  } finally {
    Object.assign(pg.Client.prototype, real);
  }
  return { connections, statements };
}

/** Finds a database and brings it up to date, as each start does. */
async function prepare(place: Parameters<typeof findDatabase>[0]['database']): Promise<void> {
  const disposals = new Disposals(logger);
  try {
    await prepareDatabase(await findDatabase({ database: place }, logger, disposals), logger);
  } finally {
    await disposals.run();
  }
}

const common = { poolSize: 12, pooler: null, directUrl: null };

test('a start opens one connection to find that a database is up to date', async () => {
  const { connections } = await recordConnections(() => prepare({ ...common, kind: 'url', url: database.url }));
  expect(connections).toBe(1);
});

test('a start that finds migrations to apply opens two more: to apply them, and to see what they made', async () => {
  await using empty = await createEmptyDatabase().then(disposable);
  const place = { ...common, kind: 'url', url: empty.url } as const;
  expect(await recordConnections(() => prepare(place))).toMatchObject({ connections: 3 });
  expect(await recordConnections(() => prepare(place))).toMatchObject({ connections: 1 });
});

test('the direct address alone may name the schema, beside another shop in the schema that the search path leads to', async () => {
  await using shared = await createEmptyDatabase().then(disposable);
  await prepare({ ...common, kind: 'url', url: shared.url });
  await prepare({ ...common, kind: 'url', url: shared.url, directUrl: `${overTcp(shared.url)}?schema=honey` });
  await withClient(shared.url, async (client) => {
    const { rows } = await client.query(`SELECT to_regclass('honey.products') IS NOT NULL AS made`);
    expect(rows).toEqual([{ made: true }]);
  });
});

test('a later start on the embedded server opens one connection: the one that shows that the server answers', async () => {
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'start-'));
  chmodSync(folder, 0o711);
  const place = { kind: 'embedded', dataDir: join(folder, 'data'), poolSize: 12 } as const;
  await prepare(place);
  expect(await recordConnections(() => prepare(place))).toMatchObject({ connections: 1 });
});

test('the tables of the job queue are not touched where they are up to date', async () => {
  const { statements } = await recordConnections(async () => {
    await using jobs = createPostgresJobs({ connectionString: database.url, logger });
    await jobs.check();
  });
  expect(statements.filter((statement) => /CREATE|ALTER|UPDATE/.test(statement))).toEqual([]);
  expect(statements.at(-1)).toBe('SELECT 1');
});

test('the tables of the job queue are brought up to date where they are older', async () => {
  await using older = await createTestDatabase().then(disposable);
  await withClient(older.url, async (client) => {
    await client.query('ALTER TABLE bullmq.migration DROP COLUMN min_client_version');
    await using jobs = createPostgresJobs({ connectionString: older.url, logger });
    await jobs.check();
    const { rows } = await client.query('SELECT bool_and(min_client_version > 0) AS whole FROM bullmq.migration');
    expect(rows).toEqual([{ whole: true }]);
  });
});

const disposable = (made: TestDatabase) => ({ url: made.url, [Symbol.asyncDispose]: () => made.dispose() });

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
