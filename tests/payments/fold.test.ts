import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, type Folded, type PaymentBooks } from '../../src/modules/payments/fold.ts';
import { nextStep, type Standing } from '../../src/modules/payments/next-step.ts';
import { paymentStatusOf } from '../../src/modules/payments/payment-status.ts';
import type { Snapshot, SnapshotDispute, SnapshotRefund } from '../../src/modules/payments/providers/provider.types.ts';
import { planRefund } from '../../src/modules/payments/refund-plan.ts';
import type { RefundableLine } from '../../src/modules/payments/refund.repository.ts';
import { Refusal } from '../../src/modules/user-error.ts';
import { ONCE } from '../support/sizes.ts';

const AMOUNT = 10_000n;
/** Refunds that the shop has asked for, whose requests may or may not have reached the provider. */
const ASKED = ['asked-1', 'asked-2'];
const ASKED_MINOR = 1500n;

const newId = (reference: string) => `id of ${reference}`;

function snapshotOf(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    ...{ reference: 'ref', paymentId: 'payment', state: 'PENDING', currency: 'EUR', amountMinor: AMOUNT },
    ...{ authorizedMinor: 0n, capturedMinor: 0n, refunds: [], disputes: [], failure: null, lapsesAt: null },
    ...changes,
  };
}

function booksOf(changes: Partial<PaymentBooks> = {}): PaymentBooks {
  return {
    ...{ amountMinor: AMOUNT, currency: 'EUR', state: 'PENDING', authorizedMinor: 0n, capturedMinor: 0n },
    ...{ refundedMinor: 0n, refundPendingMinor: 0n, disputedMinor: 0n, failure: null, lapsesAt: null },
    ...{ refunds: [], disputes: [] },
    ...changes,
  };
}

/** The books of a payment that was captured, with refunds that are on their way. */
const captured = booksOf({
  state: 'CAPTURED',
  ...{ authorizedMinor: AMOUNT, capturedMinor: AMOUNT, refundPendingMinor: 2n * ASKED_MINOR },
  refunds: ASKED.map((id) => ({ id, reference: null, amountMinor: ASKED_MINOR, state: 'PENDING', failure: null })),
});

type Command =
  | { do: 'authorize' | 'process' | 'decline' | 'fail' | 'cancel' }
  | { do: 'capture'; ppm: number }
  | { do: 'refund'; index: number; ppm: number }
  | { do: 'settle'; index: number; state: 'SUCCEEDED' | 'FAILED' }
  | { do: 'dispute'; ppm: number }
  | { do: 'judge'; index: number; state: 'WON' | 'LOST' };

const index = fc.nat(4);
const ppm = fc.integer({ min: 1, max: 1_000_000 });
const commands: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ do: fc.constantFrom('authorize' as const, 'process' as const, 'decline' as const) }),
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'cancel' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('capture' as const), ppm }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('refund' as const), index, ppm }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('settle' as const), index, state: fc.constantFrom('SUCCEEDED', 'FAILED') }),
  },
  fc.record({ do: fc.constant('dispute' as const), ppm }),
  fc.record({ do: fc.constant('judge' as const), index, state: fc.constantFrom('WON', 'LOST') }),
);

const isOpen = ({ state }: Snapshot) => state === 'PENDING' || state === 'PROCESSING';
const share = (amount: bigint, of: number) => (amount * BigInt(of)) / 1_000_000n;

