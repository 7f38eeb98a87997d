import { builder } from '../../graphql/builder.ts';
import { cursorTypes, pageCost, pageOf, type CursorType } from '../../graphql/connection.ts';
import { requestError } from '../../graphql/request-error.ts';
import { emailAddress } from '../input.ts';
import { OrderConnectionRef, orderCursors, toOrderConnection } from './order-connection.graphql.ts';
import type { OrderQuery, OrderSort } from './order.service.ts';
import { OrderStatusRef, PaymentStatusRef } from './orders.refs.graphql.ts';

const MAX_SEARCH = 200;

const OrderFilterRef = builder.inputType('OrderFilter', {
  description: 'Which orders to list: those that meet all that is given.',
  fields: (t) => ({
    search: t.string({
      description: `Words to find in number, e-mail, recipient's name and postal address; the last may be unfinished. Accents and
capitals do not matter. At most ${MAX_SEARCH} characters.`,
    }),
    paymentStatus: t.field({ type: PaymentStatusRef, description: 'Only orders with this payment status.' }),
    status: t.field({ type: OrderStatusRef, description: 'Only those that are there in their life.' }),
    email: t.string({
      description: 'Only those that were ordered with this address: all of it, whatever its capitals.',
    }),
    placedAfter: t.field({ type: 'DateTime', description: 'Only those placed at that instant or later.' }),
    placedBefore: t.field({ type: 'DateTime', description: 'Only those placed before that instant.' }),
  }),
});

const OrderSortKeyRef = builder.enumType('OrderSortKey', {
  description: 'What to sort orders by.',
  values: {
    PLACED_AT: { description: 'When it was placed, newest first.' },
    TOTAL: { description: 'Total, highest first.' },
  },
} as const);

const OrderSortRef = builder.inputType('OrderSort', {
  description: 'How to sort orders.',
  fields: (t) => ({
    key: t.field({ type: OrderSortKeyRef, required: true, description: 'What to sort by.' }),
    reverse: t.boolean({ defaultValue: false, description: 'Oldest or lowest first.' }),
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
    description: 'Every order, newest first unless sorted. (staff)',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: OrderFilterRef, description: 'Which ones.' }),
      sort: t.arg({ type: OrderSortRef, description: 'In which order.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, sort, ...args }, ctx, info) => {
      const { orders } = ctx.services;
      const query = toQuery(filter ?? {});
      const order: OrderSort = { key: sort?.key ?? 'PLACED_AT', reverse: sort?.reverse ?? false };
      const type = CURSORS[order.key];
      const asked = pageOf(args, type);
      let counted: Promise<number> | undefined;
      const count = () => (counted ??= query === null ? Promise.resolve(0) : orders.count(query));
      const page = query === null ? NOTHING : await orders.page(query, order, asked, count);
      return toOrderConnection(page, { ctx, info, type, count });
    },
  }),
);
