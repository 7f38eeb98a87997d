import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** A session was ended before its time: whatever still runs in its name is to stop. */
export const sessionEnded = defineEvent(
  'session_ended',
  z.object({
    sessionId: z.guid(),
    userId: z.guid(),
    /** For people. A newer node may know more of them, and the session has ended all the same. */
    reason: z.string(),
  }),
);

/**
 * A client logged in or out, or a guest got a new token at checkout, and what the client was known by before is not what it is
 * known by now. The subject is the guest or the session. Nobody may take over the new credentials because of this: whatever
 * still runs with the old ones is to come back with those that the client has by then.
 */
export const credentialsReplaced = defineEvent(
  'credentials_replaced',
  z.object({
    guestId: z.guid().nullable(),
    sessionId: z.guid().nullable(),
    /** The guest that the old token names from now on, where `guestId` goes on under a new token. */
    staleGuestId: z.guid().optional(),
  }),
);

/** Why this version ends sessions. */
export type EndReason = 'LOGOUT' | 'PASSWORD_CHANGED' | 'TOKEN_REUSED' | 'ROLE_CHANGED';
