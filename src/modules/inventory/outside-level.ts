import type { Transaction } from '../../infra/database.ts';
import { findOutsideLevels, keepOutsideLevels, type OutsideLevelRow } from './outside-stock.repository.ts';

/** A catalogue beside the shop that has levels of its own. */
export type OutsideCatalogue = 'contentful' | 'import';

/** What it says that there is. */
export interface OutsideLevel {
  variantId: string;
  quantity: number;
}

/** Writes steps of stock: the inventory's own way, in the caller's transaction. */
type Apply = (
  changes: readonly { variantId: string; reason: 'INITIAL' | 'SYNC'; onHandDelta: number; note?: string }[],
) => Promise<unknown>;

/** The database holds to it, too. */
const MAX_ON_HAND = 1_000_000_000;

/** What one value comes to: so many units more or fewer, and how many are still to be taken away. */
function decide({ onHand, held, believed, shortfall }: OutsideLevelRow, quantity: number) {
  // The first value is the level; a later one counts by its difference, since the shop sold meanwhile and it does not know.
  const wanted = (believed === null ? quantity - onHand : quantity - believed) - shortfall;
  const delta = Math.min(Math.max(wanted, held - onHand), MAX_ON_HAND - onHand);
  return { delta, shortfall: Math.max(delta - wanted, 0) };
}

/**
 * Takes over what an outside catalogue says of levels: the first value sets units on hand, a later one applies its
 * difference to the value before, and one that says the same again does nothing at all. Units that carts hold stay; what
 * could not be taken away for them is kept as the variant's shortfall. The caller has the variants' locks.
 * @returns whether anything was written
 */
export async function takeOutsideLevels(
  apply: Apply,
  tx: Transaction,
  at: Date,
  { source, levels, note }: { source: OutsideCatalogue; levels: readonly OutsideLevel[]; note?: string },
): Promise<boolean> {
  if (levels.length === 0) return false;
  const ids = levels.map((level) => level.variantId);
  const rows = new Map((await findOutsideLevels(tx, ids, source)).map((row) => [row.variantId, row]));
  const changes: Parameters<Apply>[0][number][] = [];
  const kept: { variantId: string; quantity: number; shortfall: number }[] = [];
  for (const { variantId, quantity } of levels) {
    const row = rows.get(variantId);
    if (row === undefined) throw new Error(`the level of an unknown variant, ${variantId}`);
    if (row.believed === quantity) continue;
    const { delta, shortfall } = decide(row, quantity);
    kept.push({ variantId, quantity, shortfall });
    if (delta !== 0) {
      changes.push({ variantId, reason: 'SYNC', onHandDelta: delta, ...(note === undefined ? {} : { note }) });
    }
  }
  if (kept.length === 0) return false;
  await apply(changes);
  await keepOutsideLevels(tx, at, source, kept);
  return true;
}

/** The same of variants that were just made: what they begin with. */
export async function beginAtOutsideLevels(
  apply: Apply,
  tx: Transaction,
  at: Date,
  { source, levels }: { source: OutsideCatalogue; levels: readonly OutsideLevel[] },
): Promise<void> {
  if (levels.length === 0) return;
  const begun = levels.filter(({ quantity }) => quantity > 0);
  await apply(begun.map(({ variantId, quantity }) => ({ variantId, reason: 'INITIAL', onHandDelta: quantity })));
  const kept = levels.map((level) => ({ ...level, shortfall: 0 }));
  await keepOutsideLevels(tx, at, source, kept);
}