/** A provider as it should be: what it does with a command, or null where it refuses. */
function step(now: Snapshot, command: Command): Partial<Snapshot> | null {
  const { refunds, disputes, state, capturedMinor } = now;
  switch (command.do) {
    case 'authorize':
      return isOpen(now)
        ? { state: 'AUTHORIZED', authorizedMinor: AMOUNT, failure: null, lapsesAt: new Date('2030-01-08') }
        : null;
    case 'process':
      return state === 'PENDING' ? { state: 'PROCESSING' } : null;
    case 'decline':
      return state === 'PENDING' ? { failure: 'Declined.' } : null;
    case 'fail':
      return isOpen(now) ? { state: 'FAILED', failure: 'Failed.' } : null;
    case 'cancel':
      return isOpen(now) || state === 'AUTHORIZED' ? { state: 'CANCELLED', authorizedMinor: 0n, lapsesAt: null } : null;
    case 'capture': {
      const amount = share(AMOUNT, command.ppm);
      return state === 'AUTHORIZED' && amount > 0n
        ? { state: 'CAPTURED', capturedMinor: amount, authorizedMinor: amount, lapsesAt: null }
        : null;
    }
    case 'refund': {
      const refundId = ASKED[command.index] ?? null;
      if (refundId !== null && refunds.some((refund) => refund.refundId === refundId)) return null;
      const open = refunds.filter((refund) => refund.state !== 'FAILED');
      // What the shop has asked for and what was refunded at the provider never come to more than was captured.
      const asked =
        BigInt(ASKED.filter((id) => !refunds.some((refund) => refund.refundId === id)).length) * ASKED_MINOR;
      const left = capturedMinor - open.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      const amountMinor = refundId === null ? share(left - asked, command.ppm) : ASKED_MINOR;
      if (amountMinor <= 0n || amountMinor > left) return null;
      const refund = { reference: `re_${refunds.length}`, refundId, amountMinor, state: 'PENDING', failure: null };
      return { refunds: [...refunds, refund as SnapshotRefund] };
    }
    case 'settle': {
      const refund = refunds[command.index];
      if (refund === undefined || refund.state === 'FAILED' || refund.state === command.state) return null;
      const failure = command.state === 'FAILED' ? 'Sent back.' : null;
      return { refunds: refunds.with(command.index, { ...refund, state: command.state, failure }) };
    }
    case 'dispute': {
      const amountMinor = share(capturedMinor, command.ppm);
      if (amountMinor === 0n) return null;
      const dispute = { reference: `dp_${disputes.length}`, amountMinor, state: 'OPEN', reason: null };
      return { disputes: [...disputes, dispute as SnapshotDispute] };
    }
    default: {
      const dispute = disputes[command.index];
      if (dispute?.state !== 'OPEN') return null;
      return { disputes: disputes.with(command.index, { ...dispute, state: command.state }) };
    }
  }
}

/** What a provider says one time after the other, from a beginning on. */
function historyFrom(first: Snapshot, given: readonly Command[]): Snapshot[] {
  const history = [first];
  for (const command of given) {
    const now = history.at(-1) ?? first;
    const changes = step(now, command);
    if (changes !== null) history.push({ ...now, ...changes });
  }
  return history;
}

const worlds = fc.record({
  isCaptured: fc.boolean(),
  given: fc.array(commands, { maxLength: 25 }),
  // Picks that are beyond the end are taken from the beginning again: so there are repeats, gaps and every order.
  picks: fc.array(fc.nat(30), { maxLength: 12 }),
});

function worldOf({ isCaptured, given }: { isCaptured: boolean; given: readonly Command[] }) {
  const first = isCaptured
    ? snapshotOf({ state: 'CAPTURED', authorizedMinor: AMOUNT, capturedMinor: AMOUNT })
    : snapshotOf();
  return { before: isCaptured ? captured : booksOf(), history: historyFrom(first, given) };
}

function foldAll(before: PaymentBooks, snapshots: readonly Snapshot[]): Folded[] {
  const steps: Folded[] = [];
  for (const snapshot of snapshots) steps.push(fold(steps.at(-1)?.books ?? before, snapshot, newId));
  return steps;
}

const byKey = (a: { reference: string | null; id?: string }, b: { reference: string | null; id?: string }) =>
  `${a.reference} ${a.id ?? ''}` < `${b.reference} ${b.id ?? ''}` ? -1 : 1;
