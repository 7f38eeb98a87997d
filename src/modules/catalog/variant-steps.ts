import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { violatedConstraint, type Database, type Transaction } from '../../infra/postgres/database.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { changesBetween, type StaffAction, type StaffService } from '../staff/staff.service.ts';
import { GenericError, Refusal, refuse, type InputPath } from '../user-error.ts';
import { recordedVariant } from './catalog-record.ts';
import type { NewVariant } from './catalog.types.ts';
import { insertVariants } from './product-writing.repository.ts';
import type { Joining } from './variant-rules.ts';

/** What the use cases that write the catalogue need. */
export interface CatalogWritingDependencies {
  db: Database;
  inventory: InventoryService;
  staff: StaffService;
  eventLog: EventLog;
  currency: string;
  /** Of variants that come without one. */
  lowStockThreshold: number;
}

/** A variant whose row there is now. */
export interface MadeVariant extends NewVariant {
  id: string;
  lowStockThreshold: number;
}

/** What making a product and making one more variant of it have in common; each step runs in the use case's transaction. */
export interface VariantSteps {
  /**
   * Makes their rows, with no stock yet.
   * @returns with the transaction's instant: all that there was to wait for is over
   * @throws Refusal with a CONFLICT for each SKU that is taken
   */
  insert(
    tx: Transaction,
    productId: string,
    joining: readonly Joining[],
  ): Promise<{ at: Date; variants: MadeVariant[] }>;
  /** Gives them the units that they begin with. */
  stock(tx: Transaction, at: Date, variants: readonly MadeVariant[]): Promise<void>;
  /** What the record says of one. */
  creation(actorId: string | null, variant: MadeVariant): StaffAction;
}

/**
 * Refuses a tax category that was deleted meanwhile, or never was; rethrows any other error.
 * @param path null: a variant of several
 */
export function refuseTaxCategory(error: unknown, path: InputPath | null = null): never {
  if (violatedConstraint(error) !== 'product_variants_tax_category_id_fkey') throw error;
  refuse('NOT_FOUND', 'Tax category not found.', path);
}

/** Wires the steps. */
export function createVariantSteps(deps: CatalogWritingDependencies): VariantSteps {
  const { inventory, currency, lowStockThreshold } = deps;
  return {
    async insert(tx, productId, joining) {
      const variants = joining.map(({ variant }) => ({
        ...variant,
        id: uuid(),
        lowStockThreshold: variant.lowStockThreshold ?? lowStockThreshold,
      }));
      const made = await insertVariants(tx, productId, variants).catch((error: unknown) => refuseTaxCategory(error));
      const faults = joining.flatMap(({ path }, index) =>
        made.has(variants[index]?.id ?? '')
          ? []
          : [new GenericError('CONFLICT', 'The SKU is already used by another variant.', [...path, 'sku'])],
      );
      if (faults.length > 0) throw new Refusal(...faults);
      return { at: await inventory.lock(tx, made), variants };
    },

    async stock(tx, at, variants) {
      await inventory.apply(
        tx,
        at,
        variants
          .filter((variant) => variant.onHand > 0)
          .map(({ id, onHand }) => ({ variantId: id, reason: 'INITIAL', onHandDelta: onHand })),
      );
    },

    creation: (actorId, variant) => ({
      actorId,
      kind: 'PRODUCT_VARIANT_CREATED',
      subject: { type: 'ProductVariant', id: variant.id },
      changes: changesBetween(null, { ...recordedVariant(variant, currency), onHand: String(variant.onHand) }),
    }),
  };
}
