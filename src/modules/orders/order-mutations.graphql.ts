import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { inputId } from '../../graphql/global-id.ts';
import { comparableEmailAddress } from '../../config/email-address.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { isStaff, ownerOf, requireUser } from '../../graphql/viewer.ts';
import { isPlain, optionalNote, parseInput } from '../input.ts';
import { refuseInput } from '../invalid-input.ts';
import { orderPayload } from './order-payload.graphql.ts';
import { grant } from './order-rights.graphql.ts';
import type { StaffStep } from './order-life.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';
import { cancelLimits, linkLimits } from './order.limits.graphql.ts';

const reasonInput = z.object({ reason: optionalNote });
const noteInput = z.object({ note: optionalNote });

const NOTE = 'What there is to say about it; 1,000 characters at most, line breaks are kept.';
const UNCHANGED = 'The order; null where nothing was changed.';

const OrderCancelInputRef = builder.inputType('OrderCancelInput', {
  description: 'While the order is PLACED: the owner, who has its access token, or staff. Units go back to stock.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The order.' }),
    accessToken: t.string({ description: 'The token that grants it; who owns it needs none.' }),
    reason: t.string({ description: `Why, as its history will have it. ${NOTE}` }),
  }),
});

const OrderStatusUpdateInputRef = builder.inputType('OrderStatusUpdateInput', {
  description: 'Moves an order along PLACED → FULFILLED → DELIVERED. (staff)',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The order.' }),
    status: t.field({
      type: OrderStatusRef,
      required: true,
      description: 'FULFILLED or DELIVERED; an order is cancelled by `orderCancel`.',
    }),
    note: t.string({ description: `Shown in its history. ${NOTE}` }),
  }),
});

const OrderMarkAsPaidInputRef = builder.inputType('OrderMarkAsPaidInput', {
  description: 'An order that was paid. (staff)',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The order.' }),
    note: t.string({ description: `Kept in the record of what staff do. ${NOTE}` }),
  }),
});

const OrderMarkAsRefundedInputRef = builder.inputType('OrderMarkAsRefundedInput', {
  description: 'An order that was paid back. (staff)',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The order.' }),
    note: t.string({ description: `Kept in the record of what staff do. ${NOTE}` }),
  }),
});

const OrderLinkRequestInputRef = builder.inputType('OrderLinkRequestInput', {
  description: 'Which order: by an access token that has ended, or by number and e-mail address.',
  fields: (t) => ({
    accessToken: t.string({ description: 'An access token of the order, ended or not.' }),
    number: t.string({ description: 'With `email`: the number on the confirmation.' }),
    email: t.string({ description: 'With `number`: the address with which the order was placed.' }),
  }),
});

const OrderLinkRequestPayloadRef = payloadType<{ accepted: boolean }>(
  'OrderLinkRequestPayload',
  'The same answer whether or not there is such an order.',
);
builder.objectField(OrderLinkRequestPayloadRef, 'accepted', (t) =>
  t.boolean({
    nullable: false,
    description: 'Whether the request was understood; if there is such an order, a mail is on its way.',
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
    refuseInput('EITHER_OR', 'Give either accessToken, or number and email.', null, { fields });
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
function toStep(ctx: Context, input: { id: string; note?: string | null | undefined }): StaffStep {
  const { userId: actorId } = requireUser(ctx);
  return { orderId: inputId('Order', input.id, ['id']), actorId, ...parseInput(noteInput, input) };
}

builder.mutationFields((t) => ({
  orderCancel: t.field({
    type: OrderCancelPayloadRef,
    nullable: true,
    extensions: cancelLimits,
    description: `Cancels an order that is PLACED; its units go back to stock. For its owner, who has its access token, and staff. What
was paid is paid back in a step of its own.`,
    args: { input: t.arg({ type: OrderCancelInputRef, required: true, description: 'Which one, and why.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const orderId = inputId('Order', input.id, ['id']);
        const { reason } = parseInput(reasonInput, input);
        const { user } = ctx.viewer;
        const { orders } = ctx.services;
        const grantedOrderId = input.accessToken == null ? null : await orders.orderOfToken(input.accessToken);
        const staffId = user !== null && isStaff(ctx.viewer) ? user.userId : null;
        await orders.cancel(orderId, { owner: ownerOf(ctx.viewer), grantedOrderId, staffId }, reason);
        if (grantedOrderId === orderId) grant(ctx, orderId, 'ACCESS_TOKEN');
        return { orderId };
      }),
  }),

  orderLinkRequest: t.field({
    type: OrderLinkRequestPayloadRef,
    nullable: true,
    extensions: linkLimits,
    description: `Sends a mail with a new link to the order's own address. Links and access tokens hold for 180 days.`,
    args: { input: t.arg({ type: OrderLinkRequestInputRef, required: true, description: 'Which order.' }) },
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
    description: 'Moves an order along PLACED → FULFILLED → DELIVERED. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: OrderStatusUpdateInputRef, required: true, description: 'Which one, and how far.' }) },
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
    description: 'Marks an order as paid: one that is PENDING, and not cancelled. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: OrderMarkAsPaidInputRef, required: true, description: 'Which one.' }) },
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
    description: 'Marks an order as paid back: one that is PAID, cancelled or not. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: OrderMarkAsRefundedInputRef, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const step = toStep(ctx, input);
        await ctx.services.orders.markAsRefunded(step);
        return step;
      }),
  }),
}));
