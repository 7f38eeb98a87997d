import { requestError } from '../../graphql/context/request-error.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';
import { assertTimeZone } from '../../graphql/schema/time-zone.ts';
import { ProductRef } from '../catalog/catalog.refs.graphql.ts';
import type { CartConversion, PeriodSales, ProductSales, Sales, Span } from './report.service.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_DAYS = 400;
const MAX_DAYS_BY_HOUR = 31;
const MAX_HOURS_BY_MINUTE = 6;

interface Report extends Span {
  timeZone: string;
}

const SalesRef = builder.objectRef<Sales>('Sales').implement({
  description: 'Orders placed in a period of time, except orders that have been cancelled. Staff only.',
  fields: (t) => ({
    orderCount: t.exposeInt('orderCount', { nullable: false, description: 'Number of orders.' }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the totals of the orders, paid or not.',
      resolve: ({ totalMinor }, _args, ctx) => ({ minor: totalMinor, currency: ctx.shop.currency }),
    }),
  }),
});

const SalesPeriodRef = builder.objectRef<PeriodSales>('SalesPeriod').implement({
  description: 'Sales of one minute, one hour or one day. Staff only.',
  fields: (t) => ({
    startsAt: t.expose('startsAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Start of the minute, hour or day.',
    }),
    sales: t.field({
      type: SalesRef,
      nullable: false,
      description: 'Sales of the part of it that lies in the period of the report.',
      resolve: (period) => period,
    }),
  }),
});

const ProductSalesRef = builder.objectRef<ProductSales>('ProductSales').implement({
  description: 'Sales of one product. Staff only.',
  fields: (t) => ({
    product: t.field({
      type: ProductRef,
      nullable: true,
      description: 'Product in its current state.',
      resolve: ({ productId }, _args, ctx) => ctx.loaders.product.load(productId),
    }),
    orderCount: t.exposeInt('orderCount', {
      nullable: false,
      description: 'Number of orders that contain the product.',
    }),
    unitCount: t.exposeInt('unitCount', { nullable: false, description: 'Number of units sold.' }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the totals of the order lines, at the prices of the purchase.',
      resolve: ({ totalMinor }, _args, ctx) => ({ minor: totalMinor, currency: ctx.shop.currency }),
    }),
  }),
});

const CartConversionRef = builder.objectRef<CartConversion>('CartConversion').implement({
  description: 'How many of the carts created in a period of time have become orders. Staff only.',
  fields: (t) => ({
    cartCount: t.exposeInt('cartCount', {
      nullable: false,
      description:
        'Number of carts created in the period and not merged into another cart. Old carts that did not become ' +
        'orders are deleted after a while and no longer count.',
    }),
    convertedCount: t.exposeInt('convertedCount', {
      nullable: false,
      description: 'Number of these carts that have been checked out.',
    }),
  }),
});

const ProductSalesConnectionRef = connectionType(ProductSalesRef, 'products with their sales');

const ofProducts: CursorType = {
  list: 'salesReport.products',
  values: [cursorTypes.amount, cursorTypes.uuid],
};

const SalesReportRef = builder.objectRef<Report>('SalesReport').implement({
  description:
    'Sales in a period of time. Orders count by the time at which they were placed; cancelled orders do not count. Staff ' +
    'only.',
  interfaces: [SnapshotRef],
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', nullable: false, description: 'Start of the period.' }),
    to: t.expose('to', { type: 'DateTime', nullable: false, description: 'End of the period, which is excluded.' }),
    sales: t.field({
      type: SalesRef,
      nullable: false,
      description: 'Sales of the whole period.',
      complexity: 20,
      resolve: (span, _args, { services }) => services.reports.sales(span),
    }),
    byMinute: t.field({
      type: [SalesPeriodRef],
      nullable: { list: true, items: false },
      description: `Sales by minute, oldest first, including minutes without sales. The period may have at most ${MAX_HOURS_BY_MINUTE} hours.`,
      complexity: { field: 50, multiplier: 1 },
      resolve(span, _args, { services }) {
        if (span.to.getTime() - span.from.getTime() > MAX_HOURS_BY_MINUTE * HOUR_MS) {
          throw requestError('BAD_REQUEST', `\`byMinute\` is limited to a period of ${MAX_HOURS_BY_MINUTE} hours.`);
        }
        return services.reports.salesByPeriod(span, 'minute', span.timeZone);
      },
    }),
    byHour: t.field({
      type: [SalesPeriodRef],
      nullable: { list: true, items: false },
      description: `Sales by hour, oldest first, including hours without sales. The period may have at most ${MAX_DAYS_BY_HOUR} days.`,
      complexity: { field: 50, multiplier: 1 },
      resolve(span, _args, { services }) {
        if (span.to.getTime() - span.from.getTime() > MAX_DAYS_BY_HOUR * DAY_MS) {
          throw requestError('BAD_REQUEST', `\`byHour\` is limited to a period of ${MAX_DAYS_BY_HOUR} days.`);
        }
        return services.reports.salesByPeriod(span, 'hour', span.timeZone);
      },
    }),
    byDay: t.field({
      type: [SalesPeriodRef],
      nullable: { list: false, items: false },
      description: 'Sales by day, oldest first, including days without sales.',
      complexity: { field: 50, multiplier: 1 },
      resolve: (span, _args, { services }) => services.reports.salesByPeriod(span, 'day', span.timeZone),
    }),
    products: t.field({
      type: ProductSalesConnectionRef,
      nullable: false,
      description: 'Products sold in the period, those with the highest sales first.',
      args: t.arg.connectionArgs(),
      complexity: pageCost,
      async resolve(span, args, { services: { reports } }) {
        const page = await reports.productSales(span, pageOf(args, ofProducts));
        return toConnection(page, ofProducts, () => reports.productsSold(span));
      },
    }),
    carts: t.field({
      type: CartConversionRef,
      nullable: false,
      description: 'Conversion of carts to orders in the period.',
      complexity: 20,
      resolve: (span, _args, { services }) => services.reports.cartConversion(span),
    }),
  }),
});

builder.queryField('salesReport', (t) =>
  t.field({
    type: SalesReportRef,
    nullable: true,
    description: 'Sales in a period of time, by hour, by day and by product. Staff only.',
    authScopes: { staff: true },
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: 'Start of the period.' }),
      to: t.arg({
        type: 'DateTime',
        description: `End of the period, which is excluded. Defaults to the current time; at most ${MAX_DAYS} days after \`from\`.`,
      }),
      timeZone: t.arg.string({
        defaultValue: 'UTC',
        description:
          'IANA name of the time zone by whose clock hours and days begin, for example `Europe/Berlin`. Defaults to UTC.',
      }),
    },
    async resolve(_root, { from, to, timeZone }, { services }) {
      const zone = timeZone ?? 'UTC';
      assertTimeZone(zone);
      const end = to ?? (await services.reports.now());
      const ms = end.getTime() - from.getTime();
      if (ms < 0) throw requestError('BAD_REQUEST', '`from` must not be after `to`.');
      if (ms > MAX_DAYS * DAY_MS) throw requestError('BAD_REQUEST', `The period may have at most ${MAX_DAYS} days.`);
      return { from, to: end, timeZone: zone };
    },
  }),
);
