import type { InapplicableReason } from './quote.types.ts';

const MESSAGES: Readonly<Record<InapplicableReason, string>> = {
  NOT_STARTED: 'This code is not valid yet.',
  ENDED: 'This code has expired.',
  USED_UP: 'This code has been used up.',
  USED_BY_CUSTOMER: 'You have already used this code.',
  NOT_FIRST_ORDER: 'This code is for first orders only.',
  OTHER_CUSTOMERS: 'This code is not for your account.',
  LOG_IN_REQUIRED: 'Log in to use this code.',
  NO_TARGET: 'This code does not apply to anything in your cart.',
  MIN_SUBTOTAL_NOT_REACHED: 'The amount in your cart is too small for this code.',
  MIN_QUANTITY_NOT_REACHED: 'There are too few items in your cart for this code.',
  OTHER_DESTINATION: 'This code is not valid for your shipping address.',
  BUDGET_USED_UP: 'This code has been used up.',
  NOT_COMBINABLE: 'This code cannot be combined with the other discounts, which save you more.',
  NO_SHIPPING: 'This code applies to shipping. Choose a shipping method first.',
  NOTHING_TO_REDUCE: 'This code takes nothing off your cart as it is.',
};

/** Says to a shopper why a code takes nothing off. */
export function codeMessage(reason: InapplicableReason): string {
  return MESSAGES[reason];
}
