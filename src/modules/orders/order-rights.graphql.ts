import { readClock } from '../../infra/postgres/clock.ts';
import type { Context } from '../../graphql/context/context.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { isOrderOf, type OwnedOrder } from './order-owner.ts';

/*
 * Who may see an order is decided where the order is looked up, and kept for the operation: fields ask here by what right the order
 * is shown. An order that was found by number and email address alone shows no postal address and no access token.
 */

/** The right by which an order is shown: the viewer owns it, is staff, has its access token, or knows its number and email address. */
export type OrderGrant = 'OWNER' | 'STAFF' | 'ACCESS_TOKEN' | 'NUMBER_AND_EMAIL';

/** By order ID. Each event of a subscription has a context of its own, and so do its rights. */
const grants = new WeakMap<Context, Map<string, OrderGrant>>();

/** By what right the operation shows an order. */
export function grantOf(ctx: Context, order: OwnedOrder): OrderGrant {
  if (isOwn(ctx, order)) return 'OWNER';
  return isStaff(ctx.viewer) ? 'STAFF' : (grants.get(ctx)?.get(order.id) ?? 'NUMBER_AND_EMAIL');
}

/** Whether it is the viewer's. */
export function isOwn(ctx: Context, order: OwnedOrder): boolean {
  return isOrderOf(order, ownerOf(ctx.viewer));
}

/** The order was found by such a right. The token's is the larger one, should one operation look it up both ways. */
export function grant(ctx: Context, orderId: string, right: OrderGrant): void {
  const known = grants.get(ctx) ?? new Map<string, OrderGrant>();
  grants.set(ctx, known);
  if (known.get(orderId) !== 'ACCESS_TOKEN') known.set(orderId, right);
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
