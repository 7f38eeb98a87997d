import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSharedListener } from '../../src/jobs/shared-listener.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.dispose());

test('workers that begin to listen at once do so one after the other, and one that fails holds up no other', async () => {
  let [running, most] = [0, 0];
  await using shared = createSharedListener(async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const query = client.query.bind(client) as unknown as (...args: unknown[]) => Promise<unknown>;
    client.query = (async (...args: unknown[]) => {
      running += 1;
      most = Math.max(most, running);
      try {
        return await query(...args);
      } finally {
        running -= 1;
      }
    }) as never;
    return client;
  });
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  // `end()` does not wait until the connections are closed, and the database is dropped at once.
  pool.on('error', () => {});
  const workers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const facade = shared.poolFor(pool as never);
      (await facade.connect()).release();
      return facade.connect();
    }),
  );
  const heard: string[] = [];
  for (const worker of workers) {
    worker.on('notification', (({ payload }: pg.Notification) => heard.push(payload ?? '')) as never);
  }
  const asked = workers.map((worker, index) => worker.query(index === 2 ? 'LISTEN' : 'LISTEN shared_listener_test'));
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, true]);
  expect(most).toBe(1);
  await workers[0]?.query("SELECT pg_notify('shared_listener_test', 'a job')");
  expect(heard).toEqual(Array.from({ length: 5 }, () => 'a job'));
  await pool.end();
});
