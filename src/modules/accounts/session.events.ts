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

/** Why this version ends sessions. */
export type EndReason = 'LOGOUT' | 'PASSWORD_CHANGED' | 'TOKEN_REUSED' | 'ROLE_CHANGED';
