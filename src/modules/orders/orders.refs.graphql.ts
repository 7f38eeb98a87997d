import { builder } from '../../graphql/builder.ts';

/** Where an order is in its life. */
export const OrderStatusRef = builder.enumType('OrderStatus', {
  description: 'Where an order is in its life.',
  values: {
    PLACED: { description: 'Bought, and not sent yet.' },
    FULFILLED: { description: 'Sent.' },
    DELIVERED: { description: 'Arrived.' },
    CANCELLED: { description: 'Called off; its units went back to stock.' },
  },
});

/** Whether an order is paid. */
export const PaymentStatusRef = builder.enumType('PaymentStatus', {
  description: 'Whether an order is paid.',
  values: {
    PENDING: { description: 'Not paid yet.' },
    PAID: { description: 'Paid.' },
    REFUNDED: { description: 'Paid back.' },
  },
});
