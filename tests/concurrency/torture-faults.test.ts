import { describe, expect, test } from 'vitest';
import { UsageError } from '../../bench/options.ts';
import { runTortureFaults } from '../../bench/torture-faults/main.ts';
import { readOptions } from '../../bench/torture-faults/options.ts';
import { createRandom } from '../../bench/torture-faults/random.ts';
import { judge, type Facts } from '../../bench/torture-faults/verdict.ts';
import { runAsProcess, runInProcess } from '../support/command.ts';

describe('npm run torture:faults', () => {
  test('loses nothing in a short run on one process with its own PostgreSQL', async () => {
    const short = ['--way', 'embedded', '--faults', '2', '--seed', '11', '--shoppers', '2', '--subscribers', '2'];
    const { code, output } = await runAsProcess('bench/torture-faults.ts', short);
    expect(output).not.toContain('✗');
    expect(output).toMatch(
      /embedded: 2 faults, [1-9]\d* orders, [1-9]\d* events, \d+ answers lost .*: 0 losses → PASS/,
    );
    expect(code).toBe(0);
  }, 240_000);

  test('explains itself', async () => {
    const { code, output } = await runInProcess(runTortureFaults, ['--fast'], { env: {} });
    expect(output).toContain("Unknown option '--fast'");
    expect(output).toContain('npm run torture:faults --');
    expect(code).toBe(2);
  });

  test.each([
    [['--faults', '0'], '--faults takes a whole number from 1'],
    [['--seed', 'x'], '--seed takes a whole number'],
    [['--recover-within', '0'], '--recover-within takes a whole number from 1'],
    [['--way', 'both ways'], '--way takes embedded, services or both'],
  ])('refuses %s', (args, explanation) => {
    const read = () => readOptions(args);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(explanation);
  });
});

test('a seed gives the same numbers each time, and another seed others', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, () => random.between(1, 1000));
  };
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
});

describe('the verdict', () => {
  const order = { id: 'a', number: '1001', units: 2, email: 'a@example.com' };
  const log = [{ seq: 1, available: 9, variantId: 'v' }];
  const seen = [{ seq: 1, available: 9 }];
  const follower = { name: 'subscriber 1', variantIds: new Set(['v']), seen };
  const confirmed = (): Facts['confirmed'] => ({
    orders: new Map([['key', order]]),
    adjustments: new Map([['k', 3]]),
    unknown: [],
    contradictions: [],
    unanswered: 4,
  });
  const sound = (): Facts => ({
    confirmed: confirmed(),
    orders: [order],
    adjustments: new Map([['k', 3]]),
    discrepancies: [],
    log,
    followed: [follower],
    subscriberFaults: [],
    delivered: new Map([['a@example.com', 1]]),
    endedByThemselves: [],
  });
  const lossesOf = (facts: Facts, inflicted: Parameters<typeof judge>[1] = []) =>
    judge(facts, inflicted).flatMap(({ name, losses }) => (losses === 0 ? [] : [name]));

  test('is good where all is there', () => {
    expect(lossesOf(sound(), [{ name: 'Redis killed', recoveredMs: 12 }])).toEqual([]);
  });

  test.each<[string, Partial<Facts>, string]>([
    ['an order that was promised is not there', { orders: [] }, 'orders'],
    ['an order has other units', { orders: [{ ...order, units: 1 }] }, 'orders'],
    ['an order was confirmed to nobody', { orders: [order, { ...order, number: '1002' }] }, 'orders'],
    ['a checkout has no outcome', { confirmed: { ...confirmed(), unknown: ['checkout key'] } }, 'orders'],
    ['a checkout had two outcomes', { confirmed: { ...confirmed(), contradictions: ['key: a, b'] } }, 'orders'],
    ['an adjustment is not there', { adjustments: new Map() }, 'restocking'],
    ['an adjustment was done twice over', { adjustments: new Map([['k', 6]]) }, 'restocking'],
    [
      'the audit finds something',
      { discrepancies: [{ variantId: 'v', rule: 'units held are those in live carts', expected: 1, actual: 2 }] },
      'stock, ledger and carts',
    ],
    ['an event was missed', { followed: [{ ...follower, seen: [] }] }, 'events'],
    ['an event came twice', { followed: [{ ...follower, seen: [...seen, ...seen] }] }, 'events'],
    ['a subscription was ended', { subscriberFaults: ['the subscription was ended'] }, 'subscriptions that went on'],
    ['a mail did not arrive', { delivered: new Map() }, 'mails'],
    ['a process ended', { endedByThemselves: ['node 1, 1 times'] }, 'processes that ended though nobody killed them'],
  ])('is bad where %s', (_what, broken, name) => {
    expect(lossesOf({ ...sound(), ...broken })).toEqual([name]);
  });

  test('is bad where the shop does not recover', () => {
    expect(lossesOf(sound(), [{ name: 'Redis killed', recoveredMs: null }])).toEqual(['recovery']);
  });
});
