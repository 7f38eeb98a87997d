import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { AFTER, EventRef, resumeAfter } from '../../graphql/live/event.ts';
import { orderPlaced } from './order.events.ts';
import { OrderRef } from './order.graphql.ts';

type Placed = NonNullable<ReturnType<typeof orderPlaced.read>>;

const OrderPlacedRef = builder.objectRef<StreamItem<Placed>>('OrderPlaced').implement({
  description: 'Event: an order was placed. Staff only.',
  authScopes: { staff: true },
  interfaces: [EventRef],
  fields: (t) => ({
    order: t.prismaField({
      type: OrderRef,
      nullable: false,
      description: 'Order in its state when the event is delivered.',
      resolve: (query, { value }, _args, ctx) =>
        ctx.db.prisma.order.findUniqueOrThrow({ ...query, where: { id: value.orderId } }),
    }),
  }),
});

builder.subscriptionField('orderPlaced', (t) =>
  t.field({
    type: OrderPlacedRef,
    nullable: false,
    description: 'Delivers every order when it is placed. Staff only.',
    authScopes: { staff: true },
    args: { after: t.arg(AFTER) },
    subscribe: async (_root, { after }, ctx) => {
      const filter = () => ({ types: [orderPlaced.type], subjects: null });
      return openStream({
        feed: ctx.feed,
        resume: await resumeAfter(ctx, after, filter),
        pick: (event) => orderPlaced.read(event),
      });
    },
    resolve: (item) => item,
  }),
);
