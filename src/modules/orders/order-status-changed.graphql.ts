import type { StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { EventRef } from '../../graphql/live/event.ts';
import { grant } from './order-rights.graphql.ts';
import { openOrderStream, ORDER_ARGUMENTS, type OfOrder } from './order-stream.graphql.ts';
import { orderStatusChanged } from './order.events.ts';
import { OrderRef } from './order.graphql.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';

type Changed = NonNullable<ReturnType<typeof orderStatusChanged.read>> & OfOrder;

const OrderStatusChangedRef = builder.objectRef<StreamItem<Changed>>('OrderStatusChanged').implement({
  description: 'Event: an order was fulfilled, delivered or cancelled.',
  interfaces: [EventRef],
  fields: (t) => ({
    order: t.prismaField({
      type: OrderRef,
      nullable: false,
      description: 'Order in its state when the event is delivered.',
      resolve: (query, { value }, _args, ctx) => {
        if (value.byToken) grant(ctx, value.orderId, 'ACCESS_TOKEN');
        return ctx.db.prisma.order.findUniqueOrThrow({ ...query, where: { id: value.orderId } });
      },
    }),
    from: t.field({
      type: OrderStatusRef,
      nullable: true,
      description: 'Status before the change.',
      resolve: ({ value }) => value.from,
    }),
    to: t.field({
      type: OrderStatusRef,
      nullable: false,
      description: 'Status after the change.',
      resolve: ({ value }) => value.to,
    }),
  }),
});

builder.subscriptionField('orderStatusChanged', (t) =>
  t.field({
    type: OrderStatusChangedRef,
    nullable: false,
    description:
      'Delivers changes in the status of orders. Customers and guests receive events of their own orders, staff ' +
      'of all orders. Pass `orderId` or `accessToken` to follow a single order.',
    args: ORDER_ARGUMENTS,
    subscribe: (_root, args, ctx) =>
      openOrderStream(args, ctx, { types: [orderStatusChanged.type], read: orderStatusChanged.read }),
    resolve: (item) => item,
  }),
);
