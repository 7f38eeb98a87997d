import { builder } from '../../graphql/schema/builder.ts';
import type { PaymentRow, RefundRow } from './payment.service.ts';

/** An attempt to pay for a cart. */
export const PaymentRef = builder.objectRef<PaymentRow>('Payment');

/** Money that goes back. */
export const RefundRef = builder.objectRef<RefundRow>('Refund');

export const PaymentStateRef = builder.enumType('PaymentState', {
  description: 'State of a payment.',
  values: {
    PENDING: { description: 'The payment was begun, and the shopper has something to do.' },
    PROCESSING: { description: 'The provider is working on the payment, which may take days.' },
    AUTHORIZED: { description: 'The bank has approved the payment, and the money has not been captured yet.' },
    CAPTURED: { description: 'Money was captured, in whole or in part.' },
    CANCELLED: { description: 'The payment was cancelled before money was captured.' },
    FAILED: { description: 'The payment failed for good.' },
  } as const,
});
