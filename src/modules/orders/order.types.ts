/** Where an order is in its life. */
export type OrderStatus = 'PLACED' | 'FULFILLED' | 'DELIVERED' | 'CANCELLED';

/** Whether an order is paid. */
export type PaymentStatus = 'PENDING' | 'PAID' | 'REFUNDED';
