import type { Snapshot } from './providers/provider.types.ts';
import type { DisputeState, PaymentAmounts, PaymentState, RefundState } from './payment.types.ts';

/*
 * How the books of a payment follow what its provider says. A snapshot holds absolute amounts, so the books after it depend on it
 * and on nothing that came before: snapshots that come twice, in another order or not at all do no harm, as long as the last one
 * comes last. No SQL, no clock, no I/O.
 */

/** A refund in the books. */
export interface RefundBook {
  id: string;
  /** Null until the provider has answered. */
  reference: string | null;
  amountMinor: bigint;
  state: RefundState;
  failure: string | null;
}

/** A dispute in the books. */
export interface DisputeBook {
  reference: string;
  amountMinor: bigint;
  state: DisputeState;
  reason: string | null;
}

/** What the shop knows of a payment. */
export interface PaymentBooks extends PaymentAmounts {
  currency: string;
  state: PaymentState;
  failure: string | null;
  lapsesAt: Date | null;
  refunds: readonly RefundBook[];
  disputes: readonly DisputeBook[];
}

/** By how much money has moved. Negative where a refund or a dispute was reversed. */
export interface Moved {
  capturedMinor: bigint;
  refundedMinor: bigint;
  disputedMinor: bigint;
}

export interface Folded {
  books: PaymentBooks;
  moved: Moved;
  /** Refunds that are new or changed, as they are now. */
  refunds: readonly RefundBook[];
  /** Disputes that are new or changed, as they are now. */
  disputes: readonly DisputeBook[];
  /** The amount or the currency at the provider is not that of the payment. */
  isMismatch: boolean;
  hasChanged: boolean;
}

const sum = (items: readonly { amountMinor: bigint }[]) => items.reduce((total, item) => total + item.amountMinor, 0n);
const larger = (one: bigint, other: bigint) => (one > other ? one : other);

/**
 * Brings the books of a payment up to date.
 * @param snapshot what the provider says now; null: nothing new, and only the sums are made again
 * @param newId makes the ID of a refund that was made at the provider
 */
export function fold(books: PaymentBooks, snapshot: Snapshot | null, newId: (reference: string) => string): Folded {
  const refunds = snapshot === null ? books.refunds : foldRefunds(books.refunds, snapshot, newId);
  const disputes = snapshot === null ? books.disputes : foldDisputes(books.disputes, snapshot);
  const captured = snapshot?.capturedMinor ?? books.capturedMinor;
  const after: PaymentBooks = {
    amountMinor: books.amountMinor,
    currency: books.currency,
    state: snapshot === null ? books.state : stateOf(snapshot),
    authorizedMinor: larger(snapshot?.authorizedMinor ?? books.authorizedMinor, captured),
    capturedMinor: captured,
    refundedMinor: sum(refunds.filter(({ state }) => state === 'SUCCEEDED')),
    refundPendingMinor: sum(refunds.filter(({ state }) => state === 'PENDING')),
    disputedMinor: sum(disputes.filter(({ state }) => state !== 'WON')),
    failure: snapshot === null ? books.failure : snapshot.failure,
    lapsesAt: snapshot === null ? books.lapsesAt : snapshot.lapsesAt,
    refunds,
    disputes,
  };
  const changedRefunds = refunds.filter((refund) => !books.refunds.some((known) => isSame(known, refund)));
  const changedDisputes = disputes.filter((dispute) => !books.disputes.some((known) => isSame(known, dispute)));
  return {
    books: after,
    moved: {
      capturedMinor: after.capturedMinor - books.capturedMinor,
      refundedMinor: after.refundedMinor - books.refundedMinor,
      disputedMinor: after.disputedMinor - books.disputedMinor,
    },
    refunds: changedRefunds,
    disputes: changedDisputes,
    isMismatch: snapshot !== null && isMismatch(books, snapshot),
    hasChanged:
      changedRefunds.length + changedDisputes.length > 0 ||
      AMOUNTS.some((amount) => after[amount] !== books[amount]) ||
      after.state !== books.state ||
      after.failure !== books.failure ||
      after.lapsesAt?.getTime() !== books.lapsesAt?.getTime(),
  };
}

const AMOUNTS = ['authorizedMinor', 'capturedMinor', 'refundedMinor', 'refundPendingMinor', 'disputedMinor'] as const;

function stateOf({ state, capturedMinor }: Snapshot): PaymentState {
  return capturedMinor > 0n ? 'CAPTURED' : state;
}

function isMismatch(
  { amountMinor, currency }: PaymentBooks,
  { amountMinor: amount, currency: in_, authorizedMinor: authorized }: Snapshot,
): boolean {
  return amount !== amountMinor || in_ !== currency || (authorized !== 0n && authorized !== amountMinor);
}

function foldRefunds(
  known: readonly RefundBook[],
  { refunds }: Snapshot,
  newId: (reference: string) => string,
): RefundBook[] {
  const said = refunds.map(({ reference, refundId, amountMinor, state, failure }) => {
    const book = known.find((refund) => refund.reference === reference || refund.id === refundId);
    return { id: book?.id ?? newId(reference), reference, amountMinor, state, failure };
  });
  // What the provider does not know was not sent yet, or was refused.
  return [...known.filter(({ id }) => !said.some((refund) => refund.id === id)), ...said];
}

function foldDisputes(known: readonly DisputeBook[], { disputes }: Snapshot): DisputeBook[] {
  const said = disputes.map(({ reference, amountMinor, state, reason }) => ({ reference, amountMinor, state, reason }));
  return [...known.filter(({ reference }) => !said.some((dispute) => dispute.reference === reference)), ...said];
}

function isSame<Book extends object>(one: Book, other: Book): boolean {
  return (Object.keys(one) as (keyof Book)[]).every((key) => one[key] === other[key]);
}
