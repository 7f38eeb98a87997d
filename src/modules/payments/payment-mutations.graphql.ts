import type { Context } from '../../graphql/context/context.ts';
import { requireUser } from '../../graphql/context/viewer.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { parseInput } from '../input.ts';
import { refuseInput } from '../invalid-input.ts';
import { orderPayload } from '../orders/order-door.refs.graphql.ts';
import { refuse } from '../user-error.ts';
import { captureInput, keyInput, refundInput } from './payment-input.ts';
import { maySee, readPayment } from './payment-rights.graphql.ts';
import { syncLimits } from './payment.limits.graphql.ts';
import { PaymentRef, RefundRef } from './payments.refs.graphql.ts';

const PaymentIdInputRef = builder.inputType('PaymentIdInput', {
  description: 'Input of `paymentSync` and `paymentCancel`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the payment.' }) }),
});

const PaymentCaptureInputRef = builder.inputType('PaymentCaptureInput', {
  description: 'Input of `paymentCapture`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the payment.' }),
    amount: t.field({ type: 'Decimal', description: 'Amount to capture. Defaults to all that is authorized.' }),
    idempotencyKey: t.string({
      required: true,
      description: 'Key chosen by the caller, at most 255 characters. A repeated call with the same key captures once.',
    }),
  }),
});

const OrderRefundLineInputRef = builder.inputType('OrderRefundLineInput', {
  description: 'Units of a line to refund.',
  fields: (t) => ({
    lineId: t.id({ required: true, description: 'Global ID of the order line.' }),
    quantity: t.int({ required: true, description: 'Number of units to refund, at least 1.' }),
    restock: t.boolean({ defaultValue: false, description: 'Whether the units return to stock.' }),
  }),
});

const OrderRefundInputRef = builder.inputType('OrderRefundInput', {
  description:
    'Input of `orderRefund`. Specify either `amount`, or `lines` and `shipping`. Never more than is left is refunded.',
  fields: (t) => ({
    orderId: t.id({ required: true, description: 'Global ID of the order.' }),
    idempotencyKey: t.string({
      required: true,
      description: 'Key chosen by the caller, at most 255 characters. A repeated call with the same key refunds once.',
    }),
    lines: t.field({
      type: [OrderRefundLineInputRef],
      description: 'Units to refund, at the price that was paid for them after discounts, with their tax.',
    }),
    shipping: t.field({ type: 'Decimal', description: 'Amount to refund of the shipping.' }),
    amount: t.field({ type: 'Decimal', description: 'Amount to refund, whatever it is for.' }),
    reason: t.string({ description: 'Reason for the refund, shown to the customer. At most 1,000 characters.' }),
  }),
});

function paymentPayload(name: string) {
  const ref = payloadType<{ paymentId: string }>(name);
  builder.objectField(ref, 'payment', (t) =>
    t.field({
      type: PaymentRef,
      nullable: true,
      description: 'Payment after the mutation. Null if the mutation failed.',
      resolve: ({ paymentId }, _args, ctx) => (paymentId === undefined ? null : readPayment(ctx, paymentId)),
    }),
  );
  return ref;
}

const PaymentSyncPayloadRef = paymentPayload('PaymentSyncPayload');
const PaymentCancelPayloadRef = paymentPayload('PaymentCancelPayload');
const PaymentCapturePayloadRef = paymentPayload('PaymentCapturePayload');

const OrderRefundPayloadRef = orderPayload<{ refundId: string }>(
  'OrderRefundPayload',
  'Order after the mutation. Null if the mutation failed.',
);
builder.objectField(OrderRefundPayloadRef, 'refund', (t) =>
  t.field({
    type: RefundRef,
    nullable: true,
    description: 'Refund. Its state is PENDING until the provider has confirmed it. Null if the mutation failed.',
    resolve: async ({ refundId }, _args, ctx) => {
      if (refundId === undefined) return null;
      const [refund] = await ctx.services.payments.refundsByIds([refundId]);
      return refund ?? null;
    },
  }),
);

/** The payment that the input names, if the viewer may see it. */
async function paymentOf(ctx: Context, globalId: string): Promise<string> {
  const id = inputId('Payment', globalId, ['id']);
  if (!(await maySee(ctx, id))) refuse('NOT_FOUND', 'Payment not found.', ['id']);
  return id;
}

builder.mutationFields((t) => ({
  paymentSync: t.field({
    type: PaymentSyncPayloadRef,
    nullable: true,
    extensions: syncLimits,
    description:
      'Asks the provider now how a payment stands. For a page that the shopper was sent back to. Allowed for the owner and for staff.',
    args: { input: t.arg({ type: PaymentIdInputRef, required: true, description: 'Payment to ask about.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const paymentId = await paymentOf(ctx, input.id);
        await ctx.services.payments.sync(paymentId);
        return { paymentId };
      }),
  }),

  paymentCancel: t.field({
    type: PaymentCancelPayloadRef,
    nullable: true,
    extensions: syncLimits,
    description:
      'Cancels a payment, so that the cart can be changed again. Fails with CONFLICT if the payment has succeeded. If the provider does ' +
      'not answer at once, the state stays PENDING until it does; follow it with `paymentChanged`. Allowed for the owner and for staff.',
    args: { input: t.arg({ type: PaymentIdInputRef, required: true, description: 'Payment to cancel.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const paymentId = await paymentOf(ctx, input.id);
        await ctx.services.payments.cancel(paymentId);
        return { paymentId };
      }),
  }),

  paymentCapture: t.field({
    type: PaymentCapturePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Captures an authorized payment, in whole or in part. What is not captured may be released by the provider. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PaymentCaptureInputRef, required: true, description: 'Payment and amount.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { userId: actorId } = requireUser(ctx);
        const paymentId = inputId('Payment', input.id, ['id']);
        const { idempotencyKey } = parseInput(keyInput, input);
        const { amount } = parseInput(captureInput(ctx.shop.currency), input);
        await ctx.services.payments.capture({ paymentId, idempotencyKey, actorId, amountMinor: amount ?? null });
        return { paymentId };
      }),
  }),

  orderRefund: t.field({
    type: OrderRefundPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Refunds an order, in whole or in part, with the provider by which it was paid. For an order that was paid outside of the shop, ' +
      'the refund is only recorded. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: OrderRefundInputRef, required: true, description: 'Order, and what to refund.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { userId: actorId } = requireUser(ctx);
        const orderId = inputId('Order', input.orderId, ['orderId']);
        const { shipping, amount, idempotencyKey, reason } = parseInput(refundInput(ctx.shop.currency), input);
        const lines = (input.lines ?? []).map(({ lineId, quantity, restock }, index) => ({
          lineId: inputId('OrderLine', lineId, ['lines', String(index), 'lineId']),
          quantity,
          restock: restock ?? false,
        }));
        if (new Set(lines.map(({ lineId }) => lineId)).size < lines.length) {
          refuseInput('NAMED_TWICE', 'The list contains the same line twice.', ['lines']);
        }
        const refundId = await ctx.services.payments.refund({
          ...{ orderId, actorId, lines, idempotencyKey, reason },
          shippingMinor: shipping ?? null,
          amountMinor: amount ?? null,
        });
        return { orderId, refundId };
      }),
  }),
}));
