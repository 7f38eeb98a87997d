import { builder } from '../../graphql/builder.ts';
import type { Category, Product, ProductVariant } from './catalog.service.ts';

// The catalogue's types name each other; so that their files do not import each other in a circle, the names stand here.

/** What is sold, in one or several variants. */
export const ProductRef = builder.objectRef<Product>('Product');

/** One thing that can be bought. */
export const ProductVariantRef = builder.objectRef<ProductVariant>('ProductVariant');

/** A place where products are filed. */
export const CategoryRef = builder.objectRef<Category>('Category');

/** Where a product is in its life. */
export const ProductStatusRef = builder.enumType('ProductStatus', {
  description: 'Where a product is in its life.',
  values: {
    DRAFT: { description: 'Seen by staff only.' },
    ACTIVE: { description: 'Found and sold.' },
    ARCHIVED: { description: 'No longer found or sold anew; carts and orders that hold it still show it.' },
  },
});
