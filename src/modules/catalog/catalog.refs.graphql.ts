import { builder } from '../../graphql/schema/builder.ts';
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
  description: 'Status of a product.',
  values: {
    DRAFT: { description: 'Visible to staff only, and not for sale.' },
    ACTIVE: { description: 'Visible to everyone, and for sale.' },
    ARCHIVED: {
      description:
        'Taken off sale: no longer listed, and cannot be added to carts. Carts and orders that contain the product ' +
        'still show it.',
    },
  },
});
