import { builder } from '../../graphql/builder.ts';
import { pageCost, pageOf } from '../../graphql/connection.ts';
import { emailAddress } from '../input.ts';
import { OrderConnectionRef, orderCursors, toOrderConnection } from './order-connection.graphql.ts';
import type { OrderQuery } from './order.service.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';

const OrderFilterRef = builder.inputType('OrderFilter', {
  description: 'Which orders to list: those that meet all that is given.',
  fields: (t) => ({
    status: t.field({ type: OrderStatusRef, description: 'Only those that are there in their life.' }),
    email: t.string({
      description: 'Only those that were ordered with this address: all of it, whatever its capitals.',
    }),
    placedAfter: t.field({ type: 'DateTime', description: 'Only those placed at that instant or later.' }),
    placedBefore: t.field({ type: 'DateTime', description: 'Only those placed before that instant.' }),
  }),
});

/** The query that the filter asks for, or null where nothing can be found by it. */
function toQuery({ status, email, placedAfter, placedBefore }: typeof OrderFilterRef.$inferInput): OrderQuery | null {
  const query: OrderQuery = {};
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

const type = orderCursors('orders');
const NOTHING = { rows: [], hasNextPage: false, hasPreviousPage: false };

builder.queryField('orders', (t) =>
  t.field({
    type: OrderConnectionRef,
    nullable: true,
    description: 'Every order, newest first. (staff)',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: OrderFilterRef, description: 'Which ones.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      const { orders } = ctx.services;
      const query = toQuery(filter ?? {});
      const asked = pageOf(args, type);
      const page = query === null ? NOTHING : await orders.page(query, asked);
      const count = async () => (query === null ? 0 : orders.count(query));
      return toOrderConnection(page, { ctx, info, type, count });
    },
  }),
);
