import { RequestCache } from '@pothos/plugin-scope-auth';
import type { AuthenticatedUser, Viewer } from './authentication.ts';
import type { Context } from './context.ts';
import { requestError } from './request-error.ts';

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
export function requireUser(ctx: Context): AuthenticatedUser {
  const { user } = ctx.viewer;
  if (user === null) throw requestError('UNAUTHENTICATED', 'Log in first.');
  return user;
}
