import { toDecimal } from '../money.ts';
import type { Category, Product, ProductVariant } from './catalog.service.ts';
import type { VariantChanges } from './catalog.types.ts';

/*
 * Products, variants and categories as the record of staff has them: under the names of the inputs' fields, with amounts in the shop's
 * currency, and null for empty values.
 */

/** A product. @param categorySlug of where it is filed */
export function recordedProduct(
  product: Pick<Product, 'title' | 'slug' | 'description' | 'vendor' | 'tags' | 'images' | 'status'>,
  categorySlug: string | null,
): object {
  const { title, slug, description, vendor, tags, images, status } = product;
  return {
    title,
    slug,
    description: description === '' ? null : description,
    vendor,
    tags: tags.length === 0 ? null : tags,
    categorySlug,
    // Its fields in one order: jsonb has another than inputs may have.
    images: images.length === 0 ? null : images.map(({ url, altText }) => ({ url, altText })),
    status,
  };
}

/** A variant. */
export function recordedVariant(variant: Pick<ProductVariant, keyof VariantChanges>, currency: string): object {
  const { sku, priceMinor, compareAtMinor, selectedOptions, lowStockThreshold } = variant;
  const { weightGrams, requiresShipping, taxCategoryId } = variant;
  const amount = (minor: number) => toDecimal({ minor: BigInt(minor), currency });
  return {
    sku,
    price: amount(priceMinor),
    compareAtPrice: compareAtMinor === null ? null : amount(compareAtMinor),
    selectedOptions: selectedOptions.length === 0 ? null : selectedOptions.map(({ name, value }) => ({ name, value })),
    lowStockThreshold: String(lowStockThreshold),
    weightGrams: weightGrams === null ? null : String(weightGrams),
    requiresShipping: requiresShipping ? null : 'false',
    taxCategoryId,
  };
}

/** A category. */
export function recordedCategory({ name, slug }: Pick<Category, 'name' | 'slug'>): { name: string; slug: string } {
  return { name, slug };
}
