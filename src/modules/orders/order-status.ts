import { refuse, Refusal, type InputPath } from '../user-error.ts';
import { InvalidTransitionError } from './order.errors.ts';
import type { OrderStatus, PaymentStatus } from './order.types.ts';

/** The mutations that move an order along. */
type StatusOperation = 'orderStatusUpdate' | 'orderCancel';

/** From which status an order goes to which, and by which mutation. What is not here is not done. */
export const orderTransitions: Readonly<Record<OrderStatus, Readonly<Partial<Record<OrderStatus, StatusOperation>>>>> =
  {
    PLACED: { FULFILLED: 'orderStatusUpdate', CANCELLED: 'orderCancel' },
    FULFILLED: { DELIVERED: 'orderStatusUpdate' },
    DELIVERED: {},
    CANCELLED: {},
  };

/** Changes of the payment status that staff may make by hand. Those of payments with providers follow the money. */
export const paymentTransitions: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  PENDING: ['PAID'],
  AUTHORIZED: [],
  PARTIALLY_PAID: [],
  PAID: ['REFUNDED'],
  PARTIALLY_REFUNDED: ['REFUNDED'],
  REFUNDED: [],
};

/**
 * Checks a step of an order's status against the table; `from` is what the order has under its lock.
 * @throws Refusal: INVALID_TRANSITION
 */
export function assertOrderTransition(
  from: OrderStatus,
  to: OrderStatus,
  { by, path }: { by: StatusOperation; path: InputPath },
): void {
  if (orderTransitions[from][to] === by) return;
  const otherWay = to === 'CANCELLED' && by !== 'orderCancel';
  const message = otherWay
    ? 'To cancel an order, use orderCancel while the order is PLACED.'
    : `An order cannot change from ${from} to ${to}.`;
  throw new Refusal(new InvalidTransitionError({ from, to, message, path }));
}

/**
 * Checks a step of an order's payment against the table. What is cancelled is not paid any more, though it may be paid back.
 * @throws Refusal: INVALID_TRANSITION
 */
export function assertPaymentTransition(
  order: { status: OrderStatus; paymentStatus: PaymentStatus },
  to: PaymentStatus,
  path: InputPath,
): void {
  const { status, paymentStatus: from } = order;
  if (!paymentTransitions[from].includes(to)) {
    refuse('INVALID_TRANSITION', `The payment status of an order cannot change from ${from} to ${to}.`, path);
  }
  if (to === 'PAID' && status === 'CANCELLED') {
    refuse('INVALID_TRANSITION', 'The order is cancelled and can no longer be paid.', path);
  }
}
