import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerUserError, UserErrorRef } from '../../graphql/schema/user-errors.ts';
import { AppliedDiscountRef, CartDiscountCodeRef, discountsOf } from '../pricing/pricing.refs.graphql.ts';
import { InvalidTransitionError, TotalChangedError } from './order.errors.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';

registerUserError(TotalChangedError, 'TotalChangedError');
builder.objectType(TotalChangedError, {
  name: 'TotalChangedError',
  description: 'The total is not what the caller expected. Nothing was bought.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    expected: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Total expected by the caller.',
      resolve: (error) => error.expected,
    }),
    actual: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Actual total of the cart.',
      resolve: ({ quote }) => ({ minor: quote.totalMinor, currency: quote.currency }),
    }),
    subtotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the lines of the cart before discounts.',
      resolve: ({ quote }) => ({ minor: quote.subtotalMinor, currency: quote.currency }),
    }),
    discounts: t.field({
      type: [AppliedDiscountRef],
      nullable: false,
      description: 'Discounts that apply to the lines now.',
      resolve: ({ quote }) => discountsOf(quote.discounts, quote.currency),
    }),
    discountCodes: t.field({
      type: [CartDiscountCodeRef],
      nullable: false,
      description: 'Discount codes of the cart, and whether each applies now.',
      resolve: ({ quote }) => quote.codes,
    }),
    shippingTotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Price of shipping after discounts.',
      resolve: ({ quote }) => ({ minor: quote.shippingMinor, currency: quote.currency }),
    }),
    taxTotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Tax on lines and shipping.',
      resolve: ({ quote }) => ({ minor: quote.taxMinor, currency: quote.currency }),
    }),
  }),
});

registerUserError(InvalidTransitionError, 'InvalidTransitionError');
builder.objectType(InvalidTransitionError, {
  name: 'InvalidTransitionError',
  description: 'The order cannot change from its current status to the requested one. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    from: t.expose('from', { type: OrderStatusRef, nullable: false, description: 'Current status of the order.' }),
    to: t.expose('to', { type: OrderStatusRef, nullable: false, description: 'Requested status.' }),
  }),
});
