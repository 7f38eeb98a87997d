import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillLog } from '../../bench/replay/fill.ts';
import { openDatabase } from '../../src/infra/postgres/database.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startProcess } from '../support/shop-process.ts';

// The same with a million events: `npm run bench:replay`.
const EVENTS = 100_000;
/** What may lie about; all the events together take several times as much. */
const MOST_MB = 5;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await using db = openDatabase({ connectionString: database.url, poolSize: 2, logger: pino({ level: 'silent' }) });
  await fillLog(db, EVENTS);
});
afterAll(() => database.dispose());

/** Replays all of it in a process of its own; how the heap grew from the first tenth to the last. */
async function replay(...args: string[]) {
  const { output, exited } = startProcess(['--expose-gc', 'bench/replay/stream-child.ts', database.url, ...args], {});
  expect(await exited, output()).toBe(0);
  const found = JSON.parse(output()) as { seen: number; inOrder: boolean; heap: number[]; kept: number };
  expect(found).toMatchObject({ seen: EVENTS, inOrder: true, kept: args.length * EVENTS });
  expect(found.heap).toHaveLength(10);
  return Math.max(...found.heap.slice(1)) - known(found.heap[0]);
}

test('the replay of a long log holds a page of it at a time', async () => {
  expect(await replay()).toBeLessThan(MOST_MB);
});

test('control: a reader that keeps the events is detected', async () => {
  expect(await replay('keep')).toBeGreaterThan(3 * MOST_MB);
});
