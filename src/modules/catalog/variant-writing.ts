import { violatedConstraint, type Transaction } from '../../infra/postgres/database.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { lowStock, stockRecovered } from '../inventory/inventory.events.ts';
import { changesBetween } from '../staff/staff.service.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import { MAX } from './catalog-input.ts';
import { recordedVariant } from './catalog-record.ts';
import { findVariants, findVariantsOfProducts, type VariantRow } from './catalog.repository.ts';
import { productChanged } from './catalog.events.ts';
import type { ProductVariant } from './catalog.service.ts';
import type { NewVariant, VariantChanges } from './catalog.types.ts';
import * as repository from './product-writing.repository.ts';
import { createVariantSteps, refuseTaxCategory, type CatalogWritingDependencies } from './variant-steps.ts';
import { faultsOfJoining } from './variant-rules.ts';

/** Makes the use cases of single variants. Each locks the product before the variant. */
export function createVariantWriting(deps: CatalogWritingDependencies) {
  const { db, inventory, staff, eventLog, currency, lowStockThreshold } = deps;
  const steps = createVariantSteps(deps);

  async function read(tx: Transaction, id: string): Promise<VariantRow> {
    const [variant] = await findVariants(tx, [id]);
    if (variant === undefined) throw new Error(`variant ${id} is gone under its lock`);
    return variant;
  }

  /** A variant under its lock and its product's, and the transaction's instant. */
  async function lock(tx: Transaction, id: string): Promise<{ at: Date; before: VariantRow }> {
    const productId = await repository.findProductIdOfVariant(tx, id);
    if (productId === null) refuse('NOT_FOUND', 'Variant not found.', ['id']);
    await repository.lockProduct(tx, productId);
    const at = await inventory.lock(tx, [id]);
    return { at, before: await read(tx, id) };
  }

  /** A change of a variant is a change of its product. */
  async function announceChange(tx: Transaction, at: Date, productId: string): Promise<void> {
    await repository.setUpdatedAt(tx, at, productId);
    await eventLog.append(tx, at, [productChanged.of(productId, { productId })]);
  }

  /** Whether a variant can stand beside the others of its product with the choice that it is to have. */
  async function checkChoice(tx: Transaction, variant: VariantRow): Promise<void> {
    if (variant.archivedAt !== null) return;
    const live = await findVariantsOfProducts(tx, [variant.productId]);
    const others = live.filter(({ id }) => id !== variant.id);
    const joining = { variant: { ...variant, onHand: 0 }, path: [] };
    const faults = faultsOfJoining([joining], others);
    if (faults.length > 0) throw new Refusal(...faults);
  }

  /** With another threshold a level can become low, or no longer be low, while stock does not change. */
  async function announceThreshold(tx: Transaction, at: Date, variant: VariantRow, threshold: number): Promise<void> {
    const { id: variantId, productId, available, lowStockThreshold: before } = variant;
    const [was, is] = [available <= before, available <= threshold];
    if (was === is) return;
    const level = { variantId, productId, available, threshold };
    const event = is ? lowStock.of(variantId, { ...level, cartId: null }) : stockRecovered.of(variantId, level);
    await eventLog.append(tx, at, [event]);
  }

  return {
    createVariant: (actorId: string | null, productId: string, variant: NewVariant): Promise<ProductVariant> =>
      db.transaction(async (tx) => {
        const joining = [{ variant, path: ['variant'] }];
        if (!(await repository.lockProduct(tx, productId))) {
          refuse('NOT_FOUND', 'Product not found.', ['productId']);
        }
        const live = await findVariantsOfProducts(tx, [productId]);
        if (live.length >= MAX.variants) {
          const message = `A product can have at most ${MAX.variants} variants.`;
          const requested = live.length + 1;
          throw new Refusal(new LimitExceededError({ message, path: ['variant'], limit: MAX.variants, requested }));
        }
        const faults = faultsOfJoining(joining, live);
        if (faults.length > 0) throw new Refusal(...faults);

        const { at, variants } = await steps.insert(tx, productId, joining);
        await announceChange(tx, at, productId);
        await steps.stock(tx, at, variants);
        const [made] = variants;
        if (made === undefined) throw new Error('no variant was made');
        await staff.record(tx, at, steps.creation(actorId, made));
        return read(tx, made.id);
      }),

    updateVariant: (
      actorId: string | null,
      id: string,
      changes: VariantChanges,
      expected: ExpectedVersion = null,
    ): Promise<ProductVariant> =>
      db.transaction(async (tx) => {
        const { at, before } = await lock(tx, id);
        assertVersion({ type: 'ProductVariant', id }, expected, before.updatedAt);
        const threshold =
          changes.lowStockThreshold === undefined ? before.lowStockThreshold : changes.lowStockThreshold;
        const after = { ...before, ...changes, lowStockThreshold: threshold ?? lowStockThreshold };
        const changed = changesBetween(recordedVariant(before, currency), recordedVariant(after, currency));
        if (changed.length === 0) return before;
        if (changes.selectedOptions !== undefined) await checkChoice(tx, after);

        await repository.updateVariant(tx, at, after).catch((error: unknown) => {
          if (violatedConstraint(error) !== 'product_variants_sku_key') refuseTaxCategory(error, ['taxCategoryId']);
          refuse('CONFLICT', 'The SKU is already used by another variant.', ['sku']);
        });
        await announceChange(tx, at, before.productId);
        await announceThreshold(tx, at, before, after.lowStockThreshold);
        const subject = { type: 'ProductVariant', id } as const;
        await staff.record(tx, at, { actorId, kind: 'PRODUCT_VARIANT_UPDATED', subject, changes: changed });
        return read(tx, id);
      }),

    archiveVariant: (actorId: string | null, id: string): Promise<ProductVariant> =>
      db.transaction(async (tx) => {
        const { at, before } = await lock(tx, id);
        if (before.archivedAt !== null) return before;
        // Under the product's lock nobody else archives one, or makes one.
        if ((await findVariantsOfProducts(tx, [before.productId])).length === 1) {
          refuse('CONFLICT', 'The variant is the only one of its product. Archive the product instead.', ['id']);
        }
        await repository.archiveVariant(tx, at, id);
        await announceChange(tx, at, before.productId);
        const subject = { type: 'ProductVariant', id } as const;
        await staff.record(tx, at, { actorId, kind: 'PRODUCT_VARIANT_ARCHIVED', subject });
        return read(tx, id);
      }),
  };
}
