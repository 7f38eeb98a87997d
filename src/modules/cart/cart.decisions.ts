import type { CartConfig } from '../../config/config.ts';
import type { NewEvent } from '../../events/event.ts';
import type { StockChange } from '../inventory/inventory.service.ts';
import { Refusal, refuse, type UserError } from '../user-error.ts';
import { changeOf } from './cart.events.ts';
import type { CartLine, CartWrite, LockedCart } from './cart.repository.ts';
import { holdUntil, type LinePlan } from './cart.rules.ts';

/** A change of a cart's lines that has been decided and is to be written. */
export interface Decision {
  /** The cart as the change leaves it. */
  after: LockedCart;
  write: CartWrite;
  /** Steps of stock, in order. */
  moves: StockChange[];
  event: NewEvent;
}

export interface DecisionOptions {
  /** The transaction's instant. */
  now: Date;
  config: Pick<CartConfig, 'holdSeconds' | 'maxHoldSeconds'>;
  kind: 'LINES' | 'RECLAIMED';
  /** Do what can be done, in place of refusing for any error. */
  partial: boolean;
  /** From where the change comes, hashed. */
  networks: () => readonly string[];
}

/**
 * Checks that no payment is in flight for a cart.
 * @throws Refusal: PAYMENT_IN_PROGRESS
 */
export function assertNotPinned({ paymentId }: Pick<LockedCart, 'paymentId'>): void {
  if (paymentId === null) return;
  refuse('PAYMENT_IN_PROGRESS', 'A payment for the cart is in progress. Finish it, or cancel it with paymentCancel.');
}

/** The lines that a change leaves, in their order. */
function linesAfter(before: readonly CartLine[], { added, changed, removed }: LinePlan['lines']): CartLine[] {
  const gone = new Set(removed);
  const quantities = new Map(changed.map(({ id, quantity }) => [id, quantity]));
  const kept = before
    .filter(({ id }) => !gone.has(id))
    .map((line) => ({ ...line, quantity: quantities.get(line.id) ?? line.quantity }));
  return [...kept, ...added].toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
}

/**
 * Decides what a planned change of a cart's lines comes to. Pure: it sees nothing but rows whose locks the caller has, so that the
 * changes of many callers can be decided one after the other in one transaction.
 * @param cart as it was before
 * @param plan decided with the levels of this moment
 * @returns null if the change leaves all as it is
 * @throws Refusal with the errors of the plan
 */
export function decide(cart: LockedCart, plan: LinePlan, options: DecisionOptions): Decision | null {
  const { now, config, kind, partial, networks } = options;
  const { lines, holds } = plan;
  const errors: readonly UserError[] = plan.errors;
  if (errors.length > 0 && (!partial || holds.size === 0)) throw new Refusal(...errors);
  const moves = [...holds].filter(([, units]) => units !== 0);
  if (moves.length + lines.added.length + lines.changed.length + lines.removed.length === 0) return null;

  const empty = cart.lines.length + lines.added.length - lines.removed.length === 0;
  const begins = cart.lines.length === 0 || cart.status === 'EXPIRED' || cart.holdStartedAt === null;
  const since = begins || cart.holdStartedAt === null ? now : cart.holdStartedAt;
  const state = {
    status: 'ACTIVE' as const,
    holdStartedAt: empty ? null : since,
    expiresAt: empty ? null : holdUntil(now, since, config),
    // The limit keeps units from being held by payments that are never made: it counts for one hold.
    pins: begins || empty ? 0 : cart.pins,
  };
  return {
    after: { ...cart, ...state, holds: true, version: cart.version + 1, lines: linesAfter(cart.lines, lines) },
    write: { ...cart, ...state, lines, ...(moves.some(([, units]) => units > 0) && { networks: networks() }) },
    moves: moves.map(([variantId, units]) => ({
      variantId,
      reason: units > 0 ? 'HOLD' : 'RELEASE',
      heldDelta: units,
      cartId: cart.id,
    })),
    event: changeOf(cart, kind),
  };
}
