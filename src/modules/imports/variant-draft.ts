import type { ImportedProduct } from '../catalog/catalog.types.ts';
import type { ProductImportService } from '../catalog/product-import.service.ts';
import type { Finding } from './findings.ts';
import type { Column, Columns } from './shopify-columns.ts';
import type { Row } from './shopify-csv.ts';
import { stableSku } from './stable-sku.ts';

/** A variant of the file: what the catalogue is to parse, and what it does not know. */
export interface VariantDraft {
  row: Row;
  input: {
    sku: string;
    price: string;
    compareAtPrice: string | null;
    selectedOptions: { name: string; value: string }[];
    onHand: number;
  };
  skuGiven: boolean;
  /** That is made for it, should it need one. */
  ownSku: string;
  quantity: number | null;
  terms: ImportedProduct['variants'][number]['terms'];
}

interface Context {
  rows: readonly Row[];
  handle: string;
  columns: Columns;
  slugOf: ProductImportService['slugOf'];
  at: (row: Row, column: Column | null, message: string) => Finding;
}

const OPTIONS = [
  ['option1Name', 'option1Value'],
  ['option2Name', 'option2Value'],
  ['option3Name', 'option3Value'],
] as const;

const text = (row: Row, column: Column) => row.cell(column).replaceAll(/\s+/g, ' ').trim();

/** Rows below the first may be there for their picture alone. */
const isVariant = (row: Row) =>
  (['sku', 'price', 'quantity', 'option1Value', 'option2Value', 'option3Value'] as const).some(
    (column) => text(row, column) !== '',
  );

