import { UserError, type InputPath } from '../user-error.ts';

/** Fewer units are free than were asked for. */
export class InsufficientStockError extends UserError {
  readonly variantId: string;
  /** Units that were asked for beyond those that the caller held already. */
  readonly requested: number;
  /** Units that were free at that moment. */
  readonly available: number;

  constructor(fault: {
    variantId: string;
    title: string;
    requested: number;
    available: number;
    path: InputPath | null;
  }) {
    const { title, requested, available } = fault;
    const free = available === 0 ? 'is sold out' : `has only ${available} more to give`;
    super('INSUFFICIENT_STOCK', `${title} ${free}; ${requested} asked for.`, fault.path);
    this.variantId = fault.variantId;
    this.requested = requested;
    this.available = available;
  }
}

/** Stock is not what the caller last saw. */
export class StockConflictError extends UserError {
  readonly variantId: string;
  readonly expectedOnHand: number;
  /** Units that are on hand. */
  readonly onHand: number;

  constructor(fault: { variantId: string; title: string; expectedOnHand: number; onHand: number; path: InputPath }) {
    const { title, expectedOnHand, onHand } = fault;
    super('STOCK_CONFLICT', `${title} has ${onHand} on hand, and not ${expectedOnHand}.`, fault.path);
    this.variantId = fault.variantId;
    this.expectedOnHand = expectedOnHand;
    this.onHand = onHand;
  }
}
