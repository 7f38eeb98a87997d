import type { Context } from '../../graphql/context/context.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { isProductVisible, isVariantVisible, type Product, type ProductVariant } from './catalog.service.ts';

/** Whether the viewer may find a product: staff, those of every status. */
export function maySeeProduct({ viewer }: Context, product: Product): boolean {
  return isProductVisible(product) || isStaff(viewer);
}

/** Whether the viewer may find a variant by itself: staff, archived ones too. */
export function maySeeVariant({ viewer }: Context, variant: ProductVariant): boolean {
  return isVariantVisible(variant) || isStaff(viewer);
}
