import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { toDecimal } from '../money.ts';
import { TaxCategoryRef } from '../tax/tax.refs.graphql.ts';
import { ShippingMethodRef, ShippingRateBasisRef, ShippingZoneRef } from './shipping.refs.graphql.ts';
import type { ShippingRate } from './shipping.service.ts';

const ShippingRateRef = builder.objectRef<ShippingRate>('ShippingRate').implement({
  extensions: OWNED,
  description:
    'Price of a shipping method for a band of weights or subtotals. If several bands match a cart, the cheapest counts; if none ' +
    'does, the method is not available.',
  fields: (t) => ({
    basis: t.expose('basis', {
      type: ShippingRateBasisRef,
      nullable: false,
      description: 'Figure that the band is about.',
    }),
    from: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Lower end of the band, included: grams, or an amount in the currency of the shop.',
      resolve: ({ basis, fromValue }, _args, ctx) => boundOf(basis, fromValue, ctx.shop.currency),
    }),
    to: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'Upper end of the band, not included. Null if there is none.',
      resolve: ({ basis, toValue }, _args, ctx) =>
        toValue === null ? null : boundOf(basis, toValue, ctx.shop.currency),
    }),
    price: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Price of shipping.',
      resolve: ({ priceMinor: minor }, _args, ctx) => ({ minor, currency: ctx.shop.currency }),
    }),
  }),
});

function boundOf(basis: ShippingRate['basis'], value: bigint, currency: string): string {
  return basis === 'WEIGHT' ? value.toString() : toDecimal({ minor: value, currency });
}

builder.node(ShippingMethodRef, {
  extensions: OWNED,
  description: 'A way in which orders are sent.',
  id: { resolve: (method) => method.id, description: 'Global ID of the shipping method.' },
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false, description: 'Title for display.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description for customers. Null if there is none.',
    }),
    deliveryEstimate: t.exposeString('deliveryEstimate', {
      nullable: true,
      description: 'Expected time of delivery in words, for example `2 to 4 working days`. Null if there is none.',
    }),
    freeFrom: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Price of the goods after discounts from which shipping is free. Null if it never is.',
      resolve: ({ freeFromMinor: minor }, _args, ctx) =>
        minor === null ? null : { minor, currency: ctx.shop.currency },
    }),
    rates: t.field({
      type: [ShippingRateRef],
      nullable: { list: true, items: false },
      description: 'Prices by weight and by subtotal, at most 100.',
      resolve: ({ id }, _args, ctx) => ctx.loaders.ratesOfMethod.load(id),
    }),
    position: t.exposeInt('position', {
      nullable: false,
      description: 'Place among the methods of the zone, which are offered in this order.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
    zone: t.field({
      type: ShippingZoneRef,
      nullable: true,
      description: 'Zone of the method. Staff only.',
      authScopes: { staff: true },
      resolve: ({ zoneId }, _args, ctx) => ctx.loaders.shippingZone.load(zoneId),
    }),
    taxCategory: t.field({
      type: TaxCategoryRef,
      nullable: true,
      description: 'Tax category of shipping. Null if shipping is taxed in proportion to the goods.',
      resolve: ({ taxCategoryId }, _args, ctx) =>
        taxCategoryId === null ? null : ctx.loaders.taxCategory.load(taxCategoryId),
    }),
  }),
});

registerNode('ShippingMethod', async (ids, ctx) =>
  (await ctx.loaders.shippingMethod.loadMany(ids)).map((method) => (method instanceof Error ? null : method)),
);
