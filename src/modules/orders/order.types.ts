/** The statuses of an order, in the order in which they follow. */
export const orderStatuses = ['PLACED', 'FULFILLED', 'DELIVERED', 'CANCELLED'] as const;

/** Where an order is in its life. */
export type OrderStatus = (typeof orderStatuses)[number];

/** How far an order is paid. */
export const paymentStatuses = [
  'PENDING',
  'AUTHORIZED',
  'PARTIALLY_PAID',
  'PAID',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
] as const;

/** Whether an order is paid. */
export type PaymentStatus = (typeof paymentStatuses)[number];