const sorted = ({ refunds, disputes, ...books }: PaymentBooks) => ({
  ...books,
  refunds: refunds.toSorted(byKey),
  disputes: disputes.toSorted(byKey),
});
const MOVED = ['capturedMinor', 'refundedMinor', 'disputedMinor'] as const;

describe('the books of a payment', ONCE, () => {
  test('depend on the last snapshot alone: repeats, gaps and any order before it change nothing', () => {
    fc.assert(
      fc.property(worlds, ({ picks, ...world }) => {
        const { before, history } = worldOf(world);
        const last = history.at(-1);
        if (last === undefined) throw new Error('no history');
        const seen = picks.flatMap((pick) => history[pick % history.length] ?? []);
        const direct = fold(before, last, newId);
        const steps = foldAll(before, [...seen, last]);
        const after = steps.at(-1)?.books;
        if (after === undefined) throw new Error('nothing was folded');
        expect(sorted(after)).toEqual(sorted(direct.books));
        for (const amount of MOVED) {
          const moved = steps.reduce((sum, folded) => sum + folded.moved[amount], 0n);
          expect([amount, moved]).toEqual([amount, after[amount] - before[amount]]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('keep to the rules of the database in every order of valid snapshots', () => {
    fc.assert(
      fc.property(worlds, ({ picks, ...world }) => {
        const { before, history } = worldOf(world);
        for (const { books } of foldAll(before, [
          ...history,
          ...picks.flatMap((pick) => history[pick % history.length] ?? []),
        ])) {
          expect(books.capturedMinor).toBeLessThanOrEqual(books.authorizedMinor);
          expect(books.refundedMinor).toBeGreaterThanOrEqual(0n);
          expect(books.refundPendingMinor).toBeGreaterThanOrEqual(0n);
          expect(books.disputedMinor).toBeGreaterThanOrEqual(0n);
        }
        // Snapshots that come in the order in which they were made never count more as refunded than was captured.
        for (const { books } of foldAll(before, history)) {
          expect(books.refundedMinor + books.refundPendingMinor).toBeLessThanOrEqual(books.capturedMinor);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('are not changed by a snapshot that comes again, nor by no snapshot', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { before, history } = worldOf(world);
        const once = foldAll(before, history).at(-1)?.books;
        const last = history.at(-1);
        if (once === undefined || last === undefined) throw new Error('no history');
        for (const again of [fold(once, last, newId), fold(once, null, newId)]) {
          expect(again).toMatchObject({ hasChanged: false, refunds: [], disputes: [] });
          expect(again.moved).toEqual({ capturedMinor: 0n, refundedMinor: 0n, disputedMinor: 0n });
          expect(sorted(again.books)).toEqual(sorted(once));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('find a refund of the shop by its ID, and one that was made at the provider by its reference', () => {
    const refund = { amountMinor: ASKED_MINOR, state: 'SUCCEEDED', failure: null } as const;
    const snapshot = snapshotOf({
      ...{ state: 'CAPTURED', authorizedMinor: AMOUNT, capturedMinor: AMOUNT },
      refunds: [
        { ...refund, reference: 're_1', refundId: 'asked-2' },
        { ...refund, reference: 're_2', refundId: null },
      ],
    });
    const { books, moved } = fold(captured, snapshot, newId);
    expect(books.refunds).toEqual([
      { id: 'asked-1', reference: null, amountMinor: ASKED_MINOR, state: 'PENDING', failure: null },
      { ...refund, id: 'asked-2', reference: 're_1' },
      { ...refund, id: 'id of re_2', reference: 're_2' },
    ]);
    expect(books).toMatchObject({ refundedMinor: 3000n, refundPendingMinor: 1500n });
    expect(moved).toEqual({ capturedMinor: 0n, refundedMinor: 3000n, disputedMinor: 0n });
  });

  test.each<[string, Partial<Snapshot>, boolean]>([
    ['the same amount', {}, false],
    ['another amount', { amountMinor: AMOUNT - 1n }, true],
    ['another currency', { currency: 'USD' }, true],
    ['less authorized', { state: 'AUTHORIZED', authorizedMinor: AMOUNT - 1n }, true],
    ['more authorized', { state: 'AUTHORIZED', authorizedMinor: AMOUNT + 1n }, true],
    ['all authorized', { state: 'AUTHORIZED', authorizedMinor: AMOUNT }, false],
    ['voided', { state: 'CANCELLED' }, false],
  ])('of %s: whether that is a mismatch', (_what, changes, isMismatch) => {
    expect(fold(booksOf(), snapshotOf(changes), newId).isMismatch).toBe(isMismatch);
  });
});

describe('the next step of a payment', () => {
  const standing = (changes: Partial<Standing> = {}): Standing => ({
    ...{ state: 'PENDING', returnReason: null, order: null, operations: [], failedRefunds: 0, capture: 'automatic' },
    ...{ amountMinor: AMOUNT, authorizedMinor: 0n, capturedMinor: 0n },
    ...{ refundedMinor: 0n, refundPendingMinor: 0n, disputedMinor: 0n },
    ...changes,
  });
  const authorized = { state: 'AUTHORIZED', authorizedMinor: AMOUNT } as const;
  const paid = { state: 'CAPTURED', authorizedMinor: AMOUNT, capturedMinor: AMOUNT } as const;
  const order = { isCancelled: false };
  const cancelled = { isCancelled: true };
  const open = (kind: 'CAPTURE' | 'CANCEL', state: 'QUEUED' | 'SENT' | 'UNKNOWN' = 'UNKNOWN') => [{ kind, state }];
  const refused = (kind: 'CAPTURE' | 'CANCEL', times: number) =>
    Array.from({ length: times }, () => ({ kind, state: 'REFUSED' as const }));

  test.each<[string, Partial<Standing>, ReturnType<typeof nextStep>]>([
    ['nothing was paid yet', {}, null],
    ['authorized, and no order was placed yet', authorized, null],
    ['authorized for an order', { ...authorized, order }, { kind: 'CAPTURE', amountMinor: AMOUNT }],
    ['authorized, and staff capture', { ...authorized, order, capture: 'manual' }, null],
    ['being captured', { ...authorized, order, operations: open('CAPTURE') }, null],
    ['being cancelled', { ...authorized, order, operations: open('CANCEL', 'SENT') }, null],
    [
      'capture refused twice',
      { ...authorized, order, operations: refused('CAPTURE', 2) },
      { kind: 'CAPTURE', amountMinor: AMOUNT },
    ],
    [
      'capture refused three times',
      { ...authorized, order, operations: refused('CAPTURE', 3) },
      { kind: 'STUCK', problem: expect.stringContaining('capture') as string },
    ],
    ['captured', { ...paid, order }, null],
    ['captured in part', { ...paid, capturedMinor: 1n, order }, null],
    ['authorized, order cancelled', { ...authorized, order: cancelled }, { kind: 'CANCEL' }],
    ['still processing, order cancelled', { state: 'PROCESSING', order: cancelled }, { kind: 'CANCEL' }],
    ['being captured, order cancelled', { ...authorized, order: cancelled, operations: open('CAPTURE') }, null],
    ['captured, order cancelled', { ...paid, order: cancelled }, { kind: 'REFUND', amountMinor: AMOUNT }],
    [
      'captured, partly refunded, order cancelled',
      { ...paid, order: cancelled, refundedMinor: 3n, refundPendingMinor: 4n, disputedMinor: 5n },
      { kind: 'REFUND', amountMinor: AMOUNT - 12n },
    ],
    ['all on its way back', { ...paid, order: cancelled, refundPendingMinor: AMOUNT }, null],
    [
      'refunds failed three times',
      { ...paid, order: cancelled, failedRefunds: 3 },
      { kind: 'STUCK', problem: expect.stringContaining('refund') as string },
    ],
    ['late and out of stock', { ...authorized, returnReason: 'OUT_OF_STOCK' }, { kind: 'CANCEL' }],
    ['another amount, captured', { ...paid, returnReason: 'AMOUNT_MISMATCH' }, { kind: 'REFUND', amountMinor: AMOUNT }],
    [
      'cancelling refused three times',
      { ...authorized, order: cancelled, operations: refused('CANCEL', 3) },
      { kind: 'STUCK', problem: expect.stringContaining('cancel') as string },
    ],
    [
      'cancelling refused while the provider is processing it',
      { state: 'PROCESSING', order: cancelled, operations: refused('CANCEL', 1) },
      null,
    ],
    [
      'processed and declined, after cancelling was refused',
      { state: 'PENDING', order: cancelled, operations: refused('CANCEL', 1) },
      { kind: 'CANCEL' },
    ],
    ['over', { state: 'CANCELLED', returnReason: 'OUT_OF_STOCK' }, null],
    ['over, order cancelled', { state: 'CANCELLED', order: cancelled }, null],
    [
      'lapsed, and the order stands',
      { state: 'CANCELLED', order },
      { kind: 'STUCK', problem: expect.stringContaining('not paid') as string },
    ],
  ])('%s', (_what, changes, step_) => {
    expect(nextStep(standing(changes))).toEqual(step_);
  });
});

test.each<[string, [bigint, bigint, bigint][], string]>([
  ['nothing', [[0n, 0n, 0n]], 'PENDING'],
  ['an authorization', [[500n, 0n, 0n]], 'AUTHORIZED'],
  ['a part', [[500n, 499n, 0n]], 'PARTIALLY_PAID'],
  ['all', [[500n, 500n, 0n]], 'PAID'],
  [
    'all, in two payments',
    [
      [200n, 200n, 0n],
      [300n, 300n, 0n],
    ],
    'PAID',
  ],
  ['all, and a part refunded', [[500n, 500n, 1n]], 'PARTIALLY_REFUNDED'],
  ['all, and all refunded', [[500n, 500n, 500n]], 'REFUNDED'],
])('the payment status of an order that has received %s', (_what, amounts, status) => {
  const payments = amounts.map(([authorizedMinor, capturedMinor, refundedMinor]) => ({
    ...{ authorizedMinor, capturedMinor, refundedMinor },
  }));
  expect(paymentStatusOf(payments, 500n)).toBe(status);
});

describe('a refund', ONCE, () => {
  const line = (changes: Partial<RefundableLine> = {}): RefundableLine => ({
    ...{ lineId: 'line', variantId: 'variant', quantity: 3, paidMinor: 1000n },
    ...{ refundedQuantity: 0, refundedMinor: 0n, restockedQuantity: 0 },
    ...changes,
  });
  const left = { shippingMinor: 500n, amountMinor: 1500n, currency: 'USD' };
  const of = (quantity: number, restock = false) => [{ lineId: 'line', quantity, restock }];
  const plan = (
    request: Partial<Parameters<typeof planRefund>[0]>,
    lines: readonly RefundableLine[] = [line()],
    of_ = left,
  ) => planRefund({ lines: [], shippingMinor: null, amountMinor: null, ...request }, lines, of_);
  const codeOf = (work: () => unknown): string[] => {
    try {
      work();
      return [];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.errors.map(({ code }) => code);
    }
  };

  test('of k of n units is their share, and the last unit brings the exact rest', () => {
    expect(plan({ lines: of(1) }).amountMinor).toBe(333n);
    expect(plan({ lines: of(2) }).amountMinor).toBe(667n);
    expect(plan({ lines: of(3) }).amountMinor).toBe(1000n);
    const second = line({ refundedQuantity: 1, refundedMinor: 333n });
    expect(plan({ lines: of(1) }, [second]).amountMinor).toBe(334n);
    const third = line({ refundedQuantity: 2, refundedMinor: 667n });
    expect(plan({ lines: of(1) }, [third]).amountMinor).toBe(333n);
  });

  test('of lines and shipping is both', () => {
    expect(plan({ lines: of(3), shippingMinor: 500n })).toEqual({
      ...{ amountMinor: 1500n, shippingMinor: 500n },
      lines: [{ lineId: 'line', variantId: 'variant', quantity: 3, amountMinor: 1000n, isRestocked: false }],
    });
    expect(plan({ shippingMinor: 20n })).toEqual({ amountMinor: 20n, shippingMinor: 20n, lines: [] });
    expect(plan({ amountMinor: 1500n })).toEqual({ amountMinor: 1500n, shippingMinor: 0n, lines: [] });
  });

  test.each<[string, Parameters<typeof plan>, string]>([
    ['more units than there are', [{ lines: of(4) }], 'LIMIT_EXCEEDED'],
    [
      'units that were refunded',
      [{ lines: of(1) }, [line({ refundedQuantity: 3, refundedMinor: 1000n })]],
      'LIMIT_EXCEEDED',
    ],
    ['a line that the order has not', [{ lines: [{ lineId: 'x', quantity: 1, restock: false }] }], 'NOT_FOUND'],
    ['more shipping than is left', [{ shippingMinor: 501n }], 'INVALID_INPUT'],
    ['more than is left', [{ amountMinor: 1501n }], 'INVALID_INPUT'],
    [
      'lines for which not enough is left',
      [{ lines: of(3) }, [line()], { ...left, amountMinor: 999n }],
      'INVALID_INPUT',
    ],
    ['nothing', [{}], 'INVALID_INPUT'],
    ['an amount of 0', [{ amountMinor: 0n }], 'INVALID_INPUT'],
    ['an amount and lines', [{ amountMinor: 1n, lines: of(1) }], 'INVALID_INPUT'],
    ['an amount and shipping', [{ amountMinor: 1n, shippingMinor: 1n }], 'INVALID_INPUT'],
    ['units to stock that are back already', [{ lines: of(3, true) }, [line({ restockedQuantity: 1 })]], 'CONFLICT'],
  ])('is refused for %s', (_what, args, code) => {
    expect(codeOf(() => plan(...args))).toEqual([code]);
  });

  test('of units one after the other, in any portions, adds up to exactly what was paid', () => {
    const bought = fc.integer({ min: 1, max: 40 }).chain((quantity) =>
      fc.record({
        quantity: fc.constant(quantity),
        paid: fc.bigInt({ min: BigInt(quantity), max: 100_000_000n }),
        portions: fc.array(fc.integer({ min: 1, max: quantity }), { maxLength: quantity }),
      }),
    );
    fc.assert(
      fc.property(bought, ({ quantity, paid: paidMinor, portions }) => {
        let refundedQuantity = 0;
        let refundedMinor = 0n;
        for (const portion of [...portions, quantity]) {
          const units = Math.min(portion, quantity - refundedQuantity);
          if (units === 0) break;
          const now = line({ quantity, paidMinor, refundedQuantity, refundedMinor });
          const { amountMinor } = plan({ lines: of(units) }, [now], {
            ...left,
            shippingMinor: 0n,
            amountMinor: paidMinor,
          });
          expect(amountMinor).toBeGreaterThan(0n);
          refundedQuantity += units;
          refundedMinor += amountMinor;
        }
        expect([refundedQuantity, refundedMinor]).toEqual([quantity, paidMinor]);
      }),
      { numRuns: 300 },
    );
  });

  test('never gives a negative share, whatever earlier refunds that failed have left', () => {
    // The second unit's refund stands, and the first one's failed: its share is rounded from the beginning again.
    const odd = line({ quantity: 2, paidMinor: 1n, refundedQuantity: 1, refundedMinor: 1n });
    expect(plan({ lines: of(1), shippingMinor: 1n }, [odd]).lines).toMatchObject([{ amountMinor: 0n }]);
  });
});
