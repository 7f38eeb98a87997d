import { expect, test } from 'vitest';
import { createKeyedQueue, createKeyedSemaphore, type Turn } from '../../src/infra/limits/keyed-semaphore.ts';
import { createNetworkSemaphore } from '../../src/infra/limits/network-semaphore.ts';
import { known } from '../support/known.ts';

test('so many seats for each key, and no more until one is given back', () => {
  const seats = createKeyedSemaphore(2);
  expect([seats.take('a'), seats.take('a'), seats.take('a')]).toEqual([true, true, false]);
  expect(seats.take('b')).toBe(true);
  seats.leave('a');
  expect([seats.take('a'), seats.take('a')]).toEqual([true, false]);
});

test('a seat in an IPv6 network is one in the /56 and in the /48 around it, and all are given back together', () => {
  const seats = createNetworkSemaphore(1);
  const taken: string[] = [];
  for (let subnet = 0; subnet < 0x10000; subnet += 1) {
    const network = `2001:db8:1:${subnet.toString(16)}::/64`;
    if (seats.take(network)) taken.push(network);
  }
  // Four of each of the first four /56: that is all that the /48 has.
  expect(taken.map((network) => network.split(':')[3])).toEqual([
    '0',
    '1',
    '2',
    '3',
    '100',
    '101',
    '102',
    '103',
    '200',
    '201',
    '202',
    '203',
    '300',
    '301',
    '302',
    '303',
  ]);
  expect([seats.take('2001:db8:2:1::/64'), seats.take('192.0.2.1'), seats.take('192.0.2.1')]).toEqual([
    true,
    true,
    false,
  ]);
  seats.leave(known(taken[0]));
  // What was refused has left no seat taken anywhere.
  expect([seats.take('2001:db8:1:ffff::/64'), seats.take('2001:db8:1:0::/64')]).toEqual([true, false]);
  for (const network of [...taken.slice(1), '2001:db8:1:ffff::/64']) seats.leave(network);
  expect(taken.map((network) => seats.take(network))).toEqual(taken.map(() => true));
});

/** Enters, and notes when the turn has come. */
function enter(lines: ReturnType<typeof createKeyedQueue>, came: string[], name: string): Turn {
  const turn = known(lines.enter('key'));
  void turn.come.then(() => came.push(name));
  return turn;
}

const turnOfLoop = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test('a caller without a place waits in line, and each release admits one caller', async () => {
  const lines = createKeyedQueue({ atATime: 2, waiting: 3 });
  const came: string[] = [];
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => enter(lines, came, name));
  await turnOfLoop();
  expect(came).toEqual(['a', 'b']);
  expect(lines.enter('key')).toBeNull();
  expect(lines.enter('other')).not.toBeNull();

  known(a).leave();
  known(a).leave();
  await turnOfLoop();
  expect(came).toEqual(['a', 'b', 'c']);

  // Who gives up waiting is let go, and takes nobody's turn.
  known(d).leave();
  known(b).leave();
  await turnOfLoop();
  expect(came).toEqual(['a', 'b', 'c', 'd', 'e']);

  // Both seats are taken still, by c and e; then both are free.
  const f = enter(lines, came, 'f');
  await turnOfLoop();
  expect(came).not.toContain('f');
  for (const turn of [c, e, f]) known(turn).leave();
  const [g, h] = [enter(lines, came, 'g'), enter(lines, came, 'h')];
  await turnOfLoop();
  expect(came.slice(-2)).toEqual(['g', 'h']);
  for (const turn of [g, h]) turn.leave();
});

test('a line of length 0 is full as soon as the places are taken', () => {
  const lines = createKeyedQueue({ atATime: 1, waiting: 0 });
  const turn = known(lines.enter('key'));
  expect(lines.enter('key')).toBeNull();
  turn.leave();
  expect(lines.enter('key')).not.toBeNull();
});
