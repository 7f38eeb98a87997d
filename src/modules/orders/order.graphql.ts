import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { totalOfLine, totalsOf } from '../pricing/totals.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { toAddress } from '../addresses/address.types.ts';
import { AddressRef } from '../addresses/addresses.refs.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { clockOf, grantOf, visibleOrders } from './order-rights.graphql.ts';
import { OrderStatusRef, PaymentStatusRef } from './orders.refs.graphql.ts';

/** A line of an order. */
export const OrderLineRef = builder.prismaNode('OrderLine', {
  id: { field: 'id', description: 'Global ID of the line.' },
  description: 'A line of an order. Title, SKU and price are copies from the time of the purchase.',
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant in its current state.',
      resolve: (line, _args, ctx) => ctx.loaders.variant.load(line.variantId),
    }),
    title: t.exposeString('title', {
      nullable: false,
      description: 'Title of the product and the variant at the time of the purchase.',
    }),
    sku: t.exposeString('sku', { nullable: false, description: 'Stock keeping unit at the time of the purchase.' }),
    quantity: t.exposeInt('quantity', { nullable: false, description: 'Number of units.' }),
    unitPrice: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Price of one unit.',
      select: { order: { select: { currency: true } } },
      resolve: (line) => ({ minor: BigInt(line.unitPriceMinor), currency: line.order.currency }),
    }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description:
        'Unit price times quantity, before discounts. For an order that was sold without the tax of the shop, without the tax ' +
        'that the price contains.',
      select: { order: { select: { currency: true } } },
      resolve: (line) => ({
        minor: totalOfLine(line),
        currency: line.order.currency,
      }),
    }),
  }),
});

const OrderStatusChangeRef = builder.prismaObject('OrderStatusChange', {
  description: 'A change in the status of an order.',
  fields: (t) => ({
    from: t.expose('from', {
      type: OrderStatusRef,
      nullable: true,
      description: 'Status before the change. Null for the first entry.',
    }),
    to: t.expose('to', { type: OrderStatusRef, nullable: false, description: 'Status after the change.' }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'Note or reason entered with the change. Null if there is none.',
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'Time of the change.' }),
  }),
});

/** An order. */
export const OrderRef = builder.prismaNode('Order', {
  id: { field: 'id', description: 'Global ID of the order. Knowing it grants no access.' },
  description:
    'A purchase by a customer or guest. Visible to its owner, to staff, and to callers who looked it up by ' +
    'access token or by number and email address.',
  interfaces: [SnapshotRef],
  fields: (t) => ({
    number: t.string({
      nullable: false,
      description: 'Order number for display, for example `1042`.',
      resolve: (order) => order.number.toString(),
    }),
    status: t.expose('status', { type: OrderStatusRef, nullable: false, description: 'Status of the order.' }),
    paymentStatus: t.expose('paymentStatus', {
      type: PaymentStatusRef,
      nullable: false,
      description: 'Payment status of the order.',
    }),
    email: t.exposeString('email', {
      nullable: false,
      description: 'Email address that receives messages about the order.',
    }),
    accessToken: t.string({
      nullable: true,
      description:
        'Token that grants access to this order only, for 180 days; `orderLinkRequest` sends a new one by email. ' +
        'Null unless the viewer is the owner of the order or has identified it by access token or by placing it.',
      resolve: async (order, _args, ctx) =>
        ['OWNER', 'ACCESS_TOKEN'].includes(grantOf(ctx, order))
          ? ctx.services.orders.accessToken(order.id, await clockOf(ctx))
          : null,
    }),
    customer: t.field({
      type: UserRef,
      nullable: true,
      description:
        'User who placed the order. Null if a guest placed it, and null unless the viewer is the owner or staff.',
      resolve: (order, _args, ctx) =>
        order.userId !== null && ['OWNER', 'STAFF'].includes(grantOf(ctx, order))
          ? ctx.loaders.user.load(order.userId)
          : null,
    }),
    shippingAddress: t.field({
      type: AddressRef,
      nullable: true,
      description:
        'Postal address that the order ships to. Null if none was given, or if the order was looked up by number ' +
        'and email address.',
      resolve: (order, _args, ctx) => {
        if (grantOf(ctx, order) === 'NUMBER_AND_EMAIL') return null;
        return toAddress({
          name: order.shippingName,
          line1: order.shippingLine1,
          line2: order.shippingLine2,
          city: order.shippingCity,
          region: order.shippingRegion,
          postalCode: order.shippingPostalCode,
          countryCode: order.shippingCountryCode,
        });
      },
    }),
    lines: t.relation('lines', {
      nullable: false,
      description: 'Lines of the order.',
      query: { orderBy: { position: 'asc' } },
    }),
    totalQuantity: t.int({
      nullable: false,
      description: 'Number of units in all lines.',
      select: { lines: { orderBy: { position: 'asc' } } },
      resolve: (order) => totalsOf(order.lines).quantity,
    }),
    subtotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the line totals, before discounts.',
      resolve: ({ subtotalMinor: minor, currency }) => ({ minor, currency }),
    }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description:
        'Amount to pay: `subtotal` less `discountTotal`, plus `shippingTotal`, plus `taxTotal` unless `pricesIncludeTax` is true.',
      resolve: ({ totalMinor: minor, currency }) => ({ minor, currency }),
    }),
    placedAt: t.expose('placedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the order was placed.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change to the order.',
    }),
    history: t.relation('history', {
      type: OrderStatusChangeRef,
      nullable: false,
      description: 'All changes in the status of the order, oldest first. The first entry is the placing of the order.',
      query: { orderBy: { id: 'asc' } },
    }),
  }),
});

registerNode('Order', async (ids, ctx) => {
  const visible = visibleOrders(ctx);
  if (visible === null) return ids.map(() => null);
  const orders = await ctx.db.prisma.order.findMany({ where: { id: { in: ids }, ...visible } });
  return ids.map((id) => orders.find((order) => order.id === id) ?? null);
});

registerNode('OrderLine', async (ids, ctx) => {
  const visible = visibleOrders(ctx);
  if (visible === null) return ids.map(() => null);
  const lines = await ctx.db.prisma.orderLine.findMany({ where: { id: { in: ids }, order: visible } });
  return ids.map((id) => lines.find((line) => line.id === id) ?? null);
});
