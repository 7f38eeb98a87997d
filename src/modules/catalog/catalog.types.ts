import type { Product, ProductVariant } from './catalog.service.ts';

/** A variant that is to be made. */
export interface NewVariant {
  sku: string;
  priceMinor: number;
  compareAtMinor: number | null;
  selectedOptions: ProductVariant['selectedOptions'];
  /** Units on hand to begin with. */
  onHand: number;
  /** Null: the shop's default. */
  lowStockThreshold: number | null;
}

/** A product that is to be made. */
export interface NewProduct extends Pick<Product, 'title' | 'description' | 'vendor' | 'tags' | 'images' | 'status'> {
  /** Null: made from the title. */
  slug: string | null;
  categorySlug: string | null;
  variants: readonly NewVariant[];
}

/** New values for fields of a product; what is left out stays. */
export type ProductChanges = Partial<
  Pick<Product, 'title' | 'slug' | 'description' | 'vendor' | 'tags' | 'images' | 'status'> & {
    categorySlug: string | null;
  }
>;

/** New values for fields of a variant; what is left out stays. */
export type VariantChanges = Partial<Pick<NewVariant, 'sku' | 'priceMinor' | 'compareAtMinor' | 'lowStockThreshold'>>;

/** A category that is to be made. */
export interface NewCategory {
  name: string;
  /** Null: made from the name. */
  slug: string | null;
}

/** New values for fields of a category; what is left out stays. */
export type CategoryChanges = Partial<{ name: string; slug: string }>;
