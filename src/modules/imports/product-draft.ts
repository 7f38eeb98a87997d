import { isSlug } from '../catalog/catalog.service.ts';
import type { ImportableField, ImportedProduct } from '../catalog/catalog.types.ts';
import type { ProductImportService } from '../catalog/product-import.service.ts';
import { Refusal, type InputPath, type UserError } from '../user-error.ts';
import type { Finding } from './findings.ts';
import { draftVariants } from './variant-draft.ts';
import { safeHtml } from './safe-html.ts';
import type { Column, Columns } from './shopify-columns.ts';
import type { Block, Row } from './shopify-csv.ts';
import { fingerprint } from './stable-sku.ts';

/** A product of the file, ready to be taken over. */
export interface Draft {
  handle: string;
  imported: ImportedProduct;
  /** To be made where it is missing. */
  category: { name: string; slug: string } | null;
  /** Slugs by which earlier versions of the shop made them, and by which they are found again. */
  former: { slug: string; categorySlug: string | null };
  rows: number;
  first: Row;
  notes: Finding[];
  /** The place in the file of a fault that the catalogue found. */
  findingOf(error: UserError): Finding;
  /** The same of a variant, or of the product as a whole. */
  placeOf(variant: number | null): Row;
}

type Catalogue = Pick<ProductImportService, 'parse' | 'parseCategory' | 'slugOf' | 'formerSlugOf'>;

/** One line: what spreadsheets break or indent is still one name. */
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

const isTrue = (text: string) => /^(true|yes|1)$/i.test(text.trim());
const isFalse = (text: string) => /^(false|no|0)$/i.test(text.trim());

/** Slugs of longer texts are cut off. */
const MAX_WHOLE = 150;

/** The slug of a handle: itself, if it is one; else one that no other handle has. */
export function slugOfHandle(handle: string, slugOf: Catalogue['slugOf']): string {
  if (isSlug(handle)) return handle;
  const slug = slugOf(handle);
  // What has no plain letters, or was cut off, could be the same slug as its neighbour.
  const isPlain = !/[^\p{ASCII}]/u.test(handle.normalize('NFKD').replaceAll(/\p{M}/gu, ''));
  if (isPlain && slug !== '' && handle.length <= MAX_WHOLE) return slug;
  return `${slug === '' ? 'product' : slug.slice(0, MAX_WHOLE).replace(/-$/, '')}-${fingerprint(handle)}`;
}

/** What a merchant should know of a handle that is no slug. */
export const addressNote = (slug: string) => `The slug in the shop is ${slug}.`;

/** A product's handle; made of its title where it has none, as Shopify does. */
export function handleOf(
  { handle, rows }: Block,
  { slugOf, formerSlugOf }: Pick<Catalogue, 'slugOf' | 'formerSlugOf'>,
): string {
  const title = oneLine(rows[0]?.cell('title') ?? '');
  return handle || formerSlugOf(title) || slugOf(title);
}

/** The category that a type names. */
function categoryOf(type: string, slugOf: Catalogue['slugOf']): { name: string; slug: string } | null {
  const name = oneLine(type);
  return name === '' ? null : { name, slug: slugOf(name) || `category-${fingerprint(name)}` };
}

function statusOf(first: Row, note: (column: Column, message: string) => void): 'ACTIVE' | 'DRAFT' | 'ARCHIVED' | null {
  const status = first.cell('status').trim().toLowerCase();
  if (status === 'archived') return 'ARCHIVED';
  if (status === 'draft') return 'DRAFT';
  if (status === 'unlisted') {
    note('status', 'The shop has no unlisted products, so the product is imported as a draft.');
    return 'DRAFT';
  }
  if (status !== '' && status !== 'active') return null;
  return isFalse(first.cell('published')) ? 'DRAFT' : 'ACTIVE';
}

/** Pictures by their position, as far as they have one, and each once. */
function imagesOf(rows: readonly Row[]): { url: string; altText: string; row: Row }[] {
  const images = rows.flatMap((row) => {
    const url = row.cell('image').trim();
    const position = Number(row.cell('imagePosition').trim() || Number.NaN);
    return url === '' ? [] : [{ url, altText: oneLine(row.cell('imageAlt')), row, position }];
  });
  const inOrder = images
    .map((image, index) => ({ ...image, index }))
    .toSorted((a, b) => (a.position || Infinity) - (b.position || Infinity) || a.index - b.index);
  return [...new Map(inOrder.toReversed().map((image) => [image.url, image])).values()].toReversed();
}

function silentFields({ index }: Columns): Set<ImportableField> {
  const fields: [ImportableField, readonly Column[]][] = [
    ['title', ['title']],
    ['description', ['body']],
    ['vendor', ['vendor']],
    ['tags', ['tags']],
    ['categorySlug', ['type']],
    ['images', ['image']],
    ['altTexts', ['imageAlt']],
    ['status', ['status', 'published']],
    ['priceMinor', ['price']],
    ['compareAtMinor', ['compareAt']],
    ['selectedOptions', ['option1Value', 'option2Value', 'option3Value']],
  ];
  return new Set(fields.filter(([, columns]) => !columns.some((column) => index.has(column))).map(([field]) => field));
}

/** A row without the apostrophes that an export puts before what a spreadsheet would run as a formula. */
function withoutApostrophes(row: Row): Row {
  return { ...row, cell: (column) => row.cell(column).replace(/^'(?='*[=+\-@\t\r])/, '') };
}

