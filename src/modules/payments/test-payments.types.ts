import type { SnapshotState } from './providers/provider.types.ts';

/*
 * What the pay page of the `test` provider shows and does.
 */

/** A button of the pay page, and what it does. */
export interface OutcomeButton {
  label: string;
  effect: string;
}

/** What a shopper can choose on the pay page. The form posts the key as `outcome`. */
export const PAY_OUTCOMES: Readonly<Record<string, OutcomeButton>> = {
  pay: { label: 'Pay', effect: 'The bank approves the payment.' },
  decline: { label: 'Decline', effect: 'The bank declines the payment. You can try again.' },
  challenge: { label: 'Challenge', effect: 'The bank asks you to confirm the payment on another page.' },
  'pay-late': { label: 'Pay late', effect: 'The bank approves the payment some seconds later.' },
  'fail-late': { label: 'Fail late', effect: 'The bank refuses the payment some seconds later, for good.' },
  'lose-answer': {
    label: 'Lose an answer',
    effect: 'The bank approves the payment. Its answer to the next operation is lost.',
  },
  duplicate: { label: 'Send twice', effect: 'The bank approves the payment. The shop receives each webhook twice.' },
  reorder: {
    label: 'Send in reverse',
    effect: 'The bank approves the payment. The shop receives the webhooks in reverse order.',
  },
  dispute: { label: 'Dispute', effect: 'The bank approves the payment. You dispute it once it is captured.' },
};

/** What a shopper can choose after `challenge`. */
export const CHALLENGE_OUTCOMES: Readonly<Record<string, OutcomeButton>> = {
  confirm: { label: 'Confirm', effect: 'The bank approves the payment.' },
  abort: { label: 'Cancel', effect: 'The bank declines the payment. You can try again.' },
};

/** How the bank can decide a dispute that is open. */
export const DISPUTE_OUTCOMES: Readonly<Record<string, OutcomeButton>> = {
  'win-dispute': { label: 'Shop wins', effect: 'The bank decides that the shop keeps the money.' },
  'lose-dispute': { label: 'Shop loses', effect: 'The bank decides that the customer gets the money back.' },
};

/** PAY, CONFIRM and DECIDE say which outcomes can be chosen; with WAIT and OVER none can. */
export type PayStep = 'PAY' | 'CONFIRM' | 'DECIDE' | 'WAIT' | 'OVER';

/** A payment as its pay page shows it. */
export interface ShownPayment {
  reference: string;
  step: PayStep;
  state: SnapshotState;
  amountMinor: bigint;
  currency: string;
  description: string;
  failure: string | null;
  /** Where the shopper goes afterwards. */
  returnUrl: string;
}

/** The pay page's view of the `test` provider. */
export interface TestPayments {
  /** Null if there is no such payment. */
  read(reference: string): Promise<ShownPayment | null>;
  /**
   * Chooses an outcome.
   * @returns null if there is no such payment; UNKNOWN if there is no such outcome; NOT_NOW if the payment is at another step
   */
  choose(reference: string, outcome: string): Promise<'DONE' | 'UNKNOWN' | 'NOT_NOW' | null>;
}
