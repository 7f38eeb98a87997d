import { v7 as uuid } from 'uuid';
import { readClock } from '../../infra/postgres/clock.ts';
import { violatedConstraint, type Transaction } from '../../infra/postgres/database.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { changesBetween, type StaffAction } from '../staff/staff.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import { recordedProduct } from './catalog-record.ts';
import { findCategories, findProducts, type ProductRow } from './catalog.repository.ts';
import { productChanged } from './catalog.events.ts';
import { isSlug, type Category, type Product } from './catalog.service.ts';
import type { NewProduct, ProductChanges } from './catalog.types.ts';
import { keepCategory } from './category-writing.repository.ts';
import * as repository from './product-writing.repository.ts';
import { freeSlug } from './slug.ts';
import { createVariantSteps, type CatalogWritingDependencies } from './variant-steps.ts';
import { faultsOfJoining } from './variant-rules.ts';

function refuseSlug(): never {
  refuse('CONFLICT', 'The slug is already used by another product.', ['slug']);
}

/** Makes the use cases of products as wholes. */
export function createProductWriting(deps: CatalogWritingDependencies) {
  const { db, staff, eventLog } = deps;
  const steps = createVariantSteps(deps);

  /** The category of this slug, which stays as it is meanwhile. Comes first of all locks. */
  async function categoryOf(tx: Transaction, slug: string): Promise<Category> {
    const category = isSlug(slug) ? await keepCategory(tx, slug) : null;
    return category ?? refuse('NOT_FOUND', 'No category has this slug.', ['categorySlug']);
  }

  /** The product's row, under a slug that nothing else has. */
  async function insert(tx: Transaction, { slug, ...product }: NewProduct, categoryId: string | null) {
    const taken = (slugs: readonly string[]) => repository.findTakenSlugs(tx, slugs);
    for (;;) {
      const row = {
        ...product,
        id: uuid(),
        categoryId,
        slug: slug ?? (await freeSlug(product.title, { fallback: 'product', taken })),
      };
      if (await repository.insertProduct(tx, row)) return row;
      // One that was made up was taken in between: the next is made up knowing that.
      if (slug !== null) refuseSlug();
    }
  }

  async function read(tx: Transaction, id: string): Promise<ProductRow> {
    const [product] = await findProducts(tx, [id]);
    if (product === undefined) throw new Error(`product ${id} is gone under its lock`);
    return product;
  }

  async function slugOfCategory(tx: Transaction, id: string | null): Promise<string | null> {
    const [category] = id === null ? [] : await findCategories(tx, [id]);
    return category?.slug ?? null;
  }

  async function change(
    tx: Transaction,
    {
      id,
      changes,
      expected,
      ...by
    }: { id: string; changes: ProductChanges; expected: ExpectedVersion } & Pick<StaffAction, 'actorId' | 'kind'>,
  ): Promise<Product> {
    const { categorySlug, ...fields } = changes;
    const category = categorySlug == null ? null : await categoryOf(tx, categorySlug);
    if (!(await repository.lockProduct(tx, id))) refuse('NOT_FOUND', 'Product not found.', ['id']);
    const before = await read(tx, id);
    assertVersion({ type: 'Product', id }, expected, before.updatedAt);
    const was = await slugOfCategory(tx, before.categoryId);
    const filed =
      categorySlug === undefined
        ? { id: before.categoryId, slug: was }
        : { id: category?.id ?? null, slug: category?.slug ?? null };
    const after = { ...before, ...fields, categoryId: filed.id };
    const changed = changesBetween(recordedProduct(before, was), recordedProduct(after, filed.slug));
    if (changed.length === 0) return before;

    const at = await readClock(tx);
    await repository.updateProduct(tx, at, after).catch((error: unknown) => {
      if (violatedConstraint(error) === 'products_slug_key') refuseSlug();
      throw error;
    });
    await eventLog.append(tx, at, [productChanged.of(id, { productId: id })]);
    await staff.record(tx, at, { ...by, subject: { type: 'Product', id }, changes: changed });
    return read(tx, id);
  }

  return {
    async createProduct(actorId: string | null, product: NewProduct): Promise<Product> {
      const joining = product.variants.map((variant, index) => ({ variant, path: ['variants', String(index)] }));
      const faults = faultsOfJoining(joining, []);
      if (faults.length > 0) throw new Refusal(...faults);
      return db.transaction(async (tx) => {
        const category = product.categorySlug === null ? null : await categoryOf(tx, product.categorySlug);
        const row = await insert(tx, product, category?.id ?? null);
        const { id } = row;
        const { at, variants } = await steps.insert(tx, id, joining);
        await repository.completeProduct(tx, at, row);
        await eventLog.append(tx, at, [productChanged.of(id, { productId: id })]);
        await steps.stock(tx, at, variants);
        const changes = changesBetween(null, recordedProduct(row, category?.slug ?? null));
        await staff.record(
          tx,
          at,
          { actorId, kind: 'PRODUCT_CREATED', subject: { type: 'Product', id }, changes },
          ...variants.map((variant) => steps.creation(actorId, variant)),
        );
        return read(tx, id);
      });
    },

    updateProduct: (
      actorId: string | null,
      id: string,
      changes: ProductChanges,
      expected: ExpectedVersion = null,
    ): Promise<Product> =>
      db.transaction((tx) => change(tx, { id, changes, expected, actorId, kind: 'PRODUCT_UPDATED' })),

    archiveProduct: (actorId: string | null, id: string): Promise<Product> =>
      db.transaction((tx) =>
        change(tx, { id, changes: { status: 'ARCHIVED' }, expected: null, actorId, kind: 'PRODUCT_ARCHIVED' }),
      ),
  };
}
