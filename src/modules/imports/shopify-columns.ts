import { FileError } from './import.errors.ts';

/** What of Shopify's product CSV the shop takes, each with the headers of both generations of its export. */
const HEADERS = {
  handle: ['Handle', 'URL handle'],
  title: ['Title'],
  body: ['Body (HTML)', 'Description'],
  vendor: ['Vendor'],
  type: ['Type', 'Custom Product Type'],
  tags: ['Tags'],
  published: ['Published', 'Published on online store'],
  status: ['Status'],
  giftCard: ['Gift Card'],
  option1Name: ['Option1 Name'],
  option1Value: ['Option1 Value'],
  option2Name: ['Option2 Name'],
  option2Value: ['Option2 Value'],
  option3Name: ['Option3 Name'],
  option3Value: ['Option3 Value'],
  sku: ['Variant SKU', 'SKU'],
  price: ['Variant Price', 'Price'],
  compareAt: ['Variant Compare At Price', 'Compare-at price'],
  tracker: ['Variant Inventory Tracker', 'Inventory tracker'],
  quantity: ['Variant Inventory Qty', 'Inventory quantity'],
  grams: ['Variant Grams', 'Weight value (grams)'],
  requiresShipping: ['Variant Requires Shipping', 'Requires shipping'],
  taxable: ['Variant Taxable', 'Charge tax'],
  taxCode: ['Variant Tax Code', 'Tax code'],
  image: ['Image Src', 'Product image URL'],
  imagePosition: ['Image Position'],
  imageAlt: ['Image Alt Text'],
} as const;

export type Column = keyof typeof HEADERS;

/** A table of products has all of these columns, and at least one of `DESCRIPTIVE`. */
const ESSENTIAL: readonly Column[] = ['handle'];
const DESCRIPTIVE: readonly Column[] = ['title', 'price', 'sku', 'quantity'];

/** Columns of Shopify's export that the shop has no fields for. They are ignored without a warning. */
const UNUSED =
  /^(product category|standard(ized)? product type|variant (inventory policy|fulfillment service|barcode|image|weight unit)|barcode|variant image url|seo (title|description)|cost per item|(included|price|compare at price) \/ .+|option[123] linked to|continue selling when out of stock|weight unit for display|fulfillment service|unit price .+|google shopping \/ .+|collection)$/;

/** Spreadsheets add invisible spaces, and some change upper and lower case. */
const keyOf = (header: string) => header.trim().replaceAll(/\s+/g, ' ').toLowerCase();

const byHeader = new Map(
  Object.entries(HEADERS).flatMap(([column, headers]) => headers.map((header) => [keyOf(header), column as Column])),
);

/** Where a file has what. */
export interface Columns {
  /** The place of each column that the file has. */
  index: ReadonlyMap<Column, number>;
  /** What the file calls a column; what Shopify does, where it has none. */
  name(column: Column): string;
  /** Headers that mean nothing to the shop. */
  unknown: readonly string[];
  /** How many cells a row has. */
  width: number;
}

/** Reads the header row. @throws FileError where it is not one of a Shopify product CSV */
export function readColumns(header: readonly string[]): Columns {
  const index = new Map<Column, number>();
  const unknown: string[] = [];
  for (const [place, text] of header.entries()) {
    const column = byHeader.get(keyOf(text));
    if (column === undefined) {
      if (!UNUSED.test(keyOf(text)) && text.trim() !== '') unknown.push(text.trim());
      continue;
    }
    const earlier = index.get(column);
    // Shopify's exports of some years have both, and what the merchant chose stands in `Type`.
    if (earlier !== undefined && column === 'type') {
      if (keyOf(text) === 'type') index.set(column, place);
      continue;
    }
    if (earlier !== undefined) {
      throw new FileError(`Two columns have the same meaning: "${header[earlier]?.trim()}" and "${text.trim()}".`);
    }
    index.set(column, place);
  }
  const missing = ESSENTIAL.filter((column) => !index.has(column));
  if (!DESCRIPTIVE.some((column) => index.has(column))) missing.push('title');
  if (missing.length > 0) throw new FileError(explainMissing(missing));
  const name = (column: Column) => header[index.get(column) ?? -1]?.trim() ?? HEADERS[column][0];
  return { index, name, unknown, width: header.length };
}

function explainMissing(missing: readonly Column[]): string {
  const names = missing.map((column) => HEADERS[column].map((text) => `"${text}"`).join(' or '));
  return `The file is not a Shopify product CSV: its first row lacks ${names.join(', ')}.`;
}

/** How many of a row's cells are headers that Shopify's export has. */
export function countKnown(header: readonly string[]): number {
  return header.filter((text) => byHeader.has(keyOf(text)) || UNUSED.test(keyOf(text))).length;
}
