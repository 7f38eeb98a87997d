import { expect, test } from 'vitest';
import { createLooks } from '../../src/modules/payments/payment-upkeep.ts';

const MINUTE = 60_000;

test('a payment of which nothing is heard is looked at less and less often, and at least once an hour', () => {
  const looks = createLooks();
  const at: number[] = [];
  for (let minute = 0; minute <= 300; minute += 1) {
    if (looks(['slow'], minute * MINUTE).length > 0) at.push(minute);
  }
  expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
});

test('of a payment that is over nothing is kept', () => {
  const looks = createLooks();
  expect(looks(['one', 'other'], 0)).toEqual(['one', 'other']);
  expect(looks(['one'], 1)).toEqual([]);
  expect(looks(['one', 'other'], 2)).toEqual(['other']);
});
