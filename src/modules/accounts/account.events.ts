import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

const ofUser = { userId: z.guid() };

/** Somebody made an account. */
export const userRegistered = defineEvent('user_registered', z.object(ofUser));

/** Somebody wants another mail to confirm the address. */
export const emailConfirmationRequested = defineEvent('email_confirmation_requested', z.object(ofUser));

/** A password was changed, by its owner or by way of a reset. */
export const passwordChanged = defineEvent('password_changed', z.object(ofUser));

/** Somebody asked for a link to choose a new password. `userId` is null where no account has the address. */
export const passwordResetRequested = defineEvent(
  'password_reset_requested',
  z.object({ userId: z.guid().nullable(), resetId: z.guid() }),
);
