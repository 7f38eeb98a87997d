import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';
import { orderStatuses } from './order.types.ts';

const ofOrder = { orderId: z.guid() };
const status = z.enum(orderStatuses);

/** A cart became an order. */
export const orderPlaced = defineEvent('order_placed', z.object(ofOrder));

/** An order was moved along, or cancelled. */
export const orderStatusChanged = defineEvent(
  'order_status_changed',
  z.object({ ...ofOrder, from: status, to: status }),
);

/** Somebody who has an ended link to an order, or its number and address, asked for another link by mail. */
export const orderLinkRequested = defineEvent('order_link_requested', z.object(ofOrder));

/** An order was marked as paid. */
export const orderPaid = defineEvent('order_paid', z.object(ofOrder));

/** An order was marked as paid back. */
export const orderRefunded = defineEvent('order_refunded', z.object(ofOrder));
