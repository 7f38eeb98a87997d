import type { SnapshotState } from '../provider.types.ts';
import { Refused } from '../provider.types.ts';
import type { PayStep } from '../../test-payments.types.ts';
import type { Book, BookRow } from './test-books.repository.ts';

/*
 * What the bank decides, as pure functions of a payment: what changes, and which events the shop is notified of, in the order in
 * which the webhooks are sent.
 */

export interface Decision {
  changes: Partial<BookRow>;
  topics: readonly string[];
  /** A dispute to be opened. */
  disputeMinor?: bigint;
  /** How open disputes are closed. */
  disputes?: 'WON' | 'LOST';
}

const DAY_MS = 86_400_000;
/** As cards do. */
const AUTHORIZED_MS = 7 * DAY_MS;

const AUTHORIZED = 'payment.authorized';
const DECLINED = 'The bank declined the payment.';
const ABORTED = 'The payment was not confirmed.';
const FAILED_LATE = 'The bank refused the payment.';

const STEPS: Readonly<Record<Exclude<SnapshotState, 'PENDING'>, PayStep>> = {
  PROCESSING: 'WAIT',
  AUTHORIZED: 'OVER',
  CAPTURED: 'OVER',
  CANCELLED: 'OVER',
  FAILED: 'OVER',
};

/** What can be chosen for a payment. */
export function stepOf({ state, isChallenged, disputes }: Book): PayStep {
  if (disputes.some((dispute) => dispute.state === 'OPEN')) return 'DECIDE';
  if (state !== 'PENDING') return STEPS[state];
  return isChallenged ? 'CONFIRM' : 'PAY';
}

function authorized(book: Book, at: Date, more: Partial<BookRow> = {}): Partial<BookRow> {
  return {
    state: 'AUTHORIZED',
    authorizedMinor: book.amountMinor,
    isChallenged: false,
    failure: null,
    lateOutcome: null,
    lateAt: null,
    lapsesAt: new Date(at.getTime() + AUTHORIZED_MS),
    ...more,
  };
}

/**
 * What an outcome of the pay page does.
 * @param options.lateMs milliseconds until late outcomes
 * @returns null if there is no such outcome; NOT_NOW if the payment is at another step
 */
export function decideOutcome(
  book: Book,
  outcome: string,
  { at, lateMs }: { at: Date; lateMs: number },
): Decision | 'NOT_NOW' | null {
  const step = stepOf(book);
  const when = (wanted: PayStep, decide: () => Decision) => (step === wanted ? decide() : 'NOT_NOW');
  const pay = (more: Partial<BookRow> = {}, topics: readonly string[] = [AUTHORIZED]) =>
    when('PAY', () => ({ changes: authorized(book, at, more), topics }));
  const late = (lateOutcome: 'SUCCEED' | 'FAIL') =>
    when('PAY', () => ({
      changes: { state: 'PROCESSING', failure: null, lateOutcome, lateAt: new Date(at.getTime() + lateMs) },
      topics: ['payment.processing'],
    }));
  switch (outcome) {
    case 'pay':
      return pay();
    case 'lose-answer':
      return pay({ lostAnswers: 1 });
    case 'duplicate':
      return pay({ webhookCopies: 2 });
    case 'reorder':
      return pay({}, [AUTHORIZED, 'payment.attempted', 'payment.created']);
    case 'dispute':
      return pay({ willBeDisputed: true });
    case 'decline':
      return when('PAY', () => ({ changes: { failure: DECLINED }, topics: ['payment.declined'] }));
    case 'challenge':
      return when('PAY', () => ({ changes: { isChallenged: true, failure: null }, topics: [] }));
    case 'pay-late':
      return late('SUCCEED');
    case 'fail-late':
      return late('FAIL');
    case 'confirm':
      return when('CONFIRM', () => ({ changes: authorized(book, at), topics: [AUTHORIZED] }));
    case 'abort':
      return when('CONFIRM', () => ({
        changes: { isChallenged: false, failure: ABORTED },
        topics: ['payment.declined'],
      }));
    case 'win-dispute':
      return when('DECIDE', () => ({ changes: {}, topics: ['dispute.closed'], disputes: 'WON' }));
    case 'lose-dispute':
      return when('DECIDE', () => ({ changes: {}, topics: ['dispute.closed'], disputes: 'LOST' }));
    default:
      return null;
  }
}

/** What the bank says late; null if it has nothing to say. */
export function decideLate(book: Book, at: Date): Decision | null {
  if (book.lateOutcome === 'SUCCEED') return { changes: authorized(book, at), topics: [AUTHORIZED] };
  if (book.lateOutcome === 'FAIL') {
    const changes = { state: 'FAILED', failure: FAILED_LATE, lateOutcome: null, lateAt: null } as const;
    return { changes, topics: ['payment.failed'] };
  }
  return null;
}

/** What becomes of an authorization that lapses: what was captured stays. */
export function decideLapse({ capturedMinor }: Book): Decision {
  const state = capturedMinor > 0n ? 'CAPTURED' : 'CANCELLED';
  return { changes: { state, authorizedMinor: capturedMinor, lapsesAt: null }, topics: ['payment.lapsed'] };
}

/** @throws Refused if nothing, or not so much, can be captured */
export function decideCapture(book: Book, amountMinor: bigint): Decision {
  if (book.state !== 'AUTHORIZED') throw new Refused('The payment is not authorized.', 'not_authorized');
  if (amountMinor <= 0n) throw new Refused('The amount must be positive.', 'amount_invalid');
  if (book.capturedMinor + amountMinor > book.authorizedMinor) {
    throw new Refused('The amount is more than is authorized.', 'amount_too_large');
  }
  const capturedMinor = book.capturedMinor + amountMinor;
  if (capturedMinor < book.authorizedMinor) return { changes: { capturedMinor }, topics: ['payment.captured'] };
  const changes = { capturedMinor, state: 'CAPTURED', lapsesAt: null, willBeDisputed: false } as const;
  if (!book.willBeDisputed) return { changes, topics: ['payment.captured'] };
  return { changes, topics: ['payment.captured', 'dispute.opened'], disputeMinor: capturedMinor };
}

/** The customer disputes all that was captured. */
export function decideDispute({ capturedMinor }: Book): Decision {
  if (capturedMinor === 0n) throw new Refused('Nothing was captured.', 'not_captured');
  return { changes: { willBeDisputed: false }, topics: ['dispute.opened'], disputeMinor: capturedMinor };
}

/** @throws Refused if something was captured, or if the bank is at work */
export function decideCancel(book: Book): Decision {
  if (book.capturedMinor > 0n) throw new Refused('The payment was captured.', 'already_captured');
  if (book.state === 'PROCESSING') throw new Refused('The bank is processing the payment.', 'processing');
  if (book.state === 'CANCELLED' || book.state === 'FAILED') return { changes: {}, topics: [] };
  const changes = { state: 'CANCELLED', isChallenged: false, authorizedMinor: 0n, lapsesAt: null } as const;
  return { changes, topics: ['payment.cancelled'] };
}

/** @throws Refused if so much cannot be given back */
export function checkRefund(book: Book, amountMinor: bigint): void {
  const refunded = book.refunds.reduce(
    (sum, { state, amountMinor: minor }) => (state === 'FAILED' ? sum : sum + minor),
    0n,
  );
  if (amountMinor <= 0n) throw new Refused('The amount must be positive.', 'amount_invalid');
  if (refunded + amountMinor > book.capturedMinor) {
    throw new Refused('The amount is more than is left of what was captured.', 'amount_too_large');
  }
}
