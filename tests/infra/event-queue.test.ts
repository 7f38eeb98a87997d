import { expect, test } from 'vitest';
import { LaggedError } from '../../src/events/stream.ts';
import { createEventQueue } from '../../src/graphql/live/event-queue.ts';
import { known } from '../support/known.ts';
import { until } from '../support/until.ts';

const unlimited = { inFlight: 1_000_000, perTurn: 1_000_000, waiting: 1_000_000 };

test('a turn of the event loop begins so much and no more', async () => {
  const queue = createEventQueue({ ...unlimited, perTurn: 500 });
  let turn = 0;
  let over = false;
  const begun = new Map<number, number>();
  // Asked for before the queue asks for its own: it comes first in every turn.
  const count = () => {
    turn += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const works = Array.from({ length: 100 }, () =>
    queue.run('a', 100, async () => void begun.set(turn, (begun.get(turn) ?? 0) + 100)),
  );
  await Promise.all(works);
  over = true;
  expect(Math.max(...begun.values())).toBeLessThanOrEqual(500);
  expect([...begun.values()].reduce((sum, cost) => sum + cost, 0)).toBe(10_000);
});

test('so much is in flight and no more', async () => {
  const queue = createEventQueue({ ...unlimited, inFlight: 30 });
  const open: (() => void)[] = [];
  let most = 0;
  let done = 0;
  const works = Array.from({ length: 10 }, () =>
    queue.run('a', 10, async () => {
      await new Promise<void>((resolve) => {
        open.push(resolve);
        most = Math.max(most, open.length - done);
      });
      done += 1;
    }),
  );
  for (let i = 0; i < 10; i += 1) known(await until('one begins', () => open[i]))();
  await Promise.all(works);
  expect(most).toBe(3);
});

test('lanes get equal shares of the cost, however much waits in each', async () => {
  const queue = createEventQueue({ ...unlimited, inFlight: 1 });
  const order: string[] = [];
  const add = (lane: string, cost: number) => queue.run(lane, cost, async () => void order.push(lane));
  const works = [
    ...Array.from({ length: 50 }, () => add('heavy', 1000)),
    ...Array.from({ length: 50 }, () => add('light', 10)),
  ];
  await Promise.all(works);
  // The light lane waits for the one that began before it came, and for no other.
  expect(order.slice(0, 51).filter((lane) => lane === 'heavy')).toHaveLength(1);
  expect(order.slice(51)).toEqual(Array.from({ length: 49 }, () => 'heavy'));
});

test('a lane that has too much waiting lags, and no other', async () => {
  const queue = createEventQueue({ inFlight: 1, perTurn: 100, waiting: 2 });
  let open: (() => void) | undefined;
  const first = queue.run('a', 1, () => new Promise<void>((resolve) => (open = resolve)));
  const waiting = [queue.run('a', 1, async () => 1), queue.run('a', 1, async () => 2)];
  await expect(queue.run('a', 1, async () => 3)).rejects.toThrow(LaggedError);
  const other = queue.run('b', 1, async () => 4);
  known(await until('the first has begun', () => open))();
  await first;
  expect(await Promise.all([...waiting, other])).toEqual([1, 2, 4]);
});

test('a failure reaches its caller, and the queue goes on', async () => {
  const queue = createEventQueue({ ...unlimited, inFlight: 1 });
  await expect(queue.run('a', 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await queue.run('a', 1, async () => 'yes')).toBe('yes');
});
