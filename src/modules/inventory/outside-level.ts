import type { Transaction } from '../../infra/postgres/database.ts';
import { LimitExceededError, Refusal } from '../user-error.ts';
import { MAX_ON_HAND } from './inventory.types.ts';
import { findOutsideLevels, keepBeliefs, type BeliefRow, type OutsideSource } from './outside-stock.repository.ts';

/*
 * A catalogue outside the shop knows nothing of what was sold. So what it says is a belief, and what counts of it is how it
 * differs from what it said before: 10, then 11, is one unit more, whatever was sold meanwhile. Units that carts hold are not
 * taken away; those are owed (the shortfall) until they come free.
 */

/** What it says that there is. */
export interface OutsideLevel {
  variantId: string;
  quantity: number;
}

/** Writes steps of stock: the inventory's own way, in the caller's transaction. */
type Apply = (
  changes: readonly { variantId: string; reason: 'INITIAL' | 'SYNC'; onHandDelta: number; note?: string }[],
) => Promise<unknown>;

/**
 * How many units more (or fewer) a value calls for: the first one is the level, a later one counts by its difference, and by
 * what is still owed.
 */
export function unitsCalledFor(
  quantity: number,
  onHand: number,
  before: { quantity: number; shortfall: number } | null,
): number {
  return before === null ? quantity - onHand : quantity - before.quantity - before.shortfall;
}

/** What is called for of a variant, unless the shop could not count what there would be then. @throws Refusal */
export function countable(wanted: number, { variantId, onHand }: { variantId: string; onHand: number }): number {
  const requested = onHand + wanted;
  if (requested <= MAX_ON_HAND) return wanted;
  const message = `There can be at most ${MAX_ON_HAND} units on hand.`;
  throw new Refusal(new LimitExceededError({ message, path: ['stock'], limit: MAX_ON_HAND, requested, variantId }));
}

/** What of that is done now, and what stays owed: units that carts hold are not taken away. */
export function asFarAsFree(wanted: number, free: number): { delta: number; shortfall: number } {
  const delta = Math.max(wanted, -free);
  return { delta, shortfall: delta - wanted };
}

/**
 * Takes over what an outside catalogue says of levels: the first value sets units on hand, a later one applies its
 * difference to the value before, and one that says the same again does nothing at all. Units that carts hold stay; what
 * could not be taken away for them is kept as the variant's shortfall. The caller has the variants' locks.
 * @returns whether anything was written
 * @throws Refusal with LIMIT_EXCEEDED where there would be more than the shop can count
 */
export async function takeOutsideLevels(
  apply: Apply,
  tx: Transaction,
  at: Date,
  { source, levels, note }: { source: OutsideSource; levels: readonly OutsideLevel[]; note?: string },
): Promise<boolean> {
  if (levels.length === 0) return false;
  const ids = levels.map((level) => level.variantId);
  const rows = new Map((await findOutsideLevels(tx, ids, source)).map((row) => [row.variantId, row]));
  const changes: Parameters<Apply>[0][number][] = [];
  const kept: BeliefRow[] = [];
  for (const { variantId, quantity } of levels) {
    const row = rows.get(variantId);
    if (row === undefined) throw new Error(`the level of an unknown variant, ${variantId}`);
    if (row.believed === quantity) continue;
    const { onHand, held, believed } = row;
    const before = believed === null ? null : { quantity: believed, shortfall: row.shortfall };
    const wanted = countable(unitsCalledFor(quantity, onHand, before), row);
    const { delta, shortfall } = asFarAsFree(wanted, onHand - held);
    kept.push({ variantId, source, quantity, shortfall });
    if (delta !== 0) {
      changes.push({ variantId, reason: 'SYNC', onHandDelta: delta, ...(note === undefined ? {} : { note }) });
    }
  }
  if (kept.length === 0) return false;
  await apply(changes);
  await keepBeliefs(tx, at, kept);
  return true;
}

/** Records the initial stock of variants that were just created. */
export async function beginAtOutsideLevels(
  apply: Apply,
  tx: Transaction,
  at: Date,
  { source, levels }: { source: OutsideSource; levels: readonly OutsideLevel[] },
): Promise<void> {
  if (levels.length === 0) return;
  const begun = levels.filter(({ quantity }) => quantity > 0);
  await apply(begun.map(({ variantId, quantity }) => ({ variantId, reason: 'INITIAL', onHandDelta: quantity })));
  const kept = levels.map((level) => ({ ...level, source, shortfall: 0 }));
  await keepBeliefs(tx, at, kept);
}