/** Makes a product of its rows, by Shopify's rules and the catalogue's; or says what is wrong with it, row by row. */
export function draftProduct(block: Block, columns: Columns, catalogue: Catalogue): Draft | { findings: Finding[] } {
  const { surplus } = block;
  const rows = block.rows.map(withoutApostrophes);
  const [first] = rows;
  if (first === undefined) throw new Error('a product without rows');
  const main = first;
  const handle = handleOf(block, catalogue);
  // A placeholder, where the file has no titles: what is there keeps its own.
  const title = columns.index.has('title') ? oneLine(first.cell('title')) : handle;
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  const at = (row: Row, column: Column | null, message: string): Finding => ({
    line: row.line,
    row: row.row,
    handle,
    column: column === null ? null : columns.name(column),
    message,
  });

  for (const row of rows) {
    if (row.wrongWidth === null) continue;
    const message = `The row has ${row.wrongWidth} cells, but the header has ${columns.width}. Perhaps quotes are missing.`;
    findings.push(at(row, null, message));
  }
  // What stands in which column is anybody's guess then.
  if (findings.length > 0) return { findings };
  if (surplus > 0) findings.push(at(first, null, `The product has ${rows.length + surplus} rows, which is too many.`));
  if (handle === '') findings.push(at(first, 'handle', 'The row has no handle.'));
  if (isTrue(first.cell('giftCard'))) findings.push(at(first, 'giftCard', 'The shop does not sell gift cards.'));
  const status = statusOf(first, (column, message) => notes.push(at(first, column, message)));
  if (status === null) findings.push(at(first, 'status', 'The status must be active, draft or archived.'));
  if (findings.length > 0) return { findings };

  const slug = slugOfHandle(handle, catalogue.slugOf);
  if (slug !== handle) notes.push(at(first, 'handle', addressNote(slug)));
  const drafted = draftVariants({ rows, handle, columns, slugOf: catalogue.formerSlugOf, at });
  const { variants } = drafted;
  notes.push(...drafted.notes);
  const images = imagesOf(rows);
  const category = categoryOf(first.cell('type'), catalogue.slugOf);

  /** From a path in `ProductCreateInput` to the cell that it came from. */
  function cellOf(path: InputPath | null): [Row, Column | null] {
    const [field, place = '', detail, option, part] = path ?? [];
    if (field === 'variants') {
      return [variants[Number(place)]?.row ?? main, columnOfVariant(detail, option, part)];
    }
    if (field === 'images') return [images[Number(place)]?.row ?? main, path?.[2] === 'altText' ? 'imageAlt' : 'image'];
    return [main, COLUMN_OF_FIELD[field ?? ''] ?? null];
  }
  const findingOf = ({ path, message }: UserError) => at(...cellOf(path), message);

  const input = {
    title,
    slug,
    description: safeHtml(first.cell('body')),
    vendor: oneLine(first.cell('vendor')),
    tags: first
      .cell('tags')
      .split(',')
      .map(oneLine)
      .filter((tag) => tag !== ''),
    categorySlug: category?.slug ?? null,
    images: images.map(({ url, altText }) => ({ url, altText })),
    status,
    variants: variants.map(({ input: variant }) => variant),
  };
  findings.push(...drafted.findings);
  try {
    if (category !== null) catalogue.parseCategory(category);
    const product = catalogue.parse(input);
    if (findings.length > 0) return { findings };
    return {
      handle,
      imported: {
        product: { ...product, slug },
        silent: silentFields(columns),
        rawDescription: first.cell('body').replaceAll(/\r\n?/g, '\n').trim(),
        variants: variants.map(({ skuGiven, ownSku, quantity, terms }) => ({ skuGiven, ownSku, quantity, terms })),
      },
      category,
      former: {
        slug: slugOfHandle(handle, catalogue.formerSlugOf),
        categorySlug: categoryOf(first.cell('type'), catalogue.formerSlugOf)?.slug ?? null,
      },
      rows: rows.length,
      first,
      notes,
      findingOf,
      placeOf: (variant) => (variant === null ? first : (variants[variant]?.row ?? first)),
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // A cell that Shopify's rules refused already is named once.
    const named = new Set(findings.map(({ line, column }) => `${line} ${column}`));
    const more = error.errors.map(findingOf).filter(({ line, column }) => !named.has(`${line} ${column}`));
    return { findings: [...findings, ...more] };
  }
}

const COLUMN_OF_FIELD: Readonly<Record<string, Column>> = {
  // Of the category, which is made of the type.
  name: 'type',
  title: 'title',
  slug: 'handle',
  description: 'body',
  vendor: 'vendor',
  tags: 'tags',
  categorySlug: 'type',
  status: 'status',
};

function columnOfVariant(detail?: string, option?: string, part?: string): Column | null {
  if (detail === 'sku') return 'sku';
  if (detail === 'price') return 'price';
  if (detail === 'compareAtPrice') return 'compareAt';
  if (detail === 'onHand') return 'quantity';
  if (detail !== 'selectedOptions') return null;
  const names = ['option1Name', 'option2Name', 'option3Name'] as const;
  const values = ['option1Value', 'option2Value', 'option3Value'] as const;
  return (part === 'name' ? names : values)[Number(option ?? 0)] ?? null;
}
