import { builder } from '../../graphql/schema/builder.ts';

/** Where an order is in its life. */
export const OrderStatusRef = builder.enumType('OrderStatus', {
  description: 'Status of an order.',
  values: {
    PLACED: { description: 'The order was placed, and has not been sent yet.' },
    FULFILLED: { description: 'The order was sent to the customer.' },
    DELIVERED: { description: 'The order has arrived.' },
    CANCELLED: { description: 'The order was cancelled, and its units returned to stock.' },
  },
});

/** Whether an order is paid. */
export const PaymentStatusRef = builder.enumType('PaymentStatus', {
  description: 'Payment status of an order.',
  values: {
    PENDING: { description: 'The order has not been paid yet.' },
    AUTHORIZED: { description: 'The payment was authorized, and has not been captured yet.' },
    PARTIALLY_PAID: { description: 'Part of the total was paid.' },
    PAID: { description: 'The order was paid in full.' },
    PARTIALLY_REFUNDED: { description: 'Part of what was paid was refunded.' },
    REFUNDED: { description: 'All that was paid was refunded.' },
  },
});
