import type { Database } from '../../infra/postgres/database.ts';
import { toDecimal } from '../money.ts';
import { BYTE_ORDER_MARK, csvRow } from './csv.ts';
import {
  findOrderLines,
  findProducts,
  type ExportedOrderLineRow,
  type ExportedProductRow,
} from './export.repository.ts';

/** What can be exported. */
export const EXPORTS = ['products', 'orders'] as const;
export type ExportName = (typeof EXPORTS)[number];

/** Rows of the database that are in memory at a time. */
const PAGE = 100;

const PRODUCT_COLUMNS = [
  'Handle',
  'Title',
  'Body (HTML)',
  'Vendor',
  'Type',
  'Tags',
  'Option1 Name',
  'Option1 Value',
  'Option2 Name',
  'Option2 Value',
  'Option3 Name',
  'Option3 Value',
  'Variant SKU',
  'Variant Grams',
  'Variant Price',
  'Variant Compare At Price',
  'Variant Requires Shipping',
  'Variant Taxable',
  'Image Src',
  'Image Position',
  'Image Alt Text',
  'Variant Weight Unit',
  'Variant Tax Code',
  'Status',
];

const ORDER_COLUMNS = [
  'Order',
  'Placed at',
  'Status',
  'Payment status',
  'Email',
  'Currency',
  'SKU',
  'Title',
  'Quantity',
  'Unit price',
  'Tax relief of line',
  'Discount of line',
  'Tax of line',
  'Total of line',
  'Subtotal of order',
  'Discount of order',
  'Shipping of order',
  'Tax of order',
  'Total of order',
  'Prices include tax',
  'Discount codes',
  'Shipping method',
  'Name',
  'Address line 1',
  'Address line 2',
  'City',
  'Region',
  'Postal code',
  'Country',
];

/** Exports as CSV. The text comes in parts, and is as long as it may be without being in memory. */
export interface ExportService {
  run(name: ExportName): AsyncGenerator<string>;
}

/**
 * Wires the exports.
 * @param deps.slugOf the slug that an import makes of the name of a category
 */
export function createExportService({
  db,
  currency,
  slugOf,
}: {
  db: Database;
  currency: string;
  slugOf: (text: string) => string;
}): ExportService {
  const price = (minor: number) => toDecimal({ minor: BigInt(minor), currency });

  /** An import finds the category by the slug that it makes of this text. */
  function typeOf({ categoryName, categorySlug }: ExportedProductRow): string | null {
    return categoryName !== null && slugOf(categoryName) === categorySlug ? categoryName : categorySlug;
  }

  /** Shopify's rows of a product: one for each variant, and more if there are more images than variants. */
  function rowsOf(product: ExportedProductRow): string {
    const { slug, variants, images } = product;
    const isPlain = variants.length === 1 && variants[0]?.options.length === 0;
    let rows = '';
    for (let index = 0; index < Math.max(variants.length, images.length, 1); index += 1) {
      const variant = variants[index];
      const image = images[index];
      const isFirst = index === 0;
      const option = (place: number) => {
        if (isPlain) return place === 0 && isFirst ? ['Title', 'Default Title'] : ['', ''];
        const chosen = variant?.options[place];
        return [isFirst ? (chosen?.name ?? '') : '', chosen?.value ?? ''];
      };
      rows += csvRow([
        slug,
        ...(isFirst ? [product.title, product.description, product.vendor, typeOf(product)] : ['', '', '', '']),
        isFirst ? product.tags.join(', ') : '',
        ...option(0),
        ...option(1),
        ...option(2),
        variant?.sku ?? '',
        variant?.weightGrams ?? '',
        variant === undefined ? '' : price(variant.priceMinor),
        variant?.compareAtMinor == null ? '' : price(variant.compareAtMinor),
        variant === undefined ? '' : variant.requiresShipping ? 'TRUE' : 'FALSE',
        variant === undefined ? '' : variant.taxCode === 'zero' ? 'FALSE' : 'TRUE',
        image?.url ?? '',
        image === undefined ? '' : index + 1,
        image?.altText ?? '',
        variant?.weightGrams == null ? '' : 'g',
        variant?.taxCode ?? '',
        isFirst ? product.status.toLowerCase() : '',
      ]);
    }
    return rows;
  }

  async function* products(): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvRow(PRODUCT_COLUMNS);
    let after: string | null = null;
    for (;;) {
      const page: ExportedProductRow[] = await findProducts(db, after, PAGE);
      if (page.length > 0) yield page.map(rowsOf).join('');
      if (page.length < PAGE) return;
      after = page.at(-1)?.id ?? null;
    }
  }

  function rowOf(line: ExportedOrderLineRow): string {
    const amount = (minor: bigint) => toDecimal({ minor, currency: line.currency });
    const total = BigInt(line.unitPriceMinor) * BigInt(line.quantity) - line.reliefMinor - line.lineDiscountMinor;
    return csvRow([
      line.number,
      line.placedAt.toISOString(),
      line.status,
      line.paymentStatus,
      line.email,
      line.currency,
      line.sku,
      line.title,
      line.quantity,
      amount(BigInt(line.unitPriceMinor)),
      amount(line.reliefMinor),
      amount(line.lineDiscountMinor),
      amount(line.lineTaxMinor),
      amount(total),
      amount(line.subtotalMinor),
      amount(line.discountMinor),
      amount(line.shippingMinor),
      amount(line.taxMinor),
      amount(line.totalMinor),
      line.pricesIncludeTax ? 'TRUE' : 'FALSE',
      line.discountCodes.join(', '),
      line.shippingMethod,
      line.name,
      line.line1,
      line.line2,
      line.city,
      line.region,
      line.postalCode,
      line.countryCode,
    ]);
  }

  async function* orders(): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvRow(ORDER_COLUMNS);
    let after: string | null = null;
    for (;;) {
      const lines: ExportedOrderLineRow[] = await findOrderLines(db, after, PAGE);
      if (lines.length === 0) return;
      yield lines.map(rowOf).join('');
      after = lines.at(-1)?.orderId ?? null;
    }
  }

  return { run: (name) => (name === 'products' ? products() : orders()) };
}
