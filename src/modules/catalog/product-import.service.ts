import type { Queryable, Transaction } from '../../infra/postgres/database.ts';
import { RetryTransaction, violatedConstraint } from '../../infra/postgres/database.ts';
import { v7 as uuid } from 'uuid';
import { changesBetween, type StaffAction } from '../staff/staff.service.ts';
import { Refusal, refuse, type UserError } from '../user-error.ts';
import { parseNewCategory, parseNewProduct } from './catalog-input.ts';
import { recordedProduct, recordedVariant } from './catalog-record.ts';
import { productChanged } from './catalog.events.ts';
import { findCategoryBySlug, findVariantIdsOfProducts, type VariantRow } from './catalog.repository.ts';
import type { ImportedProduct, NewCategory, NewProduct } from './catalog.types.ts';
import { keepCategory } from './category-writing.repository.ts';
import { createCategoryWriting } from './category-writing.ts';
import {
  findCategorySlugs,
  findFiledProducts,
  findProductSlugs,
  findTaxCategoryIds,
  findVariantsInWay,
  type FiledProductRow,
} from './product-import.repository.ts';
import {
  isNothing,
  planImport,
  type ImportNote,
  type ImportPlan,
  type ImportSurroundings,
} from './product-import.plan.ts';
import * as repository from './product-writing.repository.ts';
import { latinSlug, slugFrom } from './slug.ts';
import { createVariantSteps, refuseTaxCategory, type CatalogWritingDependencies } from './variant-steps.ts';

export type { ImportNote } from './product-import.plan.ts';

/** What became, or would become, of a product. */
export interface Imported {
  outcome: 'made' | 'changed' | 'unchanged';
  notes: readonly ImportNote[];
}

/** The same, or why it is refused; paths are those of `ProductCreateInput`. */
export type Preview = Imported | { outcome: 'refused'; errors: readonly UserError[] };

/** Products of a file, taken over one by one. A product is found again by its slug, a variant by SKU or by its choice. */
export interface ProductImportService {
  /** Parses a product by the rules that hold for staff, too. @throws Refusal */
  parse(input: Parameters<typeof parseNewProduct>[0]): NewProduct;
  /** The same of a category. @throws Refusal */
  parseCategory(input: { name: string; slug: string }): NewCategory;
  /** The slug that a text makes, which may be empty. */
  slugOf(text: string): string;
  /** The slug of its Latin letters alone, as every import before had it. */
  formerSlugOf(text: string): string;
  /** Which of some slugs the shop has. */
  slugsThere(slugs: {
    products: readonly string[];
    categories: readonly string[];
  }): Promise<{ products: ReadonlySet<string>; categories: ReadonlySet<string> }>;
  /** Says of each product what would become of it, reading for all of them together. Nothing is written. */
  preview(products: readonly ImportedProduct[]): Promise<Preview[]>;
  /**
   * Makes or changes a product, in a transaction of its own with events and record; what changes nothing leaves neither.
   * @param note what the record and the ledger say about it
   * @param actorId the user who imports; null for the command of the shop
   * @throws Refusal, and nothing has changed then
   */
  put(product: ImportedProduct, note: string, actorId?: string | null): Promise<Imported>;
  /** Makes a category, where its slug is not there yet. */
  ensureCategory(category: { name: string; slug: string }, actorId?: string | null): Promise<void>;
}

const SOURCE = 'import';

/** Who imports, and what the record says about it. */
type By = Required<Pick<StaffAction, 'actorId'>> & { note: string };

