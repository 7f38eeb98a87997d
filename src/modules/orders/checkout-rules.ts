import { createHash } from 'node:crypto';
import type { Address } from '../addresses/address.types.ts';
import type { LockedCart } from '../cart/cart.service.ts';
import { refuseInput } from '../invalid-input.ts';
import type { PricedCart, Quote } from '../pricing/pricing.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import { TotalChangedError } from './order.errors.ts';

/** What a checkout asks for. */
export interface CheckoutRequest {
  /** A repeated call with the same key by the same guest or user returns the same order. */
  idempotencyKey: string;
  /** Left out: the one that the cart has, else the account's. */
  email: string | null;
  /** The address of a user's account. */
  accountEmail?: string;
  shippingAddress: Address | null;
  /** Null: the one that the cart has, or the only one there is. */
  shippingMethodId?: string | null;
  /** In minor units. Null: whatever it comes to. */
  expectedTotalMinor: bigint | null;
}

/** Hash of a request without its idempotency key: equal requests have equal hashes. */
export function hashOf({
  email,
  shippingAddress,
  shippingMethodId = null,
  expectedTotalMinor,
}: CheckoutRequest): Buffer {
  const a = shippingAddress;
  const address = a === null ? null : [a.name, a.line1, a.line2, a.city, a.region, a.postalCode, a.countryCode];
  // Without a method as it was before there were any: a checkout may be repeated across an update of the shop.
  const method = shippingMethodId === null ? [] : [shippingMethodId];
  const canonical = JSON.stringify([email, address, expectedTotalMinor?.toString() ?? null, ...method]);
  return createHash('sha256').update(canonical).digest();
}

/** Where an order goes, and the cart as prices look at it. */
export interface Details {
  email: string;
  shippingAddress: Address | null;
  priced: PricedCart;
}

/**
 * Takes together what the request says and what the cart has.
 * @throws Refusal: INVALID_INPUT if there is no email address
 */
export function detailsOf(cart: LockedCart, request: CheckoutRequest): Details {
  const email = request.email ?? cart.email ?? request.accountEmail;
  if (email === undefined) refuseInput('REQUIRED', 'An email address is required.', ['email']);
  const shippingAddress = request.shippingAddress ?? cart.shippingAddress;
  const priced = {
    lines: cart.lines,
    userId: cart.userId,
    email,
    discountCodes: cart.discountCodes,
    shippingAddress,
    shippingMethodId: request.shippingMethodId ?? cart.shippingMethodId,
  };
  return { email, shippingAddress, priced };
}

/** Reasons that a code had not when it was entered. The shopper counted on the discount, and so must decide. */
const LIMITS: ReadonlySet<string> = new Set(['USED_UP', 'USED_BY_CUSTOMER', 'BUDGET_USED_UP']);

/**
 * Refuses a cart that cannot be bought as it is: its shipping is not settled, or a code does not bring what it brought before.
 * @throws Refusal
 */
export function assertBuyable({ shippingState, codes }: Quote): void {
  if (shippingState === 'ADDRESS_REQUIRED') {
    refuse('SHIPPING_ADDRESS_REQUIRED', 'A shipping address is required.', ['shippingAddress']);
  }
  if (shippingState === 'METHOD_REQUIRED') {
    refuse('SHIPPING_METHOD_REQUIRED', 'A shipping method is required.', ['shippingMethodId']);
  }
  if (shippingState === 'UNAVAILABLE') {
    const message = 'No shipping method is available for this cart and address, or the chosen one no longer is.';
    refuse('SHIPPING_METHOD_UNAVAILABLE', message, ['shippingMethodId']);
  }
  const used = codes.find(({ reason }) => reason !== null && LIMITS.has(reason));
  if (used !== undefined) {
    const message = `The discount code ${used.code} has been used up. Remove it to check out without it.`;
    refuse('DISCOUNT_LIMIT_REACHED', message);
  }
}

/**
 * Compares what a cart costs with what the shopper agreed to.
 * @param expectedMinor null: whatever it comes to
 * @throws Refusal: TOTAL_CHANGED
 */
export function assertTotal(quote: Quote, expectedMinor: bigint | null, currency: string): void {
  if (expectedMinor === null || expectedMinor === quote.totalMinor) return;
  throw new Refusal(new TotalChangedError({ minor: expectedMinor, currency }, quote));
}

/**
 * Refuses an order that has to be paid first.
 * @param takesUnpaid whether orders may be placed before they are paid for
 * @throws Refusal: PAYMENT_REQUIRED
 */
export function assertMayBePlaced({ totalMinor }: Quote, takesUnpaid: boolean): void {
  if (takesUnpaid || totalMinor === 0n) return;
  refuse('PAYMENT_REQUIRED', 'The order must be paid for when it is placed: use paymentStart.');
}
