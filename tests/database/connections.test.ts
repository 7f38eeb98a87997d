import { createTestShop, type TestShop } from '../support/shop.ts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shareConnections } from '../../src/infra/postgres/connection-budget.ts';
import { goMainJourneys } from '../support/journeys.ts';
import { meanwhile } from '../support/meanwhile.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

describe.each([16, 8])('a process that may have %i connections', (total) => {
  let database: TestDatabase;
  let client: pg.Client;
  let shop: TestShop;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url, application_name: 'the test' });
    await client.connect();
    shop = await createTestShop({ database, env: { DATABASE_POOL_SIZE: String(total) } });
  });
  afterAll(async () => {
    await shop.dispose();
    await client.end();
    await database.dispose();
  });

  const count = async () => {
    const { rows } = await client.query<{ held: number }>(
      `SELECT count(*)::int AS held FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> 'the test'`,
    );
    return rows[0]?.held ?? 0;
  };

  test('never has more, whatever is asked of it', async () => {
    const counts: number[] = [];
    await using counting = meanwhile(async () => counts.push(await count()));
    const read = () => shop.client().execute('{ products(first: 5) { totalCount nodes { title } } }');
    const write = () => shop.client().execute('mutation { cartCreate { cart { id } } }');
    const work = await Promise.all([
      goMainJourneys(shop),
      ...Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? read() : write())),
    ]);
    await counting.stop();
    expect(work.filter((answer) => answer?.errors !== undefined)).toEqual([]);
    expect(counts.length).toBeGreaterThan(3);
    expect(Math.max(...counts)).toBeLessThanOrEqual(total);
    // The workers of the queue are all there by then: they listen on one connection.
    await until('the queue listens', async () => {
      const { rows } = await client.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vitrine jobs listener'",
      );
      return rows.length === 1;
    });
  });
});

test('the shares of a process add up to what it may have, with Redis and without', () => {
  for (let total = 8; total <= 40; total += 1) {
    for (const jobsOnPostgres of [true, false]) {
      const { main, relay, live, replays, jobs } = shareConnections(total, { jobsOnPostgres });
      const { poolSize, reservedForReads } = main;
      expect(poolSize + relay + live + replays + jobs).toBe(total);
      expect(poolSize).toBeGreaterThan(reservedForReads);
      expect(reservedForReads).toBeGreaterThan(0);
    }
  }
});
