export interface SeedCategory {
  slug: string;
  name: string;
}

export interface SeedVariant {
  sku: string;
  /** Decimal in USD, for example "19.90". */
  price: string;
  /** Decimal in USD, above `price`. */
  compareAtPrice?: string;
  /** One entry per option, in the same order for every variant of a product; empty for a product with one variant. */
  options: { name: string; value: string }[];
  onHand: number;
  lowStockThreshold?: number;
}

export interface SeedProduct {
  slug: string;
  title: string;
  /** One to three sentences of plain text. */
  description: string;
  vendor: string;
  tags: string[];
  /** The slug of a category. */
  category: string;
  /** Files under assets/images. */
  images: { file: string; altText: string }[];
  variants: SeedVariant[];
}
