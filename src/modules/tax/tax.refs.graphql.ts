import { builder } from '../../graphql/schema/builder.ts';
import type { TaxCategory, TaxRate } from './tax.service.ts';

/** A kind of goods with a tax rate of its own. */
export const TaxCategoryRef = builder.objectRef<TaxCategory>('TaxCategory');

/** The rate of a category in a zone. */
export const TaxRateRef = builder.objectRef<TaxRate>('TaxRate');
