import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** An import started, came further or ended. */
export const productImportChanged = defineEvent('product_import_changed', z.object({ importId: z.guid() }));
