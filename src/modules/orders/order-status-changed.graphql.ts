import type { StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/builder.ts';
import { EventRef } from '../../graphql/event.ts';
import { grant } from './order-rights.graphql.ts';
import { openOrderStream, ORDER_ARGUMENTS, type OfOrder } from './order-stream.graphql.ts';
import { orderStatusChanged } from './order.events.ts';
import { OrderRef } from './order.graphql.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';

type Changed = NonNullable<ReturnType<typeof orderStatusChanged.read>> & OfOrder;

const OrderStatusChangedRef = builder.objectRef<StreamItem<Changed>>('OrderStatusChanged').implement({
  description: 'An order was moved along, or cancelled.',
  interfaces: [EventRef],
  fields: (t) => ({
    order: t.prismaField({
      type: OrderRef,
      nullable: false,
      description: 'The order, as it is when the event is sent.',
      resolve: (query, { value }, _args, ctx) => {
        if (value.byToken) grant(ctx, value.orderId, 'ACCESS_TOKEN');
        return ctx.prisma.order.findUniqueOrThrow({ ...query, where: { id: value.orderId } });
      },
    }),
    from: t.field({
      type: OrderStatusRef,
      nullable: true,
      description: 'The status that it had.',
      resolve: ({ value }) => value.from,
    }),
    to: t.field({
      type: OrderStatusRef,
      nullable: false,
      description: 'The status that it got.',
      resolve: ({ value }) => value.to,
    }),
  }),
});

builder.subscriptionField('orderStatusChanged', (t) =>
  t.field({
    type: OrderStatusChangedRef,
    nullable: false,
    description: "The viewer's orders, or one of them, or the one that the access token grants; any order for staff.",
    args: ORDER_ARGUMENTS,
    subscribe: (_root, args, ctx) =>
      openOrderStream(args, ctx, { types: [orderStatusChanged.type], read: orderStatusChanged.read }),
    resolve: (item) => item,
  }),
);
