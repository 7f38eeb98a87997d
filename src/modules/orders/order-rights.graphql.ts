import { readClock } from '../../infra/postgres/clock.ts';
import type { Context, OrderGrant } from '../../graphql/context/context.ts';
import { isStaff, ownerOf } from '../../graphql/context/viewer.ts';
import { isOrderOf, type OwnedOrder } from './order-owner.ts';

/*
 * Who may see an order is decided where it is looked up, and kept for the operation in `orderGrants`: fields ask there by
 * what right it is shown. Found by number and e-mail alone, it shows no postal address and hands out no access token.
 */

/** By what right the operation shows an order. */
export function grantOf(ctx: Context, order: OwnedOrder): OrderGrant {
  if (isOwn(ctx, order)) return 'OWNER';
  return isStaff(ctx.viewer) ? 'STAFF' : (ctx.orderGrants.get(order.id) ?? 'NUMBER_AND_EMAIL');
}

/** Whether it is the viewer's. */
export function isOwn(ctx: Context, order: OwnedOrder): boolean {
  return isOrderOf(order, ownerOf(ctx.viewer));
}

/** The order was found by such a right. The token's is the larger one, should one operation look it up both ways. */
export function grant(ctx: Context, orderId: string, right: OrderGrant): void {
  if (ctx.orderGrants.get(orderId) !== 'ACCESS_TOKEN') ctx.orderGrants.set(orderId, right);
}

/** Which orders the viewer may see without any further right; null: none. */
export function visibleOrders(ctx: Context): { guestId?: string; userId?: string } | null {
  return isStaff(ctx.viewer) ? {} : ownerOf(ctx.viewer);
}

const clocks = new WeakMap<Context, Promise<Date>>();

/** The database's time, read once for an operation: many orders have tokens made at once. */
export function clockOf(ctx: Context): Promise<Date> {
  let clock = clocks.get(ctx);
  if (clock === undefined) {
    clock = readClock(ctx.db);
    clocks.set(ctx, clock);
  }
  return clock;
}
