import pg from 'pg';
import { expect, test } from 'vitest';
import { createEmptyDatabase } from '../support/postgres.ts';
import { goMainJourneys, orderIsWrittenOf } from '../support/journeys.ts';
import { createTestShop } from '../support/shop.ts';

/** Everything that a statement or its result may depend on, set as no shop would have it. */
const OTHERWISE = {
  timezone: "'Pacific/Auckland'",
  datestyle: "'SQL, DMY'",
  intervalstyle: "'sql_standard'",
  search_path: 'elsewhere, public',
  standard_conforming_strings: 'off',
  client_encoding: "'LATIN1'",
  bytea_output: "'escape'",
  extra_float_digits: '-15',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_transaction_isolation: "'serializable'",
  statement_timeout: '10000',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '1',
  client_min_messages: "'debug1'",
  default_text_search_config: "'pg_catalog.german'",
  xmloption: "'document'",
};

test.each(['DATABASE', 'ROLE'])('the main journeys work with every setting of the %s otherwise', async (level) => {
  const database = await createEmptyDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const name = new URL(database.url).pathname.slice(1);
  const role = `${name}_role`;
  const url = new URL(database.url);
  try {
    await client.query(`CREATE SCHEMA elsewhere`);
    if (level === 'ROLE') {
      await client.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'x'`);
      url.username = role;
      url.password = 'x';
    }
    for (const [setting, value] of Object.entries(OTHERWISE)) {
      await client.query(
        level === 'ROLE'
          ? `ALTER ROLE ${role} IN DATABASE ${name} SET ${setting} = ${value}`
          : `ALTER DATABASE ${name} SET ${setting} = ${value}`,
      );
    }
    // The second start finds what the first one made.
    for (let start = 1; start <= 2; start += 1) {
      const shop = await createTestShop({ database, env: { DATABASE_URL: url.href } });
      try {
        if (start === 1) await goMainJourneys(shop);
        await orderIsWrittenOf(shop);
        expect((await shop.request({ path: '/health/ready' })).json()).toEqual({ status: 'ready' });
      } finally {
        await shop.dispose();
      }
    }
    const { rows } = await client.query<{ schema: string }>(
      "SELECT DISTINCT schemaname AS schema FROM pg_tables WHERE tablename IN ('orders', '_prisma_migrations')",
    );
    expect(rows).toEqual([{ schema: 'elsewhere' }]);
  } finally {
    if (level === 'ROLE') await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await client.end();
    await database.dispose();
  }
});
