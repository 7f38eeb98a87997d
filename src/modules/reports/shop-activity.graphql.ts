import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import {
  cursorTypes,
  pageCost,
  pageOf,
  toConnection,
  type CountPrecision,
  type CursorType,
} from '../../graphql/schema/connection.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';
import { MAX_COUNTED } from '../../infra/postgres/count.ts';
import { OrderStatusRef } from '../orders/orders.refs.graphql.ts';
import type { LiveCart, StockSummary } from './report.service.ts';

const LiveCartRef = builder.objectRef<LiveCart>('LiveCart').implement({
  description: 'A cart that holds units now, without the name of its owner. Staff only.',
  fields: (t) => ({
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the cart was created.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the hold ends and the units return to stock, unless the cart changes before.',
    }),
    unitCount: t.exposeInt('unitCount', { nullable: false, description: 'Number of units in the cart.' }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the lines of the cart, before discounts, shipping and tax.',
      resolve: ({ totalMinor }, _args, ctx) => ({ minor: totalMinor, currency: ctx.shop.currency }),
    }),
  }),
});

const LiveCartConnectionRef = connectionType(LiveCartRef, 'carts that hold units');

const ofCarts: CursorType = { list: 'shopActivity.liveCarts', values: [cursorTypes.instant, cursorTypes.uuid] };

const StockSummaryRef = builder.objectRef<StockSummary>('StockSummary').implement({
  description: 'Stock of all variants of active and draft products. Staff only.',
  fields: (t) => ({
    heldUnits: t.exposeInt('heldUnits', { nullable: false, description: 'Number of units held by carts.' }),
    soldOutCount: t.exposeInt('soldOutCount', {
      nullable: false,
      description: 'Number of variants without available units.',
    }),
    lowCount: t.exposeInt('lowCount', {
      nullable: false,
      description: 'Number of variants with available units, but not more than their `lowStockThreshold`.',
    }),
  }),
});

interface OrderCount {
  status: string;
  count: number;
  precision: CountPrecision;
}

const OrderCountRef = builder.objectRef<OrderCount>('OrderCount').implement({
  description: 'Number of orders with one status. Staff only.',
  fields: (t) => ({
    status: t.field({
      type: OrderStatusRef,
      nullable: false,
      description: 'Status of the orders.',
      resolve: ({ status }) => status as 'PLACED',
    }),
    count: t.exposeInt('count', {
      nullable: false,
      description: `Number of orders, at most ${MAX_COUNTED.toLocaleString('en')}; see \`isExact\`.`,
    }),
    isExact: t.boolean({
      nullable: false,
      description: 'Whether `count` is exact. If false, the actual number is higher.',
      resolve: ({ precision }) => precision === 'EXACT',
    }),
  }),
});

const ShopActivityRef = builder.objectRef<object>('ShopActivity').implement({
  description: 'Activity in the shop now. Staff only.',
  interfaces: [SnapshotRef],
  fields: (t) => ({
    stock: t.field({
      type: StockSummaryRef,
      nullable: false,
      description: 'Stock of all variants.',
      complexity: 20,
      resolve: (_parent, _args, { services }) => services.reports.stock(),
    }),
    orderCounts: t.field({
      type: [OrderCountRef],
      nullable: { list: false, items: false },
      description: 'Number of orders by status, in the order PLACED, FULFILLED, DELIVERED, CANCELLED.',
      complexity: { field: 20, multiplier: 1 },
      resolve: async (_parent, _args, { services }): Promise<OrderCount[]> =>
        (await services.reports.orderCounts()).map(({ status, count }) => ({
          status,
          count: Math.min(count, MAX_COUNTED),
          precision: count > MAX_COUNTED ? 'AT_LEAST' : 'EXACT',
        })),
    }),
    liveCarts: t.field({
      type: LiveCartConnectionRef,
      nullable: false,
      description: 'Carts that hold units now, the next to expire first.',
      args: t.arg.connectionArgs(),
      complexity: pageCost,
      async resolve(_parent, args, { services: { reports } }) {
        const page = await reports.liveCarts(pageOf(args, ofCarts));
        return toConnection(page, ofCarts, () => reports.liveCartCount());
      },
    }),
  }),
});

builder.queryField('shopActivity', (t) =>
  t.field({
    type: ShopActivityRef,
    nullable: true,
    description:
      'Activity in the shop now: units held by carts, orders by status, and carts about to expire. To keep the ' +
      'values current, read them again after events of `stockChanged`, `orderPlaced` and `orderStatusChanged`. Staff only.',
    authScopes: { staff: true },
    resolve: () => ({}),
  }),
);
