import { builder } from '../../graphql/builder.ts';
import type { User } from './account.service.ts';
import type { Session } from './session.service.ts';

/** Somebody with an account. */
export const UserRef = builder.objectRef<User>('User');

/** A device that is logged in. */
export const SessionRef = builder.objectRef<Session>('Session');
