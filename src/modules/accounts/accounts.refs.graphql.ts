import { builder } from '../../graphql/schema/builder.ts';
import type { User } from './account.service.ts';
import type { Session } from './session.service.ts';

/** A user with an account. */
export const UserRef = builder.objectRef<User>('User');

/** A device that is logged in. */
export const SessionRef = builder.objectRef<Session>('Session');

/** Roles of users. */
export const RoleRef = builder.enumType('Role', {
  description: 'Role of a user, which determines what the user may do in the shop.',
  values: {
    CUSTOMER: { description: 'A customer: buys, and manages their own carts, orders and account.' },
    STAFF: { description: 'A staff member: manages the catalog, stock and orders.' },
    ADMIN: { description: 'An administrator: has all permissions of STAFF, lists users and assigns roles.' },
  },
});
