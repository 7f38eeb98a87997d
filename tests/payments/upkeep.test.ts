import { expect, test } from 'vitest';
import { createLooks } from '../../src/modules/payments/payment-upkeep.ts';

const MINUTE = 60_000;

test('a payment without news is looked up less and less often, and at least once an hour', () => {
  const looks = createLooks(10);
  const at: number[] = [];
  for (let minute = 0; minute <= 300; minute += 1) {
    if (looks.choose(['slow'], minute * MINUTE).length > 0) at.push(minute);
  }
  expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
});

test('of a payment that is over nothing is kept', () => {
  const looks = createLooks(10);
  expect(looks.choose(['one', 'other'], 0)).toEqual(['one', 'other']);
  expect(looks.choose(['one'], 1)).toEqual([]);
  expect(looks.choose(['one', 'other'], 2)).toEqual(['other']);
});

test('all payments have their turn, however many there are, and each at its own time', () => {
  const looks = createLooks(2);
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const next = (now: number) => {
    const begin = looks.after === null ? 0 : ids.indexOf(looks.after) + 1;
    return looks.choose(ids.slice(begin, begin + 2), now);
  };
  expect([next(0), next(0), next(0)]).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect([next(1), next(1), next(1)]).toEqual([[], [], []]);
  expect([next(MINUTE), next(MINUTE), next(MINUTE)]).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});
