import { builder } from '../../graphql/builder.ts';
import type { User } from './account.service.ts';
import type { Session } from './session.service.ts';

/** Somebody with an account. */
export const UserRef = builder.objectRef<User>('User');

/** A device that is logged in. */
export const SessionRef = builder.objectRef<Session>('Session');

/** What somebody may do. */
export const RoleRef = builder.enumType('Role', {
  description: 'What somebody may do in the shop.',
  values: {
    CUSTOMER: { description: 'Buys.' },
    STAFF: { description: 'Runs the catalogue, the stock and the orders.' },
    ADMIN: { description: 'Does that too, and says who is staff.' },
  },
});
