import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** The CMS told of a change, which is stored and still to be applied. */
export const webhookReceived = defineEvent('webhook_received', z.object({ deliveryId: z.guid() }));
