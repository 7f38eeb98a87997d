import { RequestCache } from '@pothos/plugin-scope-auth';
import type { CartOwner } from '../modules/cart/cart.service.ts';
import type { Context, Viewer } from './context.ts';
import { requestError } from './request-error.ts';

/** The viewer as an owner of carts and orders; null for somebody who has no name yet. */
export function ownerOf({ user, guest }: Viewer): CartOwner | null {
  if (user !== null) return { userId: user.userId };
  return guest === null ? null : { guestId: guest.id };
}

/** Whether the viewer works here. */
export function isStaff({ user }: Viewer): boolean {
  return user !== null && user.role !== 'CUSTOMER';
}

/** Whether the viewer says who works here. */
export function isAdmin({ user }: Viewer): boolean {
  return user?.role === 'ADMIN';
}

/** Somebody else asks from now on, for the fields that follow in the same operation: what they may do is asked anew. */
export function setViewer(ctx: Context, viewer: Viewer): void {
  Object.assign(ctx.viewer, viewer);
  RequestCache.clearForContext(ctx);
}

/** The user who asks; anyone else is UNAUTHENTICATED, in this place alone. */
export function requireUser(ctx: Context): NonNullable<Viewer['user']> {
  const { user } = ctx.viewer;
  if (user === null) throw requestError('UNAUTHENTICATED', 'Log in first.');
  return user;
}
