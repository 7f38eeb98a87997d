import { toDecimal } from '../money.ts';
import type { Product, ProductVariant } from '../catalog/catalog.service.ts';
import type { BelievedStock, OutsideStock } from '../inventory/outside-stock.service.ts';
import { concernsVariant, type ReadyChange } from './apply-entry.ts';

/** A field that is not in the shop as it is in the CMS; both as text, null for nothing. */
export interface Difference {
  field: string;
  cms: string | null;
  shop: string | null;
}

/** What the shop has of an entry. */
interface InShop {
  product: Product;
  variants: readonly ProductVariant[];
  /** What the CMS last said of the stock. */
  belief: OutsideStock | null;
  currency: string;
  /** Whether the product is known to be the entry. */
  isLinked: boolean;
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What applying an entry would change. A field of which the entry says nothing is as it should be. */
export function differences({ fields, images }: NonNullable<ReadyChange['content']>, shop: InShop): Difference[] {
  const { product, variants, belief, currency, isLinked } = shop;
  const found: Difference[] = isLinked ? [] : [{ field: 'entry', cms: 'published', shop: null }];
  const compare = (field: string, cms: unknown, ours: unknown) => {
    if (cms === undefined || cms === null || asText(cms) === asText(ours)) return;
    found.push({ field, cms: asText(cms), shop: ours === null ? null : asText(ours) });
  };
  compare('title', fields.product.title, product.title);
  compare('slug', fields.product.slug, product.slug);
  compare('description', fields.product.description, product.description);
  compare('images', images?.map(pictureText), product.images.map(pictureText));
  compare('status', 'ACTIVE', product.status);
  if (!concernsVariant(fields)) return found;

  const [variant] = variants;
  if (variant === undefined || variants.length > 1) {
    return [...found, { field: 'price', cms: 'of one variant', shop: `${variants.length} variants` }];
  }
  const amount = (minor: number) => toDecimal({ minor: BigInt(minor), currency });
  const { priceMinor, sku } = fields.variant;
  compare('price', priceMinor === undefined ? null : amount(priceMinor), amount(variant.priceMinor));
  compare('sku', sku, variant.sku);
  if (fields.stock !== null) found.push(...stockDrift(fields.stock, belief));
  return found;
}

const pictureText = ({ url, altText }: { url: string; altText: string | null }) =>
  altText === null ? url : `${url} (${altText})`;

/** What was sold makes no difference: the value is compared with the one that was last taken. */
function stockDrift(stock: BelievedStock, belief: OutsideStock | null): Difference[] {
  const agrees =
    belief !== null &&
    (stock.kind === 'COUNT' ? belief.quantity === stock.quantity : belief.quantity > 0 === stock.inStock);
  if (agrees) return [];
  const shop = belief === null ? null : String(belief.quantity);
  if (stock.kind === 'COUNT') return [{ field: 'stock', cms: String(stock.quantity), shop }];
  return [{ field: 'inStock', cms: String(stock.inStock), shop }];
}
