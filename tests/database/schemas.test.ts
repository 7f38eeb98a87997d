import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.ts';
import { goMainJourneys, orderIsWrittenOf } from '../support/journeys.ts';
import { createTestShop } from '../support/shop.ts';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createEmptyDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.dispose();
});

const inSchema = (schema: string) => {
  const url = new URL(database.url);
  url.searchParams.set('schema', schema);
  return { database, env: { DATABASE_URL: url.href } };
};
const titles = async (schema: string) =>
  (await client.query<{ title: string }>(`SELECT title FROM "${schema}".products`)).rows.length;

test('two shops live in one database, each in the schema that its address names', async () => {
  const one = await createTestShop(inSchema('shop_one'));
  const two = await createTestShop(inSchema('Shop two'));
  try {
    await goMainJourneys(one);
    await orderIsWrittenOf(one);
    const { products } = await two
      .client()
      .data<{ products: { nodes: unknown[] } }>('{ products(first: 5) { nodes { title } } }');
    expect(products.nodes).toEqual([]);
    expect(await two.db.prisma.order.count()).toBe(0);
    await goMainJourneys(two);
    await orderIsWrittenOf(two);
  } finally {
    await one.dispose();
    await two.dispose();
  }
  expect([await titles('shop_one'), await titles('Shop two')]).toEqual([1, 1]);
  const { rows } = await client.query<{ tables: number }>(
    "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'",
  );
  expect(rows).toEqual([{ tables: 0 }]);
  // The second start of each.
  for (const schema of ['shop_one', 'Shop two']) await (await createTestShop(inSchema(schema))).dispose();
});

// oxlint-disable-next-line vitest/expect-expect -- the journeys expect
test('extensions may be in another schema than those of the search path', async () => {
  const other = await createEmptyDatabase();
  const owner = new pg.Client({ connectionString: other.url });
  await owner.connect();
  try {
    await owner.query(
      'CREATE SCHEMA extensions; CREATE EXTENSION unaccent SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions',
    );
    const shop = await createTestShop({ database: other });
    try {
      await goMainJourneys(shop);
    } finally {
      await shop.dispose();
    }
  } finally {
    await owner.end();
    await other.dispose();
  }
});

test('a search path without a schema that is there is refused in words', async () => {
  const other = await createEmptyDatabase();
  const owner = new pg.Client({ connectionString: other.url });
  await owner.connect();
  try {
    await owner.query(`ALTER DATABASE ${new URL(other.url).pathname.slice(1)} SET search_path = nowhere`);
    await expect(createTestShop({ database: other })).rejects.toThrow(
      /schemas in the search path .* is there \(nowhere\).*\?schema=/,
    );
  } finally {
    await owner.end();
    await other.dispose();
  }
});

test('a database that cannot hold every text is refused in words', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_latin`;
  await client.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  try {
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    await expect(createTestShop({ database, env: { DATABASE_URL: url.href } })).rejects.toThrow(
      /encoding LATIN1.*UTF8/s,
    );
  } finally {
    await client.query(`DROP DATABASE ${name}`);
  }
});
