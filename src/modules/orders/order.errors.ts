import type { Money } from '../money.ts';
import type { Quote } from '../pricing/pricing.service.ts';
import { UserError, type InputPath } from '../user-error.ts';
import type { OrderStatus } from './order.types.ts';

/** The total is not the one that the caller expected. Nothing was bought. */
export class TotalChangedError extends UserError {
  readonly expected: Money;
  /** What the cart costs now. */
  readonly quote: Quote;

  constructor(expected: Money, quote: Quote) {
    super('TOTAL_CHANGED', 'The total is not the one that was expected; nothing was bought.', ['expectedTotal']);
    this.expected = expected;
    this.quote = quote;
  }
}

/** An order does not go from that status to this one. */
export class InvalidTransitionError extends UserError {
  /** The status that the order has. */
  readonly from: OrderStatus;
  /** The one that was asked for. */
  readonly to: OrderStatus;

  constructor(fault: { from: OrderStatus; to: OrderStatus; message: string; path: InputPath }) {
    super('INVALID_TRANSITION', fault.message, fault.path);
    this.from = fault.from;
    this.to = fault.to;
  }
}
