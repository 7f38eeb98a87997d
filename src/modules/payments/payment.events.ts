import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

const ofPayment = {
  paymentId: z.guid(),
  /** Whose the cart of the payment is: one of the two. */
  guestId: z.guid().nullable(),
  userId: z.guid().nullable(),
  /** Null until the order is placed. */
  orderId: z.guid().nullable(),
};

/** Something about a payment changed: its state, its amounts, its refunds or disputes. */
export const paymentChanged = defineEvent('payment_changed', z.object(ofPayment));

/** A payment ended without an order; `late` says that the bank had agreed when it was too late. */
export const paymentFailed = defineEvent('payment_failed', z.object({ ...ofPayment, late: z.boolean() }));

/** A payment arrived after its time, and its order was still placed. */
export const paymentReceivedLate = defineEvent('payment_received_late', z.object(ofPayment));

/** Money went back to the customer. */
export const refundSucceeded = defineEvent('refund_succeeded', z.object({ ...ofPayment, refundId: z.guid() }));

/** An authorization that is not captured lapses within two days. */
export const authorizationLapsing = defineEvent('authorization_lapsing', z.object(ofPayment));
