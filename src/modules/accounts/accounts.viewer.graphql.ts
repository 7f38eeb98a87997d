import type { Context } from '../../graphql/context/context.ts';
import type { AuthenticatedUser, StandIn, Viewer } from '../../graphql/context/authentication.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { setViewer } from '../../graphql/context/viewer.ts';
import type { CartOwner, Shopper } from '../cart/cart.service.ts';
import type { Cookies } from './cookies.ts';
import type { FormerGuest } from './guest.service.ts';

/** A guest, and how we know: by the header or by connectionParams, by the cookie, or made in this very operation. */
export interface Guest {
  id: string;
  token: string;
  knownBy: 'header' | 'cookie' | 'creation';
  /** The guest was offered the token, and has no row yet: see `GuestService.offer`. */
  isNew: boolean;
  /** The guest that the token named before it was replaced at a checkout. */
  former: FormerGuest | null;
}

declare module '../../graphql/context/authentication.ts' {
  interface Viewer {
    /** Null for users, whatever token came along, and for visitors without a token. A mutation that makes the guest sets it. */
    guest: Guest | null;
  }
  interface Identification {
    /** The guest that a log-in or a registration finds: whose cart joins the user's. Null in every other operation. */
    entering: Guest | null;
    /** The access token of an operation over HTTP, valid or not: a stream ends with its session. */
    accessToken: string | null;
    cookies: Cookies;
  }
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** A viewer who is no particular user: one with a role, or one without an account. */
export function anonymous(role: AuthenticatedUser['role'] | null): Viewer {
  return { user: role === null ? null : { userId: NOBODY, sessionId: NOBODY, role }, guest: null };
}

/** The viewer without a session. Null where the viewer is not anybody. */
export function ownerAlone({ user, guest }: Viewer): StandIn | null {
  if (user !== null) {
    const { userId, role } = user;
    return { viewer: { user: { userId, role, sessionId: NOBODY }, guest: null }, viewerKey: `${role} ${userId}` };
  }
  if (guest === null) return null;
  // The token is shown to those who know it already, and not to those who have it in a cookie.
  const shown = guest.knownBy === 'cookie' ? 'cookie' : guest.token;
  return { viewer: { user: null, guest: { ...guest } }, viewerKey: `guest ${guest.id} ${shown}` };
}

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
 * The viewer as an owner, for a subscription: a visitor without a guest token is offered one, in a cookie, and receives events of
 * what is done with it from then on.
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
