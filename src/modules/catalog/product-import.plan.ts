import { InvalidInputError } from '../invalid-input.ts';
import { changesBetween } from '../staff/staff.service.ts';
import { GenericError, LimitExceededError, type UserError } from '../user-error.ts';
import { MAX } from './catalog-input.ts';
import { recordedProduct } from './catalog-record.ts';
import type { ImportedProduct, NewVariant } from './catalog.types.ts';
import type { VariantRow } from './catalog.repository.ts';
import type { FiledProductRow } from './product-import.repository.ts';
import { faultsOfJoining, type Joining } from './variant-rules.ts';

/*
 * What an imported product means for the shop, decided from what is there: the same for a look ahead, without locks, and
 * for the transaction that writes it.
 */

/** What the shop has that an imported product has to do with. */
export interface ImportSurroundings {
  /** Null where it is new. */
  product: FiledProductRow | null;
  /** Of that product, archived ones too. */
  variants: readonly VariantRow[];
  /** Variants of any product that have one of its SKUs. */
  bySku: ReadonlyMap<string, VariantRow>;
  /** The levels that the import last took, by variant. */
  believed: ReadonlyMap<string, number>;
  /** The ids of the shop's tax categories, by code. */
  taxCategories: ReadonlyMap<string, string>;
}

/** Something that the merchant should know, about one variant or all of the product. */
export interface ImportNote {
  variant: number | null;
  message: string;
}

export interface ImportPlan {
  /** The product as it is to be; null where its own fields stay as they are. */
  product: FiledProductRow | null;
  /** Variants to make, each with the file's level. */
  joining: (Joining & { quantity: number | null })[];
  updates: { before: VariantRow; after: VariantRow }[];
  /** Levels of variants that are there. */
  levels: { variantId: string; quantity: number }[];
  notes: ImportNote[];
  faults: UserError[];
}

const choiceOf = (variant: Pick<VariantRow, 'selectedOptions'>) =>
  JSON.stringify(variant.selectedOptions.map(({ name, value }) => [name, value]));

const inWords = ({ selectedOptions }: Pick<VariantRow, 'selectedOptions'>) =>
  selectedOptions.map(({ name, value }) => `${name}: ${value}`).join(', ') || 'no options';

/** Whether there is nothing to write. */
export function isNothing({ product, joining, updates, levels }: ImportPlan): boolean {
  return product === null && joining.length === 0 && updates.length === 0 && levels.length === 0;
}

/** Decides what is to be made, changed and refused. */
export function planImport(imported: ImportedProduct, around: ImportSurroundings): ImportPlan {
  const plan: ImportPlan = { product: null, joining: [], updates: [], levels: [], notes: [], faults: [] };
  const live = around.variants.filter((variant) => variant.archivedAt === null);
  for (const [index, variant] of imported.product.variants.entries()) place(plan, imported, around, index, variant);
  const updated = new Map(plan.updates.map(({ after }) => [after.id, after]));
  plan.faults.push(
    ...faultsOfJoining(
      plan.joining,
      live.map((variant) => updated.get(variant.id) ?? variant),
    ),
  );
  const count = live.length + plan.joining.length;
  if (count > MAX.variants) {
    const message = `A product can have at most ${MAX.variants} variants.`;
    const [first] = plan.joining;
    const path = first?.path ?? ['variants'];
    plan.faults.push(new LimitExceededError({ message, path, limit: MAX.variants, requested: count }));
  }
  if (around.product === null && imported.silent.has('title')) {
    plan.faults.push(new InvalidInputError('REQUIRED', 'A new product needs a title.', ['title']));
  }
  if (around.product !== null) plan.product = changedProduct(plan, imported, around.product);
  return plan;
}

