import type { StoredEvent } from '../../events/event.ts';
import type { StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { EventRef } from '../../graphql/live/event.ts';
import { grant } from './order-rights.graphql.ts';
import { openOrderStream, ORDER_ARGUMENTS, type OfOrder } from './order-stream.graphql.ts';
import { orderPaid, orderPaymentStatusChanged, orderRefunded } from './order.events.ts';
import { OrderRef } from './order.graphql.ts';
import type { PaymentStatus } from './order.types.ts';
import { PaymentStatusRef } from './orders.refs.graphql.ts';

interface Changed {
  orderId: string;
  from: PaymentStatus;
  to: PaymentStatus;
}

/** What an event says of the payment status; null for events about something else. */
function read(event: StoredEvent): Changed | null {
  const paid = orderPaid.read(event);
  if (paid !== null) return { ...paid, to: 'PAID' };
  const refunded = orderRefunded.read(event);
  if (refunded !== null) return { ...refunded, to: 'REFUNDED' };
  return orderPaymentStatusChanged.read(event);
}

const types = [orderPaid.type, orderRefunded.type, orderPaymentStatusChanged.type];

const OrderPaymentStatusChangedRef = builder
  .objectRef<StreamItem<Changed & OfOrder>>('OrderPaymentStatusChanged')
  .implement({
    description: 'Event: the payment status of an order changed.',
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
        type: PaymentStatusRef,
        nullable: true,
        description: 'Payment status before the change.',
        resolve: ({ value }) => value.from,
      }),
      to: t.field({
        type: PaymentStatusRef,
        nullable: false,
        description: 'Payment status after the change.',
        resolve: ({ value }) => value.to,
      }),
    }),
  });

builder.subscriptionField('orderPaymentStatusChanged', (t) =>
  t.field({
    type: OrderPaymentStatusChangedRef,
    nullable: false,
    description:
      'Delivers changes in the payment status of orders, including changes made by staff with `orderMarkAsPaid` ' +
      'and `orderMarkAsRefunded`. Customers and guests receive events of their own orders, staff of all orders. ' +
      'Pass `orderId` or `accessToken` to follow a single order.',
    args: ORDER_ARGUMENTS,
    subscribe: (_root, args, ctx) => openOrderStream(args, ctx, { types, read }),
    resolve: (item) => item,
  }),
);
