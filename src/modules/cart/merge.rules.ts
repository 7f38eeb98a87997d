import { fullTitle, type ProductVariant } from '../catalog/catalog.service.ts';
import { LimitExceededError, type UserError } from '../user-error.ts';
import type { CartLine } from './cart.repository.ts';
import { LineDraft, type LinePlan, type Shelf } from './cart.rules.ts';

/** What becomes of the lines of a guest's cart that joins a user's. */
export interface MergePlan {
  /** The user's lines. */
  lines: LinePlan['lines'];
  /** Units that go back to stock, by variant: they do not fit. The others stay held all the while. */
  released: Map<string, number>;
  /** One for each variant that did not fit. */
  notices: UserError[];
}

/**
 * Joins lines that are held already, as far as the limits allow, each at the price at which it was put in. Whether a
 * variant is still for sale does not matter: who holds it may buy it.
 */
export function planMerge(lines: readonly CartLine[], joining: readonly CartLine[], shelf: Shelf): MergePlan {
  const { maxUnitsPerVariant, maxLines } = shelf.limits;
  const draft = new LineDraft(lines);
  const released = new Map<string, number>();
  const faults = new Map<string, UserError>();
  for (const { variantId, quantity, unitPriceMinor } of joining) {
    const noLine = !draft.has(variantId, unitPriceMinor) && draft.count >= maxLines;
    const room = Math.max(0, maxUnitsPerVariant - draft.unitsOf(variantId));
    const units = noLine ? 0 : Math.min(quantity, room);
    if (units > 0) draft.add(variantId, units, unitPriceMinor);
    if (units === quantity) continue;
    released.set(variantId, (released.get(variantId) ?? 0) + quantity - units);
    if (faults.has(variantId)) continue;
    const of = { variantId, title: titleOf(shelf.variants.get(variantId)) };
    faults.set(
      variantId,
      noLine
        ? excess(of, `A cart can hold at most ${maxLines} lines`, maxLines, draft.count + 1)
        : excess(
            of,
            `A cart can hold at most ${maxUnitsPerVariant} units of a variant`,
            maxUnitsPerVariant,
            unitsOf(lines, variantId) + unitsOf(joining, variantId),
          ),
    );
  }
  return { lines: draft.changes(), released, notices: [...faults.values()] };
}

function excess(of: { variantId: string; title: string }, rule: string, limit: number, requested: number): UserError {
  const message = `${rule}, so not all units of ${of.title} could be moved.`;
  return new LimitExceededError({ message, path: null, limit, requested, variantId: of.variantId });
}

function titleOf(variant: ProductVariant | undefined): string {
  return variant === undefined ? 'something' : fullTitle(variant);
}

function unitsOf(lines: readonly CartLine[], variantId: string): number {
  return lines.reduce((sum, line) => sum + (line.variantId === variantId ? line.quantity : 0), 0);
}
