import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { inputId } from '../../graphql/global-id.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { isStaff, ownerOf, requireUser } from '../../graphql/viewer.ts';
import { optionalNote, parseInput } from '../input.ts';
import { orderPayload } from './order-payload.graphql.ts';
import { grant } from './order-rights.graphql.ts';
import type { StaffStep } from './order-life.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';
import { cancelLimits } from './order.limits.graphql.ts';

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
        const grantedOrderId = input.accessToken == null ? null : orders.orderOfToken(input.accessToken);
        const staffId = user !== null && isStaff(ctx.viewer) ? user.userId : null;
        await orders.cancel(orderId, { owner: ownerOf(ctx.viewer), grantedOrderId, staffId }, reason);
        if (grantedOrderId === orderId) grant(ctx, orderId, 'ACCESS_TOKEN');
        return { orderId };
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