/** Wires the import of products. */
export function createProductImportService(deps: CatalogWritingDependencies): ProductImportService {
  const { db, inventory, staff, eventLog, currency } = deps;
  const steps = createVariantSteps(deps);
  const { createCategory } = createCategoryWriting(deps);

  /**
   * What there is that some products have to do with, in four statements.
   * @param rows the products among them that the shop has
   */
  async function look(
    source: Queryable,
    imported: readonly ImportedProduct[],
    rows: readonly FiledProductRow[],
  ): Promise<(product: ImportedProduct) => ImportSurroundings> {
    const products = new Map(rows.map((row) => [row.slug, row]));
    const ids = [...products.values()].map((row) => row.id);
    const skus = imported.flatMap(({ product, variants: more }) => [
      ...product.variants.map((variant) => variant.sku),
      ...more.map(({ ownSku }) => ownSku),
    ]);
    const variants = await findVariantsInWay(source, ids, skus);
    const variantIds = variants.map((row) => row.id);
    const believed =
      variantIds.length === 0 ? new Map<string, number>() : await inventory.outsideLevels(source, variantIds, SOURCE);
    const taxCategories = await findTaxCategoryIds(source);
    const bySku = new Map(variants.map((row) => [row.sku, row]));
    const byProduct = new Map<string, VariantRow[]>();
    for (const row of variants) {
      const siblings = byProduct.get(row.productId);
      if (siblings === undefined) byProduct.set(row.productId, [row]);
      else siblings.push(row);
    }
    return ({ product: { slug } }) => {
      const product = products.get(slug) ?? null;
      return { product, variants: byProduct.get(product?.id ?? '') ?? [], bySku, believed, taxCategories };
    };
  }

  async function lookAhead(products: readonly ImportedProduct[]): Promise<Preview[]> {
    const slugs = products.map(({ product }) => product.slug);
    const around = await look(db, products, await findFiledProducts(db, slugs));
    return products.map((imported): Preview => {
      const surroundings = around(imported);
      const plan = planImport(imported, surroundings);
      const { faults: errors, notes } = plan;
      if (errors.length > 0) return { outcome: 'refused', errors };
      if (surroundings.product === null) return { outcome: 'made', notes };
      return { outcome: isNothing(plan) ? 'unchanged' : 'changed', notes };
    });
  }

  async function make(
    tx: Transaction,
    { product }: ImportedProduct,
    { categoryId, plan, ...by }: { categoryId: string | null; plan: ImportPlan } & By,
  ): Promise<void> {
    const row = { ...product, id: uuid(), categoryId };
    // A product with this slug has been created in the meantime: it is updated instead.
    if (!(await repository.insertProduct(tx, row))) throw new RetryTransaction();
    const at = await join(tx, row.id, plan);
    await repository.completeProduct(tx, at, row);
    await announceChange(tx, at, row.id);
    // One entry for all of it: its variants are named in it.
    const state = { ...recordedProduct(row, product.categorySlug), variants: product.variants.map(({ sku }) => sku) };
    const subject = { type: 'Product', id: row.id } as const;
    const changes = changesBetween(null, state);
    await staff.record(tx, at, { ...by, kind: 'PRODUCT_CREATED', subject, changes });
  }

  /** Makes variants, with the units that they begin with. */
  async function join(tx: Transaction, productId: string, { joining }: ImportPlan): Promise<Date> {
    const { at, variants } = await steps.insert(tx, productId, joining);
    const levels = variants.flatMap(({ id }, index) => {
      const quantity = joining[index]?.quantity ?? null;
      return quantity === null ? [] : [{ variantId: id, quantity }];
    });
    await inventory.beginAtOutsideLevels(tx, at, { source: SOURCE, levels });
    return at;
  }

  async function announceChange(tx: Transaction, at: Date, productId: string): Promise<void> {
    await eventLog.append(tx, at, [productChanged.of(productId, { productId })]);
  }

  /** Writes what is to change about a product, which is locked with its variants. */
  async function change(
    tx: Transaction,
    locked: Date,
    { before, plan, ...by }: { before: NonNullable<ImportSurroundings['product']>; plan: ImportPlan } & By,
  ): Promise<void> {
    const { id } = before;
    const { note, actorId } = by;
    const record: StaffAction[] = [];
    for (const { before: was, after } of plan.updates) {
      await repository.updateVariant(tx, locked, after).catch((error: unknown) => {
        if (violatedConstraint(error) !== 'product_variants_sku_key') refuseTaxCategory(error, ['variants']);
        refuse('CONFLICT', `Another variant already has the SKU ${after.sku}.`, ['variants']);
      });
      const changes = changesBetween(recordedVariant(was, currency), recordedVariant(after, currency));
      const subject = { type: 'ProductVariant', id: was.id } as const;
      record.push({ ...by, kind: 'PRODUCT_VARIANT_UPDATED', subject, changes });
    }
    const made = plan.joining.length > 0 ? await steps.insert(tx, id, plan.joining) : null;
    const at = made?.at ?? locked;
    const { product } = plan;
    if (product !== null) {
      await repository.updateProduct(tx, at, product);
      const changes = changesBetween(
        recordedProduct(before, before.categorySlug),
        recordedProduct(product, product.categorySlug),
      );
      record.push({ ...by, kind: 'PRODUCT_UPDATED', subject: { type: 'Product', id }, changes });
    } else if (made !== null || plan.updates.length > 0) await repository.setUpdatedAt(tx, at, id);
    if (product !== null || made !== null || plan.updates.length > 0) await announceChange(tx, at, id);

    const begun = (made?.variants ?? []).flatMap((variant, index) => {
      record.push({ ...steps.creation(actorId, variant), note });
      const quantity = plan.joining[index]?.quantity ?? null;
      return quantity === null ? [] : [{ variantId: variant.id, quantity }];
    });
    await inventory.beginAtOutsideLevels(tx, at, { source: SOURCE, levels: begun });
    await inventory.takeOutsideLevels(tx, at, { source: SOURCE, levels: plan.levels, note });
    await staff.record(tx, at, ...record);
  }

  return {
    parse: (input) => parseNewProduct(input, currency),
    parseCategory: parseNewCategory,
    slugOf: slugFrom,
    formerSlugOf: latinSlug,

    async slugsThere({ products, categories }) {
      const [one, other] = await Promise.all([findProductSlugs(db, products), findCategorySlugs(db, categories)]);
      return { products: one, categories: other };
    },

    async preview(products) {
      const previews = await lookAhead(products);
      const isRefused = (_: unknown, index: number) => previews[index]?.outcome === 'refused';
      const refused = products.filter(isRefused);
      if (refused.length === 0) return previews;
      // What looks like another's may be its own, made by somebody else between two statements: now all of it is seen.
      const again = (await lookAhead(refused)).values();
      return previews.map((preview, index) => (isRefused(null, index) ? (again.next().value ?? preview) : preview));
    },

    put: (imported, note, actorId = null) =>
      db.transaction(async (tx): Promise<Imported> => {
        const { slug, categorySlug } = imported.product;
        const filing = categorySlug !== null && !imported.silent.has('categorySlug');
        // Before the product's lock: who deletes a category goes from it to its products.
        const category = filing ? await keepCategory(tx, categorySlug) : null;
        if (filing && category === null) refuseCategory();
        const [found] = await findFiledProducts(tx, [slug]);
        let locked: Date | null = null;
        let rows: FiledProductRow[] = [];
        if (found !== undefined) {
          await repository.lockProduct(tx, found.id);
          locked = await inventory.lock(tx, await findVariantIdsOfProducts(tx, [found.id]));
          // Under the locks, in statements of their own: what is seen before may be old.
          rows = await findFiledProducts(tx, [slug]);
        }
        const around = (await look(tx, [imported], rows))(imported);
        if (around.product?.id !== found?.id) throw new RetryTransaction();
        const plan = planImport(imported, around);
        if (plan.faults.length > 0) {
          // Made by somebody else between two statements: what looks like another's is its own.
          if (found === undefined && (await findFiledProducts(tx, [slug])).length > 0) throw new RetryTransaction();
          throw new Refusal(...plan.faults);
        }
        const { product: before } = around;
        if (before === null || locked === null) {
          await make(tx, imported, { categoryId: category?.id ?? null, plan, note, actorId });
          return { outcome: 'made', notes: plan.notes };
        }
        if (isNothing(plan)) return { outcome: 'unchanged', notes: plan.notes };
        if (plan.product !== null && !imported.silent.has('categorySlug')) {
          plan.product = { ...plan.product, categoryId: category?.id ?? null };
        }
        await change(tx, locked, { before, plan, note, actorId });
        return { outcome: 'changed', notes: plan.notes };
      }),

    async ensureCategory({ name, slug }, actorId = null) {
      if ((await findCategoryBySlug(db, slug)) !== null) return;
      await createCategory(actorId, { name, slug }).catch((error: unknown) => {
        // It has been created in the meantime.
        if (!(error instanceof Refusal) || !error.errors.some(({ code }) => code === 'CONFLICT')) throw error;
      });
    },
  };
}

function refuseCategory(): never {
  refuse('NOT_FOUND', 'The category has been deleted in the meantime.', ['categorySlug']);
}
