import type { StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { AFTER, EventRef, oncePerEvent, resumeAfter } from '../../graphql/event.ts';
import { argumentId } from '../../graphql/global-id.ts';
import { requestError } from '../../graphql/request-error.ts';
import { isStaff, ownerOf } from '../../graphql/viewer.ts';
import { isOrderOf } from './order-owner.ts';
import { grant } from './order-rights.graphql.ts';
import { orderStatusChanged } from './order.events.ts';
import { OrderRef } from './order.graphql.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';

type Changed = NonNullable<ReturnType<typeof orderStatusChanged.read>> & {
  /** It is told of by the order's access token. */
  byToken: boolean;
};

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

/** Which orders a subscription tells of. */
interface Scope {
  /** Null: of whichever the viewer may see. */
  orderId: string | null;
  byToken: boolean;
}

const NOT_YOURS = 'There is no such order, or it is not yours.';

async function scopeOf(
  { orderId, accessToken }: { orderId?: string | null | undefined; accessToken?: string | null | undefined },
  ctx: Context,
): Promise<Scope> {
  if (orderId != null && accessToken != null) throw requestError('BAD_REQUEST', 'Give `orderId` or `accessToken`.');
  if (accessToken != null) {
    const granted = await ctx.services.orders.orderOfToken(accessToken);
    if (granted === null) throw requestError('FORBIDDEN', NOT_YOURS);
    return { orderId: granted, byToken: true };
  }
  const id = orderId == null ? null : argumentId('Order', orderId, 'orderId');
  const viewer = ownerOf(ctx.viewer);
  if (viewer === null) throw requestError('UNAUTHENTICATED', 'Log in, or give the access token of an order.');
  if (id !== null && !isStaff(ctx.viewer)) {
    const owner = await ctx.services.orders.ownerOf(id);
    if (owner === null || !isOrderOf(owner, viewer)) throw requestError('FORBIDDEN', NOT_YOURS);
  }
  return { orderId: id, byToken: false };
}

// An order may join an account at any time: whose it is is asked with each event.
const ownerOfOrder = oncePerEvent(({ services }: Context, { subjectId }) => services.orders.ownerOf(subjectId));

async function isOwn(ctx: Context, event: StoredEvent): Promise<boolean> {
  const owner = await ownerOfOrder(ctx, event);
  return owner !== null && isOrderOf(owner, ownerOf(ctx.viewer));
}

builder.subscriptionField('orderStatusChanged', (t) =>
  t.field({
    type: OrderStatusChangedRef,
    nullable: false,
    description: "The viewer's orders, or one of them, or the one that the access token grants; any order for staff.",
    args: {
      orderId: t.arg.id({ description: 'Only this order.' }),
      accessToken: t.arg.string({ description: 'The order that this token grants.' }),
      after: t.arg(AFTER),
    },
    subscribe: async (_root, args, ctx) => {
      const { orderId, byToken } = await scopeOf(args, ctx);
      const viewer = ownerOf(ctx.viewer);
      const subjects = async () => {
        if (orderId !== null) return [orderId];
        return isStaff(ctx.viewer) || viewer === null ? null : ctx.services.orders.idsOf(viewer);
      };
      return openStream({
        feed: ctx.feed,
        resume: await resumeAfter(ctx, args.after, async () => ({
          types: [orderStatusChanged.type],
          subjects: await subjects(),
        })),
        pick(event) {
          const change = orderStatusChanged.read(event);
          if (change === null || (orderId !== null && change.orderId !== orderId)) return null;
          const told = { ...change, byToken };
          if (byToken || isStaff(ctx.viewer)) return told;
          return isOwn(ctx, event).then((own) => (own ? told : null));
        },
      });
    },
    resolve: (item) => item,
  }),
);
