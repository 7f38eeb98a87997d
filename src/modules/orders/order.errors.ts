import type { Money } from '../money.ts';
import { UserError } from '../user-error.ts';

/** The total is not the one that the caller expected. Nothing was bought. */
export class TotalChangedError extends UserError {
  readonly expected: Money;
  readonly actual: Money;

  constructor(expected: Money, actual: Money) {
    super('TOTAL_CHANGED', 'The total is not the one that was expected; nothing was bought.', ['expectedTotal']);
    this.expected = expected;
    this.actual = actual;
  }
}
