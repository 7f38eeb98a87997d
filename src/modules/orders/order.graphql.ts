import { builder } from '../../graphql/builder.ts';
import { MoneyRef } from '../../graphql/money.ts';
import { registerNode } from '../../graphql/node.ts';
import { SnapshotRef } from '../../graphql/snapshot.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { clockOf, grantOf, visibleOrders } from './order-rights.graphql.ts';
import { OrderStatusRef, PaymentStatusRef } from './orders.refs.graphql.ts';

interface AddressShape {
  name: string;
  line1: string;
  line2: string | null;
  city: string;
  region: string | null;
  postalCode: string;
  countryCode: string;
}

const AddressRef = builder.objectRef<AddressShape>('Address').implement({
  description: 'A postal address.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Who lives there.' }),
    line1: t.exposeString('line1', { nullable: false, description: 'Street and number.' }),
    line2: t.exposeString('line2', { nullable: true, description: 'What else there is to say.' }),
    city: t.exposeString('city', { nullable: false, description: 'Town.' }),
    region: t.exposeString('region', { nullable: true, description: 'State, province, county.' }),
    postalCode: t.exposeString('postalCode', { nullable: false, description: 'Postal code.' }),
    countryCode: t.exposeString('countryCode', { nullable: false, description: 'ISO 3166-1 alpha-2.' }),
  }),
});

builder.prismaNode('OrderLine', {
  id: { field: 'id', description: 'Names the line.' },
  description: 'What was bought, as it was named and priced at that time.',
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'The variant as it is today.',
      resolve: (line, _args, ctx) => ctx.loaders.variant.load(line.variantId),
    }),
    title: t.exposeString('title', { nullable: false, description: 'Product and variant in words.' }),
    sku: t.exposeString('sku', { nullable: false, description: "The shop's number for it." }),
    quantity: t.exposeInt('quantity', { nullable: false, description: 'Units.' }),
    unitPrice: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What a unit cost.',
      select: { order: { select: { currency: true } } },
      resolve: (line) => ({ minor: BigInt(line.unitPriceMinor), currency: line.order.currency }),
    }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What the line cost.',
      select: { order: { select: { currency: true } } },
      resolve: (line) => ({
        minor: BigInt(line.unitPriceMinor) * BigInt(line.quantity),
        currency: line.order.currency,
      }),
    }),
  }),
});

const OrderStatusChangeRef = builder.prismaObject('OrderStatusChange', {
  description: 'A step of an order from one status to the next.',
  fields: (t) => ({
    from: t.expose('from', { type: OrderStatusRef, nullable: true, description: 'Null for the first one.' }),
    to: t.expose('to', { type: OrderStatusRef, nullable: false, description: 'The status that it got.' }),
    note: t.exposeString('note', { nullable: true, description: 'What was said about it.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'When.' }),
  }),
});

/** What somebody bought. */
export const OrderRef = builder.prismaNode('Order', {
  id: { field: 'id', description: 'Names the order. It grants nothing.' },
  description: 'What somebody bought.',
  interfaces: [SnapshotRef],
  fields: (t) => ({
    number: t.string({
      nullable: false,
      description: 'Short, for people, e.g. `1042`.',
      resolve: (order) => order.number.toString(),
    }),
    status: t.expose('status', { type: OrderStatusRef, nullable: false, description: 'Where it is in its life.' }),
    paymentStatus: t.expose('paymentStatus', {
      type: PaymentStatusRef,
      nullable: false,
      description: 'Whether it is paid.',
    }),
    email: t.exposeString('email', { nullable: false, description: 'Where news of it goes.' }),
    accessToken: t.string({
      nullable: true,
      description: `Grants this order alone, for 180 days; \`orderLinkRequest\` sends another one by mail. Given to who placed it, at
checkout, and in the mail; null to others.`,
      resolve: async (order, _args, ctx) =>
        ['OWNER', 'ACCESS_TOKEN'].includes(grantOf(ctx, order))
          ? ctx.services.orders.accessToken(order.id, await clockOf(ctx))
          : null,
    }),
    customer: t.field({
      type: UserRef,
      nullable: true,
      description: 'Whose it is; null for a guest. Seen by the owner and by staff.',
      resolve: (order, _args, ctx) =>
        order.userId !== null && ['OWNER', 'STAFF'].includes(grantOf(ctx, order))
          ? ctx.loaders.user.load(order.userId)
          : null,
    }),
    shippingAddress: t.field({
      type: AddressRef,
      nullable: true,
      description: 'Where it goes. Null where the order was found by number and e-mail.',
      resolve: (order, _args, ctx) => {
        const { shippingName: name, shippingLine1: line1, shippingCity: city } = order;
        const { shippingPostalCode: postalCode, shippingCountryCode: countryCode } = order;
        if (grantOf(ctx, order) === 'NUMBER_AND_EMAIL') return null;
        // All of them or none, by the table's CHECK.
        if (name === null || line1 === null || city === null || postalCode === null || countryCode === null)
          return null;
        return { name, line1, line2: order.shippingLine2, city, region: order.shippingRegion, postalCode, countryCode };
      },
    }),
    lines: t.relation('lines', {
      nullable: false,
      description: 'What was bought.',
      query: { orderBy: { position: 'asc' } },
    }),
    totalQuantity: t.int({
      nullable: false,
      description: 'Units in all.',
      select: { lines: { orderBy: { position: 'asc' } } },
      resolve: (order) => order.lines.reduce((sum, line) => sum + line.quantity, 0),
    }),
    subtotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What the lines cost.',
      resolve: ({ subtotalMinor: minor, currency }) => ({ minor, currency }),
    }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What is to be paid.',
      resolve: ({ totalMinor: minor, currency }) => ({ minor, currency }),
    }),
    placedAt: t.expose('placedAt', { type: 'DateTime', nullable: false, description: 'When it was placed.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'When it last changed.' }),
    history: t.relation('history', {
      type: OrderStatusChangeRef,
      nullable: false,
      description: 'Every status that the order has had, oldest first.',
      query: { orderBy: { id: 'asc' } },
    }),
  }),
});

registerNode('Order', async (ids, ctx) => {
  const visible = visibleOrders(ctx);
  if (visible === null) return ids.map(() => null);
  const orders = await ctx.prisma.order.findMany({ where: { id: { in: ids }, ...visible } });
  return ids.map((id) => orders.find((order) => order.id === id) ?? null);
});

registerNode('OrderLine', async (ids, ctx) => {
  const visible = visibleOrders(ctx);
  if (visible === null) return ids.map(() => null);
  const lines = await ctx.prisma.orderLine.findMany({ where: { id: { in: ids }, order: visible } });
  return ids.map((id) => lines.find((line) => line.id === id) ?? null);
});
