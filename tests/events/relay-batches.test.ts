import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { isContiguous, readNumbering, timeFor, writeFor } from '../../bench/relay/load.ts';
import { latencyOf } from '../../bench/relay/figures.ts';
import { holdSnapshot, startNode, type Place } from '../../bench/relay/place.ts';
import { createTestDatabase } from '../support/postgres.ts';

// What `npm run bench:relay` measures, where it does not depend on the machine.

test('what waits is numbered in full batches; beside many writers no number is left out, none is there twice, and the feed delivers each once', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const place: Place = {
    connectionString: database.url,
    logger: pino({ level: 'silent' }),
    dispose: () => Promise.resolve(),
  };
  await using node = await startNode(place, 12);
  const seqs: number[] = [];
  node.feed.subscribe({ event: ({ seq }) => void seqs.push(seq), reset: () => void seqs.push(NaN) });
  const load = { writers: 12, seconds: 1.5, rate: null };

  // Without a relay all of it waits; one that comes later numbers it in full batches.
  const bare = await writeFor(node, load);
  expect(await readNumbering(node.db, 0)).toMatchObject({ events: bare.commits, unnumbered: bare.commits, said: 0 });
  await node.withRelay(() => Promise.resolve());
  expect(node.batches.every((size, index) => size === 500 || index === node.batches.length - 1)).toBe(true);

  node.batches.length = 0;
  const flat = await node.withRelay(() => writeFor(node, load));
  expect(node.batches.reduce((sum, size) => sum + size, 0)).toBe(flat.commits);

  const commits = bare.commits + flat.commits;
  expect(isContiguous(await readNumbering(node.db, 0), 0, commits)).toBe(true);
  expect(seqs).toEqual(Array.from({ length: commits }, (_, index) => index + 1));
});

test('the load for latency is the one that was asked for, and each of its events is timed', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const place: Place = {
    connectionString: database.url,
    logger: pino({ level: 'silent' }),
    dispose: () => Promise.resolve(),
  };
  await using node = await startNode(place, 5);
  // Where the server notes no commit times there is nothing to count from, and the bench says so.
  await expect(node.withRelay(() => timeFor(node, { writers: 5, seconds: 1, rate: 100 }))).rejects.toThrow(
    'could not get commit timestamp data',
  );
  expect(isContiguous(await readNumbering(node.db, 0), 0, 100)).toBe(true);
  await using _snapshot = await holdSnapshot(place);
  expect(latencyOf([])).toEqual({ p50: NaN, p99: NaN });
});

test('a hole, a duplicate and an event without a number are noticed', () => {
  const sound = { events: 3, numbers: 3, unnumbered: 0, first: 8, last: 10, said: 10 };
  expect(isContiguous(sound, 7, 3)).toBe(true);
  for (const fault of [
    { events: 2, numbers: 2 },
    { numbers: 2 },
    { unnumbered: 1, numbers: 2 },
    { first: 9 },
    { last: 11 },
    { said: 9 },
  ]) {
    expect(isContiguous({ ...sound, ...fault }, 7, 3)).toBe(false);
  }
  expect(
    latencyOf(
      Array.from({ length: 200 }, (_, index) => ({ committedAt: index, deliveredAt: 2 * index })),
      100,
      200,
    ),
  ).toEqual({ p50: 149, p99: 198 });
});
