import { violatedConstraint, type Transaction } from '../../infra/postgres/database.ts';
import type { CatalogService, Product, ProductVariant } from '../catalog/catalog.service.ts';
import type { CatalogWritingService } from '../catalog/catalog-writing.service.ts';
import type { OutsideStockService } from '../inventory/outside-stock.service.ts';
import { refuseInput } from '../invalid-input.ts';
import { refuse } from '../user-error.ts';
import { isCurrent, isNewer, type EntryChange } from './entry.ts';
import { findEntryOfProduct, lockEntry, updateEntry, type EntryRow } from './entry.repository.ts';
import type { EntryFields } from './fields.ts';
import type { Picture } from './space.ts';

/** What became of a change. */
export interface Outcome {
  status: 'APPLIED' | 'SKIPPED';
  /** Why it was skipped. */
  reason: string | null;
  productId: string | null;
}

/** A change that is ready to be applied: nothing of it has to be fetched any more. */
export interface ReadyChange {
  change: EntryChange;
  /** Of what was published. */
  content: { fields: EntryFields; images: Picture[] | null } | null;
}

/** What applying needs. */
export interface ApplyingDependencies {
  catalog: CatalogService;
  catalogWriting: CatalogWritingService;
  outsideStock: OutsideStockService;
}

/** The author of these changes: nobody of the staff. */
const ACTOR = null;
const MAX_SKU = 90;
const ANOTHERS = 'The product with this slug belongs to another entry.';

/** Whether some fields are those of a variant. */
export function concernsVariant({ variant, stock }: EntryFields): boolean {
  return Object.keys(variant).length > 0 || stock !== null;
}

/** Makes what applies a change in the caller's transaction. Locks: the entry, its product, the product's variant. */
export function createEntryApplication({ catalog, catalogWriting, outsideStock }: ApplyingDependencies) {
  type Writing = ReturnType<CatalogWritingService['within']>;

  /** The product that an entry is, or becomes by its slug. */
  async function findProduct(tx: Transaction, entry: EntryRow, slug: string | undefined): Promise<Product | null> {
    if (entry.productId !== null) return (await catalog.productsByIds([entry.productId], tx))[0] ?? null;
    const product = slug === undefined ? null : await catalog.productBySlug(slug, tx);
    if (product !== null && (await findEntryOfProduct(tx, product.id)) !== null) refuse('CONFLICT', ANOTHERS, ['slug']);
    return product;
  }

  async function freeSku(tx: Transaction, slug: string): Promise<string> {
    const base = slug.slice(0, MAX_SKU);
    for (let first = 1; ; first += 50) {
      const candidates = Array.from({ length: 50 }, (_, i) => (first + i === 1 ? base : `${base}-${first + i}`));
      const taken = await catalog.variantIdsBySkus(candidates, tx);
      const free = candidates.find((sku) => !taken.has(sku));
      if (free !== undefined) return free;
    }
  }

  async function create(
    tx: Transaction,
    writing: Writing,
    { entryId }: EntryChange,
    { fields, images }: NonNullable<ReadyChange['content']>,
  ): Promise<Product> {
    const { title, slug = null, description = '' } = fields.product;
    const { priceMinor, sku } = fields.variant;
    if (title === undefined) refuseInput('REQUIRED', 'title must not be empty for a new product.', ['title']);
    if (priceMinor === undefined) refuseInput('REQUIRED', 'price must not be empty for a new product.', ['price']);
    return writing.createProduct(ACTOR, {
      title,
      slug,
      description,
      vendor: null,
      tags: [],
      categorySlug: null,
      images: images ?? [],
      status: 'ACTIVE',
      variants: [
        {
          sku: sku ?? (await freeSku(tx, slug ?? entryId)),
          priceMinor,
          compareAtMinor: null,
          selectedOptions: [],
          onHand: 0,
          lowStockThreshold: null,
          weightGrams: null,
          requiresShipping: true,
          taxCategoryId: null,
        },
      ],
    });
  }

  async function onlyVariant(tx: Transaction, productId: string): Promise<ProductVariant> {
    const variants = await catalog.variantsOfProducts([productId], tx);
    const [variant] = variants;
    if (variant === undefined || variants.length > 1) {
      refuse('CONFLICT', `price, sku and stock apply to a single variant, but the product has ${variants.length}.`, [
        'price',
      ]);
    }
    return variant;
  }

  async function publish(tx: Transaction, entry: EntryRow, { change, content }: ReadyChange): Promise<string> {
    if (content === null) throw new Error('the published content is missing');
    const { fields, images } = content;
    const writing = catalogWriting.within(tx);
    const found = await findProduct(tx, entry, fields.product.slug);
    if (found === null) {
      const product = await create(tx, writing, change, content);
      const variant = await onlyVariant(tx, product.id);
      await takeStock(tx, variant, fields);
      return product.id;
    }
    const pictures = images === null ? {} : { images };
    await writing.updateProduct(ACTOR, found.id, { ...fields.product, ...pictures, status: 'ACTIVE' });
    if (!concernsVariant(fields)) return found.id;
    // Under the product's lock: its variants stay those that they are.
    const variant = await onlyVariant(tx, found.id);
    await writing.updateVariant(ACTOR, variant.id, fields.variant);
    await takeStock(tx, variant, fields);
    return found.id;
  }

  async function takeStock(tx: Transaction, { id: variantId }: ProductVariant, { stock }: EntryFields): Promise<void> {
    if (stock !== null) await outsideStock.take(tx, { variantId, source: 'contentful', stock });
  }

  async function withdraw(tx: Transaction, { productId }: EntryRow, { change }: ReadyChange): Promise<string | null> {
    if (productId === null) return null;
    const writing = catalogWriting.within(tx);
    const [product] = await catalog.productsByIds([productId], tx);
    if (change.event !== 'UNPUBLISHED') await writing.archiveProduct(ACTOR, productId);
    // One that staff took off sale for good is not to come back as a draft.
    else if (product?.status === 'ACTIVE') await writing.updateProduct(ACTOR, productId, { status: 'DRAFT' });
    return productId;
  }

  /**
   * Applies a change, unless it or a later one has already been applied.
   * @param options.isSync whether to apply the present state of the CMS even if it has been applied before
   * @throws Refusal if it cannot be applied: roll the transaction back
   */
  return async function apply(
    tx: Transaction,
    ready: ReadyChange,
    { isSync = false }: { isSync?: boolean } = {},
  ): Promise<Outcome> {
    const { change } = ready;
    const entry = await lockEntry(tx, change.entryId);
    if (!(isSync ? isCurrent : isNewer)(change, entry)) {
      const reason = 'This change or a later one has already been applied.';
      return { status: 'SKIPPED', reason, productId: entry.productId };
    }
    const published = change.event === 'PUBLISHED';
    const productId = published ? await publish(tx, entry, ready) : await withdraw(tx, entry, ready);
    const gone = change.event === 'DELETED';
    await updateEntry(tx, {
      id: entry.id,
      // After a deletion another entry may take the product, and a new entry with the same id starts over with its revisions.
      productId: gone ? null : productId,
      revision: gone ? 0 : (change.revision ?? 0),
      changedAt: change.changedAt,
    }).catch((error: unknown) => {
      if (violatedConstraint(error) === 'contentful_entries_product_id_key') refuse('CONFLICT', ANOTHERS, ['slug']);
      throw error;
    });
    if (productId === null) return { status: 'SKIPPED', reason: 'The entry is not a product of this shop.', productId };
    return { status: 'APPLIED', reason: null, productId };
  };
}
