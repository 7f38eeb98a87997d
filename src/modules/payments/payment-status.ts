import type { PaymentAmounts } from './payment.types.ts';

/** How far an order is paid, as `PaymentStatus` of the API names it. */
type OrderPaymentStatus = 'PENDING' | 'AUTHORIZED' | 'PARTIALLY_PAID' | 'PAID' | 'PARTIALLY_REFUNDED' | 'REFUNDED';

/**
 * The payment status of an order.
 * @param payments all of the order's
 * @param totalMinor what the order costs
 */
export function paymentStatusOf(
  payments: readonly Pick<PaymentAmounts, 'authorizedMinor' | 'capturedMinor' | 'refundedMinor'>[],
  totalMinor: bigint,
): OrderPaymentStatus {
  const captured = payments.reduce((sum, payment) => sum + payment.capturedMinor, 0n);
  const refunded = payments.reduce((sum, payment) => sum + payment.refundedMinor, 0n);
  if (refunded > 0n) return refunded >= captured ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
  // What costs nothing is paid.
  if (captured > 0n || totalMinor === 0n) return captured >= totalMinor ? 'PAID' : 'PARTIALLY_PAID';
  return payments.some(({ authorizedMinor }) => authorizedMinor > 0n) ? 'AUTHORIZED' : 'PENDING';
}
