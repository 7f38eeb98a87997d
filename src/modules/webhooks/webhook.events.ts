import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** A webhook delivery was stored and is still to be applied. */
export const webhookReceived = defineEvent('webhook_received', z.object({ deliveryId: z.guid() }));
