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
  /** Of one unit; null: unknown. */
  weightGrams: number | null;
  requiresShipping: boolean;
  /** Null: the shop's default tax category. */
  taxCategoryId: string | null;
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
export type VariantChanges = Partial<
  Pick<
    NewVariant,
    | 'sku'
    | 'priceMinor'
    | 'compareAtMinor'
    | 'selectedOptions'
    | 'lowStockThreshold'
    | 'weightGrams'
    | 'requiresShipping'
    | 'taxCategoryId'
  >
>;

/** A category that is to be made. */
export interface NewCategory {
  name: string;
  /** Null: made from the name. */
  slug: string | null;
}

/** New values for fields of a category; what is left out stays. */
export type CategoryChanges = Partial<{ name: string; slug: string }>;

/** Fields of a product of which an import may say nothing: those stay as they are. */
export type ImportableField =
  | 'title'
  | 'description'
  | 'vendor'
  | 'tags'
  | 'categorySlug'
  | 'images'
  | 'altTexts'
  | 'status'
  | 'priceMinor'
  | 'compareAtMinor'
  | 'selectedOptions';

/** A product as a file of an import has it. */
export interface ImportedProduct {
  product: NewProduct & { slug: string };
  /** Fields that the file does not have. */
  silent: ReadonlySet<ImportableField>;
  /** The description as it stands in the file; one that the shop has just so stays as it is. */
  rawDescription: string;
  /** Of each variant of `product`, in their order. */
  variants: readonly {
    /** Whether the file names the SKU; else it is made up, and gives way to the one that the variant has. */
    skuGiven: boolean;
    /** The SKU that is made for it where it has none, or where another variant has the one that the file names. */
    ownSku: string;
    /** The level in the file; null where it has none. */
    quantity: number | null;
    /** How it is shipped and taxed. What the file does not say is left out, and stays. */
    terms: { weightGrams?: number | null; requiresShipping?: boolean; taxCode?: string | null };
  }[];
}
