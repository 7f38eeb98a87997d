import type { Database, Queryable, Transaction } from '../../infra/postgres/database.ts';
import type { CatalogService, ProductVariant } from '../catalog/catalog.service.ts';
import type { InventoryService } from './inventory.service.ts';
import { asFarAsFree, countable, unitsCalledFor } from './outside-level.ts';
import * as repository from './outside-stock.repository.ts';
import type { BeliefRow, OutsideSource } from './outside-stock.repository.ts';

export type OutsideStock = BeliefRow;
export type { OutsideSource } from './outside-stock.repository.ts';

/** What somebody outside believes of a variant's stock: so many units, or only whether there are any. */
export type BelievedStock = { kind: 'COUNT'; quantity: number } | { kind: 'FLAG'; inStock: boolean };

/** Stock as catalogues outside the shop believe it to be. */
export interface OutsideStockService {
  /**
   * Takes what a catalogue believes, under the variant's lock: the first value sets units on hand, a later one moves them by
   * the difference to the value before; reason SYNC. The same again changes nothing.
   * @throws Refusal with LIMIT_EXCEEDED where there would be more than the shop can count
   */
  take(tx: Transaction, belief: { variantId: string; source: OutsideSource; stock: BelievedStock }): Promise<void>;
  /**
   * Takes away what is owed of a variant, as far as units are free.
   * @returns whether there was anything to take: then the transaction has the variant's lock
   */
  settle(tx: Transaction, variantId: string): Promise<boolean>;
  /** What a catalogue believes of variants; those of which it was never heard are left out. */
  beliefs(variantIds: readonly string[], source: OutsideSource, through?: Queryable): Promise<OutsideStock[]>;
  /** Units that are owed of variants; those of which none are, are left out. */
  shortfalls(variantIds: readonly string[]): Promise<Map<string, number>>;
}

/** What a belief calls for: so many units more (or fewer), and what is remembered of it. */
interface Step {
  wanted: number;
  quantity: number;
}

/** Decides by what was believed before. Null: nothing. */
function decide(stock: BelievedStock, before: BeliefRow | null, onHand: number): Step | null {
  if (stock.kind === 'COUNT') {
    const { quantity } = stock;
    return quantity === before?.quantity ? null : { quantity, wanted: unitsCalledFor(quantity, onHand, before) };
  }
  // Only a change counts: what was sold out since, or restocked by hand, is the shop's to know.
  if (before !== null && before.quantity > 0 === stock.inStock) return null;
  if (!stock.inStock) return { quantity: 0, wanted: -onHand };
  return { quantity: Math.max(onHand, 1), wanted: onHand > 0 ? 0 : 1 };
}

/** Wires it. */
export function createOutsideStockService(deps: {
  db: Database;
  inventory: InventoryService;
  /** Read when it is called: the catalogue is made after the inventory. */
  services: Readonly<{ catalog: CatalogService }>;
}): OutsideStockService {
  const { db, inventory, services } = deps;

  async function lock(tx: Transaction, variantId: string): Promise<{ at: Date; variant: ProductVariant }> {
    const at = await inventory.lock(tx, [variantId]);
    const [variant] = await services.catalog.variantsByIds([variantId], tx);
    if (variant === undefined) throw new Error(`there is no variant ${variantId}`);
    return { at, variant };
  }

  async function move(tx: Transaction, at: Date, step: { variantId: string; delta: number; note: string }) {
    const { variantId, delta, note } = step;
    if (delta === 0) return;
    await inventory.apply(tx, at, [{ variantId, reason: 'SYNC', onHandDelta: delta, note }]);
  }

  return {
    async take(tx, { variantId, source, stock }) {
      const { at, variant } = await lock(tx, variantId);
      const [before = null] = await repository.findBeliefs(tx, [variantId], source);
      const step = decide(stock, before, variant.onHand);
      if (step === null) return;
      const { quantity } = step;
      const wanted = countable(step.wanted, { variantId, onHand: variant.onHand });
      const { delta, shortfall } = asFarAsFree(wanted, variant.available);
      await move(tx, at, { variantId, delta, note: `${source}: ${before?.quantity ?? 'unknown'} → ${quantity}` });
      await repository.keepBeliefs(tx, at, [{ variantId, source, quantity, shortfall }]);
    },

    async settle(tx, variantId) {
      // Nearly none owes anything, which is seen without a lock.
      if ((await repository.findOwed(tx, [variantId])).length === 0) return false;
      const [before] = await services.catalog.variantsByIds([variantId], tx);
      if (before === undefined || before.available === 0) return false;
      const { at, variant } = await lock(tx, variantId);
      let free = variant.available;
      for (const belief of await repository.findOwed(tx, [variantId])) {
        const units = Math.min(free, belief.shortfall);
        if (units === 0) continue;
        free -= units;
        await move(tx, at, { variantId, delta: -units, note: `${belief.source}: owed since ${belief.quantity}` });
        await repository.keepBeliefs(tx, at, [{ ...belief, shortfall: belief.shortfall - units }]);
      }
      return true;
    },

    beliefs: (variantIds, source, through = db) => repository.findBeliefs(through, variantIds, source),

    async shortfalls(variantIds) {
      const owed = new Map<string, number>();
      for (const { variantId, shortfall } of await repository.findOwed(db, variantIds)) {
        owed.set(variantId, (owed.get(variantId) ?? 0) + shortfall);
      }
      return owed;
    },
  };
}
