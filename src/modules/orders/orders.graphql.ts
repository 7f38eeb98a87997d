import { builder } from '../../graphql/schema/builder.ts';
import { cursorTypes, pageCost, pageOf, type CursorType } from '../../graphql/schema/connection.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { countOnly, type Found } from '../../infra/postgres/count.ts';
import { emailAddress } from '../input.ts';
import { OrderConnectionRef, orderCursors, toOrderConnection } from './order-connection.graphql.ts';
import type { OrderQuery, OrderSort } from './order.service.ts';
import { OrderStatusRef, PaymentStatusRef } from './orders.refs.graphql.ts';

const MAX_SEARCH = 200;

const OrderFilterRef = builder.inputType('OrderFilter', {
  description: 'Conditions for listing orders. An order is listed if it meets all of them.',
  fields: (t) => ({
    search: t.string({
      description: `Words to find in order number, email address, recipient's name and postal address, at most ${MAX_SEARCH} characters. The last word may be incomplete; accents and case are ignored.`,
    }),
    paymentStatus: t.field({ type: PaymentStatusRef, description: 'Lists only orders with this payment status.' }),
    status: t.field({ type: OrderStatusRef, description: 'Lists only orders with this status.' }),
    email: t.string({
      description: 'Lists only orders placed with this email address, which must match in full; case is ignored.',
    }),
    placedAfter: t.field({ type: 'DateTime', description: 'Lists only orders placed at or after this time.' }),
    placedBefore: t.field({ type: 'DateTime', description: 'Lists only orders placed before this time.' }),
  }),
});

const OrderSortKeyRef = builder.enumType('OrderSortKey', {
  description: 'Property by which orders are sorted.',
  values: {
    PLACED_AT: { description: 'Time at which the order was placed, newest first.' },
    TOTAL: { description: 'Total, highest first.' },
  },
} as const);

const OrderSortRef = builder.inputType('OrderSort', {
  description: 'Sort order of orders.',
  fields: (t) => ({
    key: t.field({ type: OrderSortKeyRef, required: true, description: 'Property to sort by.' }),
    reverse: t.boolean({
      defaultValue: false,
      description: 'Whether to reverse the order: oldest or lowest first. Defaults to false.',
    }),
  }),
});

/** The query that the filter asks for, or null where nothing can be found by it. */
function toQuery(filter: typeof OrderFilterRef.$inferInput): OrderQuery | null {
  const { search, status, paymentStatus, email, placedAfter, placedBefore } = filter;
  const query: OrderQuery = {};
  if (search != null && search.trim() !== '') {
    if (search.length > MAX_SEARCH) {
      throw requestError('BAD_REQUEST', `\`search\` may have at most ${MAX_SEARCH} characters.`);
    }
    // PostgreSQL has no such character.
    query.search = search.replaceAll('\0', ' ');
  }
  if (paymentStatus != null) query.paymentStatus = paymentStatus;
  if (status != null) query.status = status;
  if (email != null) {
    const address = emailAddress.safeParse(email);
    if (!address.success) return null;
    query.email = address.data;
  }
  if (placedAfter != null) query.placedAfter = placedAfter;
  if (placedBefore != null) query.placedBefore = placedBefore;
  return query;
}

const CURSORS: Record<OrderSort['key'], CursorType> = {
  PLACED_AT: orderCursors('orders'),
  TOTAL: { list: 'orders.TOTAL', values: [cursorTypes.amount, cursorTypes.uuid] },
};
const NOTHING = { rows: [], hasNextPage: false, hasPreviousPage: false };

builder.queryField('orders', (t) =>
  t.field({
    type: OrderConnectionRef,
    nullable: true,
    description: 'All orders, newest first unless `sort` is given. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: OrderFilterRef, description: 'Conditions that the orders must meet.' }),
      sort: t.arg({ type: OrderSortRef, description: 'Sort order.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, sort, ...args }, ctx, info) => {
      const { orders } = ctx.services;
      const query = toQuery(filter ?? {});
      const order: OrderSort = { key: sort?.key ?? 'PLACED_AT', reverse: sort?.reverse ?? false };
      const type = CURSORS[order.key];
      const asked = pageOf(args, type);
      let counted: Promise<Found> | undefined;
      const count = () => (counted ??= query === null ? Promise.resolve(countOnly(0)) : orders.count(query));
      const page = query === null ? NOTHING : await orders.page(query, order, asked, count);
      return toOrderConnection(page, { ctx, info, type, count: async () => (await count()).count });
    },
  }),
);