/** Finds the place of one variant: one that is there, or a new one. */
function place(
  plan: ImportPlan,
  { variants, silent }: ImportedProduct,
  around: ImportSurroundings,
  index: number,
  variant: NewVariant,
): void {
  const { product, variants: there, bySku, believed } = around;
  const { skuGiven = false, ownSku = variant.sku, quantity = null } = variants[index] ?? {};
  const terms = termsOf(plan, variants[index]?.terms ?? {}, around, index);
  const path = ['variants', String(index)];
  const choice = there.find((row) => row.archivedAt === null && choiceOf(row) === choiceOf(variant));
  const ofThis = (row: VariantRow | undefined) => row?.productId === product?.id;
  let { sku } = variant;
  let named = bySku.get(sku);
  if (named !== undefined && !ofThis(named)) {
    // Two variants of the shop cannot share a SKU, and merchants repeat theirs: the file's is not this variant's then.
    sku = choice?.sku ?? ownSku;
    const message = `${named.productTitle} already uses the SKU ${variant.sku}, so this variant gets the SKU ${sku}.`;
    plan.notes.push({ variant: index, message });
    named = bySku.get(sku);
    if (named !== undefined && !ofThis(named)) {
      plan.faults.push(
        new GenericError('CONFLICT', `${named.productTitle} already uses the SKU ${sku}.`, [...path, 'sku']),
      );
      return;
    }
  }
  const row = named ?? choice;
  if (row === undefined) {
    if (silent.has('priceMinor')) {
      plan.faults.push(new InvalidInputError('REQUIRED', 'A new variant needs a price.', [...path, 'price']));
    } else plan.joining.push({ variant: { ...variant, ...terms, sku }, path, quantity });
    return;
  }
  if (row.archivedAt !== null) {
    plan.notes.push({ variant: index, message: 'The variant is archived in the shop and was left unchanged.' });
    return;
  }
  // The only variant of a product, which needed no options: they come with the others that join it.
  const isOnly = there.filter(({ archivedAt }) => archivedAt === null).length === 1 && row.selectedOptions.length === 0;
  const keepsChoice = silent.has('selectedOptions') || choiceOf(row) === choiceOf(variant);
  if (!keepsChoice && !isOnly) {
    const message = `The variant with this SKU has other options in the shop (${inWords(row)}), which were left unchanged.`;
    plan.faults.push(new GenericError('CONFLICT', message, [...path, 'selectedOptions', '0', 'value']));
    return;
  }
  const after = {
    ...row,
    sku: skuGiven ? sku : row.sku,
    selectedOptions: keepsChoice ? row.selectedOptions : variant.selectedOptions,
    priceMinor: silent.has('priceMinor') ? row.priceMinor : variant.priceMinor,
    compareAtMinor: silent.has('compareAtMinor') ? row.compareAtMinor : variant.compareAtMinor,
    ...terms,
  };
  if (
    !keepsChoice ||
    after.sku !== row.sku ||
    after.priceMinor !== row.priceMinor ||
    after.compareAtMinor !== row.compareAtMinor ||
    after.weightGrams !== row.weightGrams ||
    after.requiresShipping !== row.requiresShipping ||
    after.taxCategoryId !== row.taxCategoryId
  ) {
    plan.updates.push({ before: row, after });
  }
  if (quantity !== null && believed.get(row.id) !== quantity) plan.levels.push({ variantId: row.id, quantity });
}

/** How a variant is shipped and taxed, as far as the file says and the shop knows the tax category. */
function termsOf(
  plan: ImportPlan,
  { taxCode, ...terms }: ImportedProduct['variants'][number]['terms'],
  { taxCategories }: ImportSurroundings,
  index: number,
): Partial<Pick<NewVariant, 'weightGrams' | 'requiresShipping' | 'taxCategoryId'>> {
  if (taxCode === undefined) return terms;
  if (taxCode === null) return { ...terms, taxCategoryId: null };
  const taxCategoryId = taxCategories.get(taxCode);
  if (taxCategoryId !== undefined) return { ...terms, taxCategoryId };
  // A shop without tax categories has no use for the codes of another.
  if (taxCategories.size > 0) {
    const message = `The shop has no tax category ${taxCode}, so the tax category of this variant remains unchanged.`;
    plan.notes.push({ variant: index, message });
  }
  return terms;
}

function changedProduct(
  plan: ImportPlan,
  { product, silent, rawDescription }: ImportedProduct,
  before: FiledProductRow,
): FiledProductRow | null {
  const after = { ...before };
  for (const field of ['title', 'description', 'vendor', 'tags', 'categorySlug', 'images', 'status'] as const) {
    if (!silent.has(field)) Object.assign(after, { [field]: product[field] });
  }
  // As an export wrote it: cleaning would turn its characters into entities.
  if (before.description === rawDescription) after.description = before.description;
  if (silent.has('altTexts')) {
    const texts = new Map(before.images.map(({ url, altText }) => [url, altText]));
    after.images = after.images.map((image) => ({ ...image, altText: texts.get(image.url) ?? image.altText }));
  }
  if (before.status === 'ARCHIVED' && after.status !== 'ARCHIVED') {
    // Staff took it off sale for good: a file that was exported before does not bring it back.
    after.status = 'ARCHIVED';
    plan.notes.push({ variant: null, message: 'The product is archived in the shop and remains archived.' });
  }
  const changes = changesBetween(
    recordedProduct(before, before.categorySlug),
    recordedProduct(after, after.categorySlug),
  );
  return changes.length === 0 ? null : after;
}
