import { builder } from '../../graphql/schema/builder.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { CartRef } from '../cart/cart.refs.graphql.ts';
import { grantOf, OrderRef } from '../orders/order-door.refs.graphql.ts';
import { isPayer } from './payment-rights.graphql.ts';
import { PaymentRef, RefundRef } from './payments.refs.graphql.ts';

/* What carts and orders show of their payments. */

builder.objectField(CartRef, 'payment', (t) =>
  t.field({
    type: PaymentRef,
    nullable: true,
    description:
      'Payment that is in progress, or the last one for this cart. While a payment is in progress, the cart cannot be changed. Null ' +
      'if nobody has started to pay.',
    resolve: async (cart, _args, ctx) => {
      const payment = await ctx.loaders.paymentOfCart.load(cart.id);
      if (payment === null) return null;
      return isPayer(await ctx.loaders.paymentOwners.load(payment.id), ownerOf(ctx.viewer)) ? payment : null;
    },
  }),
);

builder.prismaObjectFields(OrderRef, (t) => ({
  payments: t.field({
    type: [PaymentRef],
    nullable: false,
    description: 'Payments for the order, oldest first. Empty if the order was looked up by number and email address.',
    select: { id: true, guestId: true, userId: true },
    resolve: (order, _args, ctx) =>
      grantOf(ctx, order) === 'NUMBER_AND_EMAIL' ? [] : ctx.loaders.paymentsOfOrder.load(order.id),
  }),
  refunds: t.field({
    type: [RefundRef],
    nullable: false,
    description: 'Refunds of the order, oldest first. Empty if the order was looked up by number and email address.',
    select: { id: true, guestId: true, userId: true },
    resolve: (order, _args, ctx) =>
      grantOf(ctx, order) === 'NUMBER_AND_EMAIL' ? [] : ctx.loaders.refundsOfOrder.load(order.id),
  }),
}));