/** Makes variants of a product's rows. */
export function draftVariants(context: Context): { variants: VariantDraft[]; findings: Finding[]; notes: Finding[] } {
  const { rows } = context;
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  const own = rows.filter((row, index) => index === 0 || isVariant(row));
  const [first] = own;
  const names = OPTIONS.map(([name]) => (first === undefined ? '' : text(first, name)));
  // What Shopify calls the only variant of a product that has nothing to choose.
  const isPlain =
    own.length === 1 &&
    first !== undefined &&
    /^(title)?$/i.test(names[0] ?? '') &&
    /^(default title)?$/i.test(text(first, 'option1Value')) &&
    text(first, 'option2Value') === '';
  const skus = new Map<string, number>();
  const variants = own.map((row): VariantDraft => {
    const selectedOptions = isPlain ? [] : optionsOf(row, names, context, findings);
    const given = text(row, 'sku').replace(/^'(?=\d+$)/, '');
    const quantity = quantityOf(row, context, findings, notes);
    const ownSku = stableSku(context.handle, selectedOptions, context.slugOf);
    const sameSku = skus.get(given);
    if (given !== '') skus.set(given, sameSku ?? row.line);
    const skuGiven = given !== '' && sameSku === undefined;
    if (sameSku !== undefined) {
      notes.push(
        context.at(row, 'sku', `The row in line ${sameSku} has the same SKU. This variant gets the SKU ${ownSku}.`),
      );
    }
    return {
      row,
      input: {
        sku: skuGiven ? given : ownSku,
        // Without a column of prices they stay as they are.
        price: context.columns.index.has('price') ? (priceOf(row, 'price', context, findings) ?? '0') : '0',
        compareAtPrice: compareAtOf(row, context, findings),
        selectedOptions,
        onHand: quantity ?? 0,
      },
      skuGiven,
      ownSku,
      quantity,
      terms: termsOf(row, context, findings),
    };
  });
  findings.push(...namedTwice(variants, context));
  return { variants, findings, notes };
}

function optionsOf(row: Row, names: readonly string[], { at }: Context, findings: Finding[]) {
  return OPTIONS.flatMap(([nameColumn, valueColumn], index) => {
    const name = names[index] ?? '';
    const value = text(row, valueColumn);
    if (name === '' && value === '') return [];
    if (name === '') findings.push(at(row, nameColumn, "The product's first row does not name this option."));
    if (value === '') findings.push(at(row, valueColumn, `The variant has no value for ${name}.`));
    return [{ name, value }];
  });
}

/** An amount as Shopify writes it: `1299.00`. Others are not guessed at: `1,299` is one thing here and another there. */
function priceOf(row: Row, column: 'price' | 'compareAt', { at }: Context, findings: Finding[]): string | null {
  const amount = text(row, column);
  if (/^-?\d+(\.\d+)?$/.test(amount)) return amount;
  const message =
    amount === ''
      ? 'The price is missing.'
      : `"${amount.slice(0, 50)}" is not a price. Write digits with a decimal point, and nothing else.`;
  findings.push(at(row, column, message));
  return null;
}

function compareAtOf(row: Row, context: Context, findings: Finding[]): string | null {
  // Shopify has 0.00 for none, too.
  if (/^0*(\.0+)?$/.test(text(row, 'compareAt'))) return null;
  return priceOf(row, 'compareAt', context, findings);
}

function quantityOf(row: Row, { columns, at }: Context, findings: Finding[], notes: Finding[]): number | null {
  const given = text(row, 'quantity');
  const isUntracked = columns.index.has('tracker') && text(row, 'tracker') === '';
  if (isUntracked) {
    const units = given === '' ? 'this file sets none' : `the given quantity is used, ${given.slice(0, 50)}`;
    notes.push(at(row, 'quantity', `Shopify does not track this variant's units, but the shop always does: ${units}.`));
  }
  if (given === '' && text(row, 'tracker') !== '') {
    const lacks = columns.index.has('quantity') ? 'the cell is empty' : 'the file has no column of quantities';
    notes.push(
      at(
        row,
        columns.index.has('quantity') ? 'quantity' : 'tracker',
        `Shopify tracks this variant's units, but ${lacks}: the units in the shop remain unchanged, and a new variant starts with none.`,
      ),
    );
  }
  if (given === '') return null;
  if (!/^-?\d{1,15}(\.0+)?$/.test(given)) {
    findings.push(at(row, 'quantity', `"${given.slice(0, 50)}" is not an integer.`));
    return null;
  }
  const quantity = Number(given);
  if (quantity >= 0) return quantity;
  notes.push(at(row, 'quantity', `It is sold beyond its stock (${given}): it counts as 0.`));
  return 0;
}

const MAX_GRAMS = 1_000_000_000;

/** How a variant is shipped and taxed. Empty cells of flags say nothing; an empty weight is unknown. */
function termsOf(row: Row, { columns, at }: Context, findings: Finding[]): VariantDraft['terms'] {
  const terms: VariantDraft['terms'] = {};
  if (columns.index.has('grams')) {
    const given = text(row, 'grams');
    const grams = given === '' ? null : Math.round(Number(given));
    if (given !== '' && (!/^\d{1,15}(\.\d+)?$/.test(given) || Number(grams) > MAX_GRAMS)) {
      findings.push(at(row, 'grams', `"${given.slice(0, 50)}" is not a weight in grams.`));
    }
    terms.weightGrams = grams;
  }
  for (const column of ['requiresShipping', 'taxable'] as const) {
    if (/^(true|yes|1|false|no|0|)$/i.test(text(row, column))) continue;
    findings.push(at(row, column, `"${text(row, column).slice(0, 50)}" is neither TRUE nor FALSE.`));
  }
  const ships = text(row, 'requiresShipping');
  if (ships !== '') terms.requiresShipping = /^(true|yes|1)$/i.test(ships);
  const code = text(row, 'taxCode').toLowerCase();
  if (code !== '') terms.taxCode = code;
  // What Shopify does not tax at all is in the category with the rate of 0.
  else if (/^(false|no|0)$/i.test(text(row, 'taxable'))) terms.taxCode = 'zero';
  else if (columns.index.has('taxCode')) terms.taxCode = null;
  return terms;
}

/** What two rows say of one variant, in words of the file: both would change it, and the later one would win, each time. */
function namedTwice(variants: readonly VariantDraft[], { at, columns }: Context): Finding[] {
  const hasOptions = (['option1Value', 'option2Value', 'option3Value'] as const).some((column) =>
    columns.index.has(column),
  );
  const choices = new Map<string, number>();
  return variants.flatMap(({ row, input: { selectedOptions }, skuGiven }) => {
    // Existing variants are identified by SKU; a new one is checked together with them.
    if (!hasOptions && skuGiven) return [];
    const choice = JSON.stringify(selectedOptions.map(({ value }) => value));
    const sameChoice = choices.get(choice);
    choices.set(choice, sameChoice ?? row.line);
    if (sameChoice === undefined) return [];
    const nothingToChoose = selectedOptions.length === 0;
    const message = nothingToChoose
      ? `The row in line ${sameChoice} is a variant without options, too. Several variants need options that distinguish them.`
      : `The row in line ${sameChoice} has the same option values.`;
    return [at(row, nothingToChoose ? 'option1Name' : 'option1Value', message)];
  });
}
