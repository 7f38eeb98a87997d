import { builder } from '../../graphql/schema/builder.ts';
import { argumentId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { loadNode, registerNode } from '../../graphql/schema/node.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { OrderRef } from '../orders/order-door.refs.graphql.ts';
import { isPayer, maySee } from './payment-rights.graphql.ts';
import { DisputeRef, OperationRef } from './payment-parts.graphql.ts';
import type { OfferedProvider } from './payment.service.ts';
import { PaymentRef, PaymentStateRef, RefundRef } from './payments.refs.graphql.ts';
import type { ClientData } from './providers/provider.types.ts';

const ClientDataRef = builder.objectRef<ClientData>('PaymentClientData').implement({
  extensions: OWNED,
  description:
    'Data that a front end needs to continue a payment. Visible only to the shopper who started the payment.',
  fields: (t) => ({
    redirectUrl: t.exposeString('redirectUrl', {
      nullable: true,
      description: 'URL to send the shopper to. Null if the shopper stays on the page.',
    }),
    clientSecret: t.exposeString('clientSecret', {
      nullable: true,
      description: 'Secret for the client library of the provider. Null if there is none.',
    }),
    publishableKey: t.exposeString('publishableKey', {
      nullable: true,
      description: 'Key for the client library of the provider. Null if there is none.',
    }),
  }),
});

const ReturnReasonRef = builder.enumType('PaymentReturnReason', {
  description: 'Reason for which a payment is given back without an order.',
  values: {
    AMOUNT_MISMATCH: { description: 'The amount or the currency at the provider is not what was to be paid.' },
    OUT_OF_STOCK: { description: 'The payment succeeded after its time, when the units were no longer available.' },
    CART_CHANGED: { description: 'The payment succeeded after its time, when the cart had been changed.' },
    ALREADY_ORDERED: {
      description: 'The cart had been ordered in another way, or another payment for it was in progress.',
    },
  } as const,
});

builder.node(PaymentRef, {
  extensions: OWNED,
  description:
    'An attempt to pay for a cart. Visible to the owner of the cart or of the order, to staff, and as part of an order to holders of its ' +
    'access token.',
  id: { resolve: (payment) => payment.id, description: 'Global ID of the payment. Knowing it grants no access.' },
  fields: (t) => ({
    provider: t.exposeString('provider', {
      nullable: false,
      description: 'ID of the payment provider: `manual`, `test`, `stripe`.',
    }),
    state: t.field({
      type: PaymentStateRef,
      nullable: false,
      description: 'State of the payment.',
      resolve: ({ state }) => state,
    }),
    amount: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Amount to be paid: the total of the cart when the payment was started.',
      resolve: ({ amountMinor: minor, currency }) => ({ minor, currency }),
    }),
    authorized: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Amount that the bank has approved, including what has been captured.',
      resolve: ({ authorizedMinor: minor, currency }) => ({ minor, currency }),
    }),
    captured: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Amount that was captured, whether or not it was refunded later.',
      resolve: ({ capturedMinor: minor, currency }) => ({ minor, currency }),
    }),
    refunded: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Amount that was refunded, without refunds that are pending.',
      resolve: ({ refundedMinor: minor, currency }) => ({ minor, currency }),
    }),
    deadline: t.expose('deadline', {
      type: 'DateTime',
      nullable: true,
      description:
        'Time until which the shopper can pay. The units of the cart stay held for five minutes longer, because the answer of a bank can ' +
        'arrive late. Null for payments outside of the shop.',
    }),
    clientData: t.field({
      type: ClientDataRef,
      nullable: true,
      description:
        'Data that a front end needs to continue the payment. Null unless the state is PENDING, and null unless the viewer is the shopper who ' +
        'started the payment. Also null while the provider has not answered yet; see `paymentChanged`.',
      resolve: async ({ id, clientData }, _args, ctx) =>
        clientData !== null && isPayer(await ctx.loaders.paymentOwners.load(id), ownerOf(ctx.viewer))
          ? clientData
          : null,
    }),
    failure: t.exposeString('failure', {
      nullable: true,
      description:
        'Reason for which the last attempt to pay failed, in words for the shopper. Null if no attempt failed.',
    }),
    returnReason: t.expose('returnReason', {
      type: ReturnReasonRef,
      nullable: true,
      description:
        'Reason for which no order can be placed for the payment, so that the money is voided or refunded. Null if there is none.',
    }),
    order: t.field({
      type: OrderRef,
      nullable: true,
      description: 'Order that was placed for the payment. Null if there is none, or if the viewer may not see it.',
      resolve: ({ orderId }, _args, ctx) =>
        orderId === null
          ? null
          : (loadNode(ctx, toGlobalId('Order', orderId)) as Promise<typeof OrderRef.$inferType | null>),
    }),
    lapsesAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the authorization lapses unless it is captured. Null if unknown. Staff only.',
      authScopes: { staff: true },
      resolve: ({ lapsesAt }) => lapsesAt,
    }),
    reference: t.string({
      nullable: true,
      description: 'ID of the payment at the provider. Null until the provider has answered. Staff only.',
      authScopes: { staff: true },
      resolve: ({ reference }) => reference,
    }),
    problem: t.string({
      nullable: true,
      description: 'Problem that staff must solve. Null if there is none. Staff only.',
      authScopes: { staff: true },
      resolve: ({ problem }) => problem,
    }),
    operations: t.field({
      type: [OperationRef],
      nullable: true,
      description: 'Requests to the provider, oldest first. Staff only.',
      authScopes: { staff: true },
      resolve: async ({ id, currency }, _args, ctx) =>
        (await ctx.loaders.operationsOfPayment.load(id)).map((operation) => ({ ...operation, currency })),
    }),
    disputes: t.field({
      type: [DisputeRef],
      nullable: true,
      description: 'Disputes about the payment, oldest first. Staff only.',
      authScopes: { staff: true },
      resolve: ({ id }, _args, ctx) => ctx.loaders.disputesOfPayment.load(id),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the payment was started.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

registerNode('Payment', async (ids, ctx) => {
  const found = await ctx.services.payments.byIds(ids);
  const seen = await Promise.all(found.map(async (payment) => ((await maySee(ctx, payment.id)) ? payment : null)));
  return ids.map((id) => seen.find((payment) => payment?.id === id) ?? null);
});

const RefundStateRef = builder.enumType('RefundState', {
  description: 'State of a refund.',
  values: {
    PENDING: { description: 'The provider has not confirmed the refund yet.' },
    SUCCEEDED: { description: 'The money was sent back.' },
    FAILED: { description: 'The refund failed, and the money is still with the shop.' },
  } as const,
});

builder.node(RefundRef, {
  description:
    'Money that goes back to the customer. Visible to the owner of the order, to staff, and as part of the order to holders of its ' +
    'access token.',
  id: { resolve: (refund) => refund.id, description: 'Global ID of the refund. Knowing it grants no access.' },
  fields: (t) => ({
    state: t.field({
      type: RefundStateRef,
      nullable: false,
      description: 'State of the refund.',
      resolve: ({ state }) => state,
    }),
    amount: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Refunded amount.',
      resolve: ({ amountMinor: minor, currency }) => ({ minor, currency }),
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Reason for the refund. Null if none was given.' }),
    failure: t.string({
      nullable: true,
      description: 'Reason for which the refund failed. Null unless the state is FAILED. Staff only.',
      authScopes: { staff: true },
      resolve: ({ failure }) => failure,
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the refund was requested.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

registerNode('Refund', async (ids, ctx) => {
  const found = await ctx.services.payments.refundsByIds(ids);
  const seen = await Promise.all(found.map(async (refund) => ((await maySee(ctx, refund.paymentId)) ? refund : null)));
  return ids.map((id) => seen.find((refund) => refund?.id === id) ?? null);
});

const ProviderRef = builder.objectRef<OfferedProvider>('PaymentProvider').implement({
  description: 'A way to pay that the shop offers.',
  fields: (t) => ({
    id: t.exposeString('id', {
      nullable: false,
      description: 'ID of the provider, for `paymentStart`: `manual` (invoice, cash, bank transfer), `test`, `stripe`.',
    }),
    title: t.exposeString('title', { nullable: false, description: 'Name of the provider, as shoppers see it.' }),
  }),
});

builder.queryFields((t) => ({
  paymentProviders: t.field({
    type: [ProviderRef],
    nullable: false,
    description: 'Ways to pay that the shop offers, in the order in which to offer them.',
    resolve: (_root, _args, ctx) => [...ctx.services.payments.offered],
  }),
  payment: t.field({
    type: PaymentRef,
    nullable: true,
    description: 'A payment by ID. Null if it does not exist, or if the viewer is neither its owner nor staff.',
    args: { id: t.arg.id({ required: true, description: 'Global ID of the payment.' }) },
    resolve: async (_root, args, ctx) => {
      const id = argumentId('Payment', args.id, 'id');
      return (await maySee(ctx, id)) ? ctx.loaders.payment.load(id) : null;
    },
  }),
}));
