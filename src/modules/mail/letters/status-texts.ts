/** Texts about each status that an order can move to. */
export const statusTexts = {
  FULFILLED: {
    subject: 'on its way',
    title: 'Your order is on its way',
    text: 'has been sent, and should arrive soon.',
  },
  DELIVERED: {
    subject: 'delivered',
    title: 'Your order was delivered',
    text: 'was delivered. We hope that you like it.',
  },
  CANCELLED: {
    subject: 'cancelled',
    title: 'Your order was cancelled',
    text: 'was cancelled. Nothing will be sent.',
  },
} as const;
