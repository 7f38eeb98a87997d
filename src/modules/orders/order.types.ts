/** The statuses of an order, in the order in which they follow. */
export const orderStatuses = ['PLACED', 'FULFILLED', 'DELIVERED', 'CANCELLED'] as const;

/** Where an order is in its life. */
export type OrderStatus = (typeof orderStatuses)[number];

/** Whether an order is paid. */
export type PaymentStatus = 'PENDING' | 'PAID' | 'REFUNDED';
