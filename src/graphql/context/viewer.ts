import { RequestCache } from '@pothos/plugin-scope-auth';
import type { CartOwner, Shopper } from '../../modules/cart/cart.service.ts';
import type { Context, Viewer } from './context.ts';
import { requestError } from './request-error.ts';

/** The viewer as an owner of carts and orders; null for visitors without a guest token. */
export function ownerOf({ user, guest }: Viewer): CartOwner | null {
  if (user !== null) return { userId: user.userId };
  return guest === null ? null : { guestId: guest.id };
}

/** The viewer as someone who may start a cart; this turns a visitor with an unused guest token into a guest. */
export function shopperOf(viewer: Viewer): Shopper {
  const { guest } = viewer;
  return viewer.user === null && guest?.isNew === true
    ? { visitor: { id: guest.id, token: guest.token } }
    : ownerOf(viewer);
}

/**
 * The viewer as an owner, for a subscription: a visitor without a name is offered one, in a cookie, and hears of what is done
 * under it from then on.
 */
export function listenerOf(ctx: Context): CartOwner {
  const owner = ownerOf(ctx.viewer);
  if (owner !== null) return owner;
  const guest = ctx.services.guests.offer();
  setViewer(ctx, { user: null, guest: { ...guest, knownBy: 'cookie', isNew: true, former: null } });
  ctx.cookies.setCart(guest.token);
  return { guestId: guest.id };
}

/**
 * Refuses a browser that still sends the cookie from before a checkout or payment, in another tab: what it put in a cart now would be in
 * nobody's sight. The new cookie stays, and comes with the next request.
 * @throws UNAUTHENTICATED
 */
export function refuseReplacedCookie({ viewer: { user, guest } }: Context): void {
  if (user === null && guest?.knownBy === 'cookie' && guest.former?.isJustReplaced === true) {
    throw requestError(
      'UNAUTHENTICATED',
      'A checkout or payment has just replaced the cart token: send the request again.',
    );
  }
}

/** Whether the viewer works here. */
export function isStaff({ user }: Viewer): boolean {
  return user !== null && user.role !== 'CUSTOMER';
}

/** Whether the viewer says who works here. */
export function isAdmin({ user }: Viewer): boolean {
  return user?.role === 'ADMIN';
}

/** Changes the viewer for the following fields of the same operation; their permissions are checked again. */
export function setViewer(ctx: Context, viewer: Viewer): void {
  Object.assign(ctx.viewer, viewer);
  RequestCache.clearForContext(ctx);
}

/** The user who is logged in. @throws UNAUTHENTICATED for guests, which makes only this field null */
export function requireUser(ctx: Context): NonNullable<Viewer['user']> {
  const { user } = ctx.viewer;
  if (user === null) throw requestError('UNAUTHENTICATED', 'Log in first.');
  return user;
}
