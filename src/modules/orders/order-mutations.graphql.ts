import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { comparableEmailAddress } from '../../config/email-address.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/context/viewer.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { isPlain, optionalNote, parseInput } from '../input.ts';
import { refuseInput } from '../invalid-input.ts';
import { orderPayload } from './order-payload.graphql.ts';
import { grant } from './order-rights.graphql.ts';
import type { OrderStep } from './order-transitions.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { cancelLimits, linkLimits } from './order.limits.graphql.ts';

const reasonInput = z.object({ reason: optionalNote });
const noteInput = z.object({ note: optionalNote });

const NOTE = 'At most 1,000 characters; may contain line breaks.';
const UNCHANGED = 'Order after the mutation. Null if the mutation failed.';

const OrderCancelInputRef = builder.inputType('OrderCancelInput', {
  description: 'Input of `orderCancel`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the order.' }),
    accessToken: t.string({
      description: 'Access token of the order. Not needed by the owner of the order or by staff.',
    }),
    reason: t.string({ description: `Reason for the cancellation, shown in the history of the order. ${NOTE}` }),
  }),
});

const OrderStatusUpdateInputRef = builder.inputType('OrderStatusUpdateInput', {
  description: 'Input of `orderStatusUpdate`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the order.' }),
    status: t.field({
      type: OrderStatusRef,
      required: true,
      description: 'New status: FULFILLED or DELIVERED. To cancel an order, use `orderCancel`.',
    }),
    note: t.string({ description: `Note shown in the history of the order. ${NOTE}` }),
  }),
});

const OrderMarkAsPaidInputRef = builder.inputType('OrderMarkAsPaidInput', {
  description: 'Input of `orderMarkAsPaid`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the order.' }),
    note: t.string({ description: `Note for the record in \`staffActions\`. ${NOTE}` }),
  }),
});

const OrderMarkAsRefundedInputRef = builder.inputType('OrderMarkAsRefundedInput', {
  description: 'Input of `orderMarkAsRefunded`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the order.' }),
    note: t.string({ description: `Note for the record in \`staffActions\`. ${NOTE}` }),
  }),
});

const OrderLinkRequestInputRef = builder.inputType('OrderLinkRequestInput', {
  description: 'Input of `orderLinkRequest`. Specify either `accessToken`, or `number` and `email`.',
  fields: (t) => ({
    accessToken: t.string({ description: 'Access token of the order, which may have expired.' }),
    number: t.string({ description: 'Order number. Requires `email`.' }),
    email: t.string({ description: 'Email address with which the order was placed. Requires `number`.' }),
  }),
});

const OrderLinkRequestPayloadRef = payloadType<{ accepted: boolean }>(
  'OrderLinkRequestPayload',
  'Result of `orderLinkRequest`. It is the same whether or not the order exists.',
);
builder.objectField(OrderLinkRequestPayloadRef, 'accepted', (t) =>
  t.boolean({
    nullable: false,
    description: 'Whether the request was accepted. An email is sent only if the order exists.',
    resolve: (payload) => payload.accepted ?? false,
  }),
);

/** The order for which another link is asked; null where there is none. */
async function orderOfLink(
  ctx: Context,
  { accessToken, number, email }: typeof OrderLinkRequestInputRef.$inferInput,
): Promise<string | null> {
  const { orders } = ctx.services;
  const isByNumber = number != null && email != null;
  if ((accessToken != null) === isByNumber || (number == null) !== (email == null)) {
    const fields = 'accessToken,number+email';
    refuseInput('EITHER_OR', 'Specify either accessToken, or number and email.', null, { fields });
  }
  if (accessToken != null) return orders.orderOfEndedToken(accessToken);
  if (number == null || email == null || !isPlain(email)) return null;
  return orders.findByNumberAndEmail(number, comparableEmailAddress(email));
}

const OrderCancelPayloadRef = orderPayload('OrderCancelPayload', UNCHANGED);
const OrderStatusUpdatePayloadRef = orderPayload('OrderStatusUpdatePayload', UNCHANGED);
const OrderMarkAsPaidPayloadRef = orderPayload('OrderMarkAsPaidPayload', UNCHANGED);
const OrderMarkAsRefundedPayloadRef = orderPayload('OrderMarkAsRefundedPayload', UNCHANGED);

/** What staff do to the order that the input names. */
function toStep(ctx: Context, input: { id: string; note?: string | null | undefined }): OrderStep {
  const { userId } = requireUser(ctx);
  const by = { by: 'STAFF', userId } as const;
  return { orderId: inputId('Order', input.id, ['id']), by, ...parseInput(noteInput, input) };
}

builder.mutationFields((t) => ({
  orderCancel: t.field({
    type: OrderCancelPayloadRef,
    nullable: true,
    extensions: cancelLimits,
    description:
      'Cancels an order with status PLACED and returns its units to stock. Allowed for the owner of the order, ' +
      'for holders of its access token, and for staff. A payment with a provider is voided or refunded; one outside of the ' +
      'shop is not; see `orderMarkAsRefunded`.',
    args: {
      input: t.arg({ type: OrderCancelInputRef, required: true, description: 'Order to cancel, and the reason.' }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const orderId = inputId('Order', input.id, ['id']);
        const { reason } = parseInput(reasonInput, input);
        const { user } = ctx.viewer;
        const { orders } = ctx.services;
        const grantedOrderId = input.accessToken == null ? null : await orders.orderOfToken(input.accessToken);
        const staffId = user !== null && isStaff(ctx.viewer) ? user.userId : null;
        const by = { by: 'VIEWER', owner: ownerOf(ctx.viewer), grantedOrderId, staffId } as const;
        await orders.cancel(orderId, by, reason);
        if (grantedOrderId === orderId) grant(ctx, orderId, 'ACCESS_TOKEN');
        return { orderId };
      }),
  }),

  orderLinkRequest: t.field({
    type: OrderLinkRequestPayloadRef,
    nullable: true,
    extensions: linkLimits,
    description:
      'Sends an email with a new link to an order, to the email address of the order. The link and its access ' +
      'token are valid for 180 days.',
    args: {
      input: t.arg({ type: OrderLinkRequestInputRef, required: true, description: 'Order to send a link for.' }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const orderId = await orderOfLink(ctx, input);
        if (orderId !== null) await ctx.services.orders.requestLink(orderId);
        return { accepted: true };
      }),
  }),

  orderStatusUpdate: t.field({
    type: OrderStatusUpdatePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Advances an order from PLACED to FULFILLED or from FULFILLED to DELIVERED. Staff only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: OrderStatusUpdateInputRef, required: true, description: 'Order and its new status.' }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const step = toStep(ctx, input);
        await ctx.services.orders.updateStatus({ ...step, to: input.status });
        return step;
      }),
  }),

  orderMarkAsPaid: t.field({
    type: OrderMarkAsPaidPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Marks an order as paid. The payment status must be PENDING, and the order must not be cancelled. Staff ' +
      'only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: OrderMarkAsPaidInputRef, required: true, description: 'Order that was paid.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const step = toStep(ctx, input);
        await ctx.services.orders.markAsPaid(step);
        return step;
      }),
  }),

  orderMarkAsRefunded: t.field({
    type: OrderMarkAsRefundedPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Marks an order as refunded. The payment status must be PAID; the order may be cancelled or not. Staff ' +
      'only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: OrderMarkAsRefundedInputRef, required: true, description: 'Order that was refunded.' }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const step = toStep(ctx, input);
        await ctx.services.orders.markAsRefunded(step);
        return step;
      }),
  }),
}));
