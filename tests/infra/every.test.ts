import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { every, type Recurring } from '../../src/infra/every.ts';
import { ERROR, recordLogs, WARN } from '../support/logs.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs that go on until they are stopped. */
function openRuns() {
  const runs: { signal: AbortSignal; end: (error?: Error) => Promise<void> }[] = [];
  const run: Recurring['run'] = (signal) =>
    new Promise<void>((resolve, reject) => {
      const end = async (error?: Error) => {
        if (error === undefined) resolve();
        else reject(error);
        // What comes after it has come, too.
        await new Promise(setImmediate);
      };
      runs.push({ signal, end });
    });
  return { runs, run };
}

test('it runs at once and at intervals, never twice at the same time', async () => {
  const { runs, run } = openRuns();
  const { logger, logs } = recordLogs();
  const work = every({ ms: 1000, atOnce: true, run, failed: 'it failed', logger });
  expect(runs).toHaveLength(1);
  vi.advanceTimersByTime(5000);
  expect(runs).toHaveLength(1);
  await runs[0]?.end();
  vi.advanceTimersByTime(999);
  expect(runs).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(runs).toHaveLength(2);
  await runs[1]?.end();
  await work[Symbol.asyncDispose]();
  vi.advanceTimersByTime(5000);
  expect(runs).toHaveLength(2);
  expect(logs).toEqual([]);
});

test('or at intervals alone', async () => {
  const { runs, run } = openRuns();
  const { logger } = recordLogs();
  await using work = every({ ms: 1000, atOnce: false, run, failed: 'it failed', logger });
  expect(work).toBeDefined();
  vi.advanceTimersByTime(999);
  expect(runs).toHaveLength(0);
  vi.advanceTimersByTime(1);
  expect(runs).toHaveLength(1);
  await runs[0]?.end();
});

test('a run that fails is logged at the given level, and the next one follows', async () => {
  const { runs, run } = openRuns();
  const { logger, logs } = recordLogs();
  const work = every({ ms: 1000, atOnce: true, run, failed: 'it failed', logger });
  const loud = every({ ms: 1000, atOnce: true, run, failed: 'it failed badly', level: 'error', logger });
  await runs[0]?.end(new Error('no luck'));
  await runs[1]?.end(new Error('no luck'));
  expect(logs).toMatchObject([
    { level: WARN, msg: 'it failed', err: { message: 'no luck' } },
    { level: ERROR, msg: 'it failed badly' },
  ]);
  vi.advanceTimersByTime(1000);
  expect(runs).toHaveLength(4);
  await Promise.all(runs.map(({ end }) => end()));
  await Promise.all([work[Symbol.asyncDispose](), loud[Symbol.asyncDispose]()]);
});

test('disposal aborts the current run and waits for it; an error of it is not reported then', async () => {
  const { runs, run } = openRuns();
  const { logger, logs } = recordLogs();
  const work = every({ ms: 1000, atOnce: true, run, failed: 'it failed', logger });
  const closed = vi.fn();
  expect(runs[0]?.signal.aborted).toBe(false);
  const closing = work[Symbol.asyncDispose]().then(closed);
  expect(runs[0]?.signal.aborted).toBe(true);
  await new Promise(setImmediate);
  expect(closed).not.toHaveBeenCalled();
  await runs[0]?.end(new Error('cut off'));
  await closing;
  expect(logs).toEqual([]);
});

test('disposal waits for a run no longer than the given time', async () => {
  const { runs, run } = openRuns();
  const { logger } = recordLogs();
  const work = every({ ms: 1000, atOnce: true, run, failed: 'it failed', logger, closeWithinMs: 10 });
  await work[Symbol.asyncDispose]();
  expect(runs[0]?.signal.aborted).toBe(true);
  await runs[0]?.end();
});
