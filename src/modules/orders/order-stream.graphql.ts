import type { StoredEvent } from '../../events/event.ts';
import { openStream, type EventStream } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { AFTER, oncePerEvent, resumeAfter } from '../../graphql/live/event.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { listenerOf, ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { isOrderOf } from './order-owner.ts';

/** What events of orders have in common. */
export interface OfOrder {
  orderId: string;
  /** The subscriber sees the order by its access token. */
  byToken: boolean;
}

/** The arguments by which a subscription names orders. */
export interface OrderArguments {
  orderId?: string | null | undefined;
  accessToken?: string | null | undefined;
  after?: string | null | undefined;
}

/** The arguments in the schema. */
export const ORDER_ARGUMENTS = builder.args((t) => ({
  orderId: t.id({
    description:
      'Global ID of the only order to follow, which must belong to the viewer unless the viewer is staff. ' +
      'Excludes `accessToken`.',
  }),
  accessToken: t.string({ description: 'Access token of the only order to follow. Excludes `orderId`.' }),
  after: t.field(AFTER),
}));

/** Which orders a subscription is about. */
interface Scope {
  /** Null for all orders that the viewer may see. */
  orderId: string | null;
  byToken: boolean;
}

const NOT_YOURS = 'Order not found, or not accessible to you.';

async function scopeOf({ orderId, accessToken }: OrderArguments, ctx: Context): Promise<Scope> {
  if (orderId != null && accessToken != null)
    throw requestError('BAD_REQUEST', 'Specify either `orderId` or `accessToken`.');
  if (accessToken != null) {
    const granted = await ctx.services.orders.orderOfToken(accessToken);
    if (granted === null) throw requestError('FORBIDDEN', NOT_YOURS);
    return { orderId: granted, byToken: true };
  }
  const id = orderId == null ? null : argumentId('Order', orderId, 'orderId');
  if (id === null) {
    // Visitors without an order may subscribe, too: they receive the events of their first order.
    listenerOf(ctx);
  } else if (!isStaff(ctx.viewer)) {
    const viewer = ownerOf(ctx.viewer);
    if (viewer === null || ctx.viewer.guest?.isNew === true) {
      throw requestError('UNAUTHENTICATED', 'Log in, or pass the access token of the order.');
    }
    const owner = await ctx.services.orders.ownerOf(id);
    if (owner === null || !isOrderOf(owner, viewer)) throw requestError('FORBIDDEN', NOT_YOURS);
  }
  return { orderId: id, byToken: false };
}

// An order may join an account at any time: whose it is is asked with each event.
const ownerOfOrder = oncePerEvent(({ orders }, { subjectId }) => orders.ownerOf(subjectId));

async function isOwn(ctx: Context, event: StoredEvent): Promise<boolean> {
  const owner = await ownerOfOrder(ctx.services, event);
  return owner !== null && isOrderOf(owner, ownerOf(ctx.viewer));
}

/**
 * The events of the orders that the arguments name, as far as the viewer may see them.
 * @param types the types of events, as the log has them
 * @param read what the subscription sends for an event; null for events of other types
 */
export async function openOrderStream<T extends { orderId: string }>(
  args: OrderArguments,
  ctx: Context,
  { types, read }: { types: readonly string[]; read: (event: StoredEvent) => T | null },
): Promise<EventStream<T & OfOrder>> {
  const { orderId, byToken } = await scopeOf(args, ctx);
  const viewer = ownerOf(ctx.viewer);
  const subjects = async () => {
    if (orderId !== null) return [orderId];
    return isStaff(ctx.viewer) || viewer === null ? null : ctx.services.orders.idsOf(viewer);
  };
  return openStream<T & OfOrder>({
    feed: ctx.feed,
    resume: await resumeAfter(ctx, args.after, async () => ({ types, subjects: await subjects() })),
    pick(event) {
      const change = read(event);
      if (change === null || (orderId !== null && change.orderId !== orderId)) return null;
      const shown = { ...change, byToken };
      if (byToken || isStaff(ctx.viewer)) return shown;
      return isOwn(ctx, event).then((own) => (own ? shown : null));
    },
  });
}
