import { z } from 'zod';
import { defineEvent } from '../../events/event.ts';

/** Something about a product changed, or about its variants, but for their stock; or it was made. */
export const productChanged = defineEvent('product_changed', z.object({ productId: z.guid() }));

/** A category was made, changed or deleted. */
export const categoryChanged = defineEvent('category_changed', z.object({ categoryId: z.guid() }));
