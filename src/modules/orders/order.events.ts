import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';
import { orderStatuses, paymentStatuses } from './order.types.ts';

const ofOrder = { orderId: z.guid() };
const status = z.enum(orderStatuses);

/** A cart became an order. */
export const orderPlaced = defineEvent('order_placed', z.object(ofOrder));

/** An order was moved along, or cancelled. */
export const orderStatusChanged = defineEvent(
  'order_status_changed',
  z.object({ ...ofOrder, from: status, to: status }),
);

/** Another link to an order was requested, with an expired link or with the order's number and email address. */
export const orderLinkRequested = defineEvent('order_link_requested', z.object(ofOrder));

const paymentStatus = z.enum(paymentStatuses);

/** An order is paid in full. Events from before there were payments lack `from`. */
export const orderPaid = defineEvent('order_paid', z.object({ ...ofOrder, from: paymentStatus.default('PENDING') }));

/** All that was paid for an order has been refunded. */
export const orderRefunded = defineEvent(
  'order_refunded',
  z.object({ ...ofOrder, from: paymentStatus.default('PAID') }),
);

/** The payment status of an order changed to one for which there is no event of its own. */
export const orderPaymentStatusChanged = defineEvent(
  'order_payment_status_changed',
  z.object({ ...ofOrder, from: paymentStatus, to: paymentStatus }),
);
