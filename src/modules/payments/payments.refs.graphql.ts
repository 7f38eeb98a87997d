import { builder } from '../../graphql/schema/builder.ts';
import type { PaymentRow, RefundRow } from './payment.service.ts';

/** An attempt to pay for a cart. */
export const PaymentRef = builder.objectRef<PaymentRow>('Payment');

/** Money that goes back. */
export const RefundRef = builder.objectRef<RefundRow>('Refund');
