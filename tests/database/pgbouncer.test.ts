import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goMainJourneys, orderIsWrittenOf } from '../support/journeys.ts';
import { startPgBouncer, hasPgBouncer, type PgBouncer } from '../support/pgbouncer.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

describe.skipIf(!hasPgBouncer('The shop'))('behind PgBouncer', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let bouncer: PgBouncer;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    bouncer = await startPgBouncer(database.url, 'transaction');
  });
  afterAll(async () => {
    await bouncer.dispose();
    await client.end();
    await database.dispose();
  });

  const open = (env: NodeJS.ProcessEnv): Promise<TestShop> =>
    createTestShop({ database, env: { DATABASE_URL: bouncer.through(database.url), ...env } });

  test('in transaction mode reads, orders, subscriptions and jobs work', async () => {
    const shop = await open({ DATABASE_DIRECT_URL: database.url });
    try {
      await goMainJourneys(shop);
      await orderIsWrittenOf(shop);
      // More at a time than there are connections, several times over: each meets the statements of others.
      for (let round = 0; round < 3; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 30 }, () =>
            shop.client().execute('{ products(first: 5) { totalCount nodes { title } } }'),
          ),
        );
        expect(answers.filter(({ errors }) => errors !== undefined)).toEqual([]);
      }
      expect((await shop.request({ path: '/health/ready' })).json()).toEqual({ status: 'ready' });
    } finally {
      await shop.dispose();
    }
  });

  test('without a way past the pooler it is refused in words', async () => {
    await expect(open({})).rejects.toThrow(/connection pooler.*set DATABASE_DIRECT_URL.*DATABASE_POOLER=session/s);
  });

  test('a way past the pooler that leads through it as well is refused', async () => {
    await expect(open({ DATABASE_DIRECT_URL: bouncer.through(database.url) })).rejects.toThrow(
      /DATABASE_DIRECT_URL leads through a connection pooler itself/,
    );
  });

  test('settings that a transaction pooler cannot be sent are refused, with the statements that set them', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await client.query(
      `ALTER DATABASE ${name} SET intervalstyle = 'iso_8601'; ALTER DATABASE ${name} SET extra_float_digits = 0`,
    );
    const fresh = await startPgBouncer(database.url, 'transaction');
    const url = fresh.through(database.url);
    try {
      const refused = await open({ DATABASE_URL: url, DATABASE_DIRECT_URL: database.url }).catch(
        (error: Error) => error.message,
      );
      expect(refused).toMatch(/ALTER ROLE "\w+" IN DATABASE "\w+" SET IntervalStyle = 'postgres';/);
      const statements = (refused as string).split('\n').filter((line) => line.startsWith('  ALTER'));
      expect(statements).toHaveLength(2);
      for (const statement of statements) await client.query(statement);
      await fresh.dispose();
      const again = await startPgBouncer(database.url, 'transaction');
      try {
        const shop = await open({ DATABASE_URL: again.through(database.url), DATABASE_DIRECT_URL: database.url });
        await shop.dispose();
      } finally {
        await again.dispose();
      }
    } finally {
      await client.query(`ALTER DATABASE ${name} RESET ALL`);
      const [user] = [decodeURIComponent(new URL(database.url).username)];
      await client.query(`ALTER ROLE "${user}" IN DATABASE ${name} RESET ALL`);
      await fresh.dispose();
    }
  });

  test('in session mode it works without a way past it, with settings of its own', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await client.query(
      `ALTER DATABASE ${name} SET intervalstyle = 'iso_8601'; ALTER DATABASE ${name} SET timezone = 'Asia/Tokyo'`,
    );
    const session = await startPgBouncer(database.url, 'session');
    const shop = await open({ DATABASE_URL: session.through(database.url), DATABASE_POOLER: 'session' });
    try {
      await goMainJourneys(shop);
      const [row] = await shop.db.query<{ style: string; zone: string }>({
        name: 'session_settings',
        text: "SELECT current_setting('intervalstyle') AS style, current_setting('timezone') AS zone",
      });
      expect(row).toEqual({ style: 'postgres', zone: 'UTC' });
    } finally {
      await shop.dispose();
      await session.dispose();
      await client.query(`ALTER DATABASE ${name} RESET ALL`);
    }
  });
});
