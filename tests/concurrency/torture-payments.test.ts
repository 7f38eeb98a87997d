import { describe, expect, test } from 'vitest';
import type { Books } from '../../bench/torture-payments/books.ts';
import { readOptions, UsageError } from '../../bench/torture-payments/options.ts';
import { judge, type Facts } from '../../bench/torture-payments/verdict.ts';
import { globalId } from '../support/fixtures.ts';

const paid: Books['payments'][number] = {
  ...{ id: 'p1', orderId: 'o1', copies: 1 },
  ...{ state: 'CAPTURED', captured: 1999n, refunded: 0n },
  ...{ theirState: 'CAPTURED', theirCaptured: 1999n, theirRefunded: 0n },
};
const order: Books['orders'][number] = {
  ...{ id: 'o1', number: 'N1', cartId: 'c1', status: 'PLACED', total: 1999n, net: 1999n, payers: 1, units: 1 },
};

/** A run in which all is well, but for what is given. */
function factsOf(books: Partial<Books> = {}, facts: Partial<Facts> = {}): Facts {
  const stock = { onHand: 4, held: 1, sold: 1 };
  return {
    outcomes: [{ plan: 'PAYS', paymentId: globalId('Payment', 'p1'), orderNumber: 'N1' }],
    books: { payments: [paid], orders: [order], stock, discrepancies: [], ledger: 0n, ...books },
    ...{ units: 5, kills: [{ name: 'worker', recoveredMs: 10 }], open: null, endedByThemselves: [] },
    ...facts,
  };
}

const faultsOf = (facts: Facts) => judge(facts).flatMap(({ faults }) => faults);

describe('the verdict of npm run torture:payments', () => {
  test('is that all is well where all books agree', () => {
    expect(faultsOf(factsOf())).toEqual([]);
  });

  test.each<[string, Facts, string]>([
    [
      'another amount at the provider',
      factsOf({ payments: [{ ...paid, theirCaptured: 1998n }] }),
      'at the provider CAPTURED 1998 0',
    ],
    [
      'a payment that the shop has not',
      factsOf({ payments: [paid, { ...paid, id: 'p2', state: null }] }),
      'and the shop has not',
    ],
    ['a payment that was begun twice', factsOf({ payments: [{ ...paid, copies: 2 }] }), 'begun 2 times'],
    ['a charge without an order', factsOf({ payments: [{ ...paid, orderId: null }] }), 'there is no order'],
    ['a shopper who paid twice', factsOf({ orders: [{ ...order, payers: 2 }] }), 'paid 2 times'],
    ['an order that is not paid', factsOf({ orders: [{ ...order, net: 0n }] }), 'costs 1999, and 0 was kept'],
    [
      'a cancelled order whose money was kept',
      factsOf({ orders: [{ ...order, status: 'CANCELLED' }] }),
      '1999 was kept',
    ],
    ['a unit that was sold twice', factsOf({ stock: { onHand: 4, held: 0, sold: 2 } }), '5 units, 2 sold, 4 on hand'],
    ['a discrepancy of an audit', factsOf({ discrepancies: ['a rule is broken'] }), 'a rule is broken'],
    ['a ledger that is not balanced', factsOf({ ledger: 1n }), 'comes to 1'],
    ['an order that was shown and is not there', factsOf({ orders: [] }), 'is not there'],
    ['work that never ends', factsOf({}, { open: '1 operations' }), '1 operations'],
    [
      'a shop that does not come back',
      factsOf({}, { kills: [{ name: 'Redis', recoveredMs: null }] }),
      'not after kill 1: Redis',
    ],
    ['a process that ended by itself', factsOf({}, { endedByThemselves: ['node 1 ended by itself'] }), 'node 1 ended'],
  ])('is failure for %s', (_what, facts, words) => {
    expect(faultsOf(facts).join('; ')).toContain(words);
  });

  test('is failure where nothing was sold, because such a run shows nothing', () => {
    const stock = { onHand: 5, held: 0, sold: 0 };
    expect(faultsOf(factsOf({ payments: [], orders: [], stock }, { outcomes: [] }))).toEqual([
      'nobody bought anything',
    ]);
  });

  test('is success for money that went back', () => {
    const returned = { ...paid, orderId: null, refunded: 1999n, theirRefunded: 1999n };
    const outcomes = [{ plan: 'PAYS' as const, paymentId: globalId('Payment', 'p2'), orderNumber: null }];
    const more = { payments: [paid, { ...returned, id: 'p2' }] };
    expect(faultsOf(factsOf(more, { outcomes: [...factsOf().outcomes, ...outcomes] }))).toEqual([]);
  });
});

test.each([
  [['--kills', 'x'], '--kills takes a whole number from 0'],
  [['--shoppers', '0'], '--shoppers takes a whole number from 1'],
  [['--fast'], "Unknown option '--fast'"],
])('npm run torture:payments refuses %s', (args, explanation) => {
  const read = () => readOptions(args);
  expect(read).toThrow(UsageError);
  expect(read).toThrow(explanation);
});
