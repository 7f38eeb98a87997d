import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { AppliedDiscountRef, discountsOf, TaxLineRef, taxLinesOf } from '../pricing/pricing.refs.graphql.ts';
import { sumByPromotion, sumByRate } from '../pricing/sums.ts';
import { totalOfLine } from '../pricing/totals.ts';
import { OrderLineRef, OrderRef } from './order.graphql.ts';

/* What an order cost, as it was frozen when it was placed. */

const BY_ID = { orderBy: { id: 'asc' } } as const;
const CURRENCY = { order: { select: { currency: true } } } as const;

builder.prismaObjectFields(OrderLineRef, (t) => ({
  discounts: t.field({
    type: [AppliedDiscountRef],
    nullable: false,
    description: 'Discounts on this line, including its share of discounts on the whole order.',
    select: { ...CURRENCY, discounts: BY_ID },
    resolve: (line) => discountsOf(line.discounts, line.order.currency),
  }),
  discountTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Sum of the discounts on this line.',
    select: { ...CURRENCY, discountMinor: true },
    resolve: (line) => ({ minor: line.discountMinor, currency: line.order.currency }),
  }),
  taxTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description:
      'Tax on this line, after discounts. Contained in `discountedTotal` if `Order.pricesIncludeTax` is true.',
    select: { ...CURRENCY, taxMinor: true },
    resolve: (line) => ({ minor: line.taxMinor, currency: line.order.currency }),
  }),
  discountedTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Price of the line after discounts, including tax if `Order.pricesIncludeTax` is true.',
    select: { ...CURRENCY, unitPriceMinor: true, quantity: true, reliefMinor: true, discountMinor: true },
    resolve: (line) => ({ minor: totalOfLine(line) - line.discountMinor, currency: line.order.currency }),
  }),
}));

builder.prismaObjectFields(OrderRef, (t) => ({
  discountCodes: t.exposeStringList('discountCodes', {
    nullable: false,
    description: 'Discount codes that applied to the order.',
  }),
  discounts: t.field({
    type: [AppliedDiscountRef],
    nullable: false,
    description: 'Discounts on the lines of the order. Discounts on shipping are in `shippingDiscounts`.',
    select: { currency: true, discounts: BY_ID },
    resolve: ({ discounts, currency }) =>
      discountsOf(sumByPromotion(discounts.filter(({ lineId }) => lineId !== null)), currency),
  }),
  discountTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Sum of `discounts`.',
    select: { currency: true, discountMinor: true },
    resolve: ({ discountMinor: minor, currency }) => ({ minor, currency }),
  }),
  shippingMethodTitle: t.exposeString('shippingMethodTitle', {
    nullable: true,
    description: 'Title of the shipping method at the time of the purchase. Null if nothing required shipping.',
  }),
  shippingDiscounts: t.field({
    type: [AppliedDiscountRef],
    nullable: false,
    description: 'Discounts on the price of shipping. `shippingTotal` is the price after them.',
    select: { currency: true, discounts: BY_ID },
    resolve: ({ discounts, currency }) =>
      discountsOf(sumByPromotion(discounts.filter(({ lineId }) => lineId === null)), currency),
  }),
  shippingTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Price of shipping after discounts.',
    select: { currency: true, shippingMinor: true },
    resolve: ({ shippingMinor: minor, currency }) => ({ minor, currency }),
  }),
  taxes: t.field({
    type: [TaxLineRef],
    nullable: false,
    description: 'Tax on lines and shipping, by rate, the highest rate first.',
    select: { currency: true, taxes: BY_ID },
    resolve: ({ taxes, currency }) =>
      taxLinesOf(sumByRate(taxes.map(({ ratePpm: ppm, ...tax }) => ({ ...tax, ppm }))), currency),
  }),
  taxTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description:
      'Sum of `taxes`. Contained in the other amounts if `pricesIncludeTax` is true, otherwise added to them.',
    select: { currency: true, taxMinor: true },
    resolve: ({ taxMinor: minor, currency }) => ({ minor, currency }),
  }),
  pricesIncludeTax: t.exposeBoolean('pricesIncludeTax', {
    nullable: false,
    description: 'Whether the amounts of the order contain the tax.',
  }),
}));
