import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

const ofUser = { userId: z.guid() };

/** An account was created. */
export const userRegistered = defineEvent('user_registered', z.object(ofUser));

/** A user requested another confirmation email. */
export const emailConfirmationRequested = defineEvent('email_confirmation_requested', z.object(ofUser));

/** A password was changed, by its owner or by way of a reset. */
export const passwordChanged = defineEvent('password_changed', z.object(ofUser));

/** A password reset was requested. `userId` is null if no account has the address. */
export const passwordResetRequested = defineEvent(
  'password_reset_requested',
  z.object({ userId: z.guid().nullable(), resetId: z.guid() }),
);
