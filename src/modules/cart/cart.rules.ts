import { v7 as uuid } from 'uuid';
import type { CartConfig } from '../../config/config.ts';
import { fullTitle, isVariantVisible, type ProductVariant } from '../catalog/catalog.service.ts';
import { InsufficientStockError } from '../inventory/inventory.errors.ts';
import { GenericError, LimitExceededError, type InputPath, type UserError } from '../user-error.ts';
import type { CartLine } from './cart.repository.ts';
import { overShare, type Share } from './network-share.ts';

/*
 * What a command does to a cart, decided in memory under the locks: no SQL here, so that the same decisions can be made
 * for one caller or for many in one transaction.
 */

/** The most codes that a cart may have. */
export const MAX_DISCOUNT_CODES = 10;

/** So many more units of a variant. */
export interface Wanted {
  variantId: string;
  quantity: number;
  /** Where the caller named the variant, and the quantity. */
  variantPath: InputPath;
  quantityPath: InputPath;
}

/** The outcome of a decision: what becomes of the lines, and by how much each variant's hold grows or shrinks. */
export interface LinePlan {
  lines: { added: CartLine[]; changed: { id: string; quantity: number }[]; removed: string[] };
  holds: Map<string, number>;
  errors: UserError[];
}

/** The lines of one cart while they are being changed, and what has to be written for it. */
export class LineDraft {
  readonly #before: ReadonlyMap<string, CartLine>;
  readonly #lines: CartLine[];

  constructor(lines: readonly CartLine[]) {
    this.#before = new Map(lines.map((line) => [line.id, line]));
    this.#lines = lines.map((line) => ({ ...line }));
  }

  get count(): number {
    return this.#lines.length;
  }

  unitsOf(variantId: string): number {
    return this.#lines.reduce((sum, line) => sum + (line.variantId === variantId ? line.quantity : 0), 0);
  }

  has(variantId: string, unitPriceMinor: number): boolean {
    return this.#find(variantId, unitPriceMinor) !== undefined;
  }

  #find(variantId: string, unitPriceMinor: number): CartLine | undefined {
    return this.#lines.find((line) => line.variantId === variantId && line.unitPriceMinor === unitPriceMinor);
  }

  /** Puts units to the line of the same variant and price, or begins one. */
  add(variantId: string, quantity: number, unitPriceMinor: number): void {
    const same = this.#find(variantId, unitPriceMinor);
    if (same !== undefined) {
      same.quantity += quantity;
      return;
    }
    // A line that was emptied in this very change lives on; a twin of it would collide with it in the table.
    const emptied = [...this.#before.values()].find(
      (line) => line.variantId === variantId && line.unitPriceMinor === unitPriceMinor,
    );
    if (emptied !== undefined) {
      this.#lines.push({ ...emptied, quantity });
      return;
    }
    const position = 1 + Math.max(-1, ...[...this.#before.values(), ...this.#lines].map((line) => line.position));
    this.#lines.push({ id: uuid(), variantId, quantity, unitPriceMinor, position });
  }

  /** Removes all lines. */
  clear(): void {
    this.#lines.length = 0;
  }

  /** Takes units from a line, and the line away with its last one. */
  take(lineId: string, quantity: number): void {
    const index = this.#lines.findIndex((line) => line.id === lineId);
    const line = this.#lines[index];
    if (line === undefined) return;
    line.quantity -= quantity;
    if (line.quantity === 0) this.#lines.splice(index, 1);
  }

  changes(): LinePlan['lines'] {
    const kept = new Set(this.#lines.map((line) => line.id));
    return {
      added: this.#lines.filter((line) => !this.#before.has(line.id)),
      changed: this.#lines
        .filter((line) => this.#before.get(line.id)?.quantity !== line.quantity && this.#before.has(line.id))
        .map(({ id, quantity }) => ({ id, quantity })),
      removed: [...this.#before.keys()].filter((id) => !kept.has(id)),
    };
  }
}

/** What is known of the variants that a command is about. */
export interface Shelf {
  variants: ReadonlyMap<string, ProductVariant>;
  limits: Pick<CartConfig, 'maxUnitsPerVariant' | 'maxLines'>;
  /** Of variants that are scarce: how many more units the shopper's network may hold. */
  shares?: ReadonlyMap<string, Share>;
}

/** Adds up the quantities of repeated variants; errors point to the first occurrence. */
function sumByVariant(wanted: readonly Wanted[]): Wanted[] {
  const sums = new Map<string, Wanted>();
  for (const want of wanted) {
    const known = sums.get(want.variantId);
    sums.set(want.variantId, known === undefined ? want : { ...known, quantity: known.quantity + want.quantity });
  }
  return [...sums.values()];
}

/** One message for variants that do not exist and for variants that shoppers may not see. */
export const NOT_FOR_SALE = 'Variant not found, or not for sale.';

/** The variant as it can be put in a cart, or the error that says why it cannot. */
function sellable(shelf: Shelf, want: Pick<Wanted, 'variantId' | 'variantPath'>): ProductVariant | UserError {
  const variant = shelf.variants.get(want.variantId);
  if (variant === undefined || !isVariantVisible(variant)) {
    return new GenericError('NOT_FOUND', NOT_FOR_SALE, want.variantPath);
  }
  return variant;
}

function tooMany(shelf: Shelf, variant: ProductVariant, units: number, path: InputPath): LimitExceededError | null {
  const limit = shelf.limits.maxUnitsPerVariant;
  if (units <= limit) return null;
  const message = `A cart can hold at most ${limit} units of ${fullTitle(variant)}.`;
  return new LimitExceededError({ message, path, limit, requested: units, variantId: variant.id });
}

function tooManyLines(shelf: Shelf, count: number, path: InputPath): LimitExceededError[] {
  const limit = shelf.limits.maxLines;
  if (count <= limit) return [];
  return [
    new LimitExceededError({ message: `A cart can hold at most ${limit} lines.`, path, limit, requested: count }),
  ];
}

function soldShort(variant: ProductVariant, requested: number, available: number, path: InputPath | null): UserError {
  return new InsufficientStockError({ variantId: variant.id, title: fullTitle(variant), requested, available, path });
}

function faultOf(fault: UserError | null): UserError[] {
  return fault === null ? [] : [fault];
}

/** The units that errors say are missing, by variant. */
export function shortagesOf(errors: readonly UserError[]): Map<string, number> {
  return new Map(
    errors
      .filter((error) => error instanceof InsufficientStockError)
      .map(({ variantId, requested, available }) => [variantId, requested - available]),
  );
}

/** Adds units at today's prices, all or none: with any error nothing is to be done. */
export function planAdd(lines: readonly CartLine[], wanted: readonly Wanted[], shelf: Shelf): LinePlan {
  const draft = new LineDraft(lines);
  const holds = new Map<string, number>();
  const errors: UserError[] = [];
  for (const want of sumByVariant(wanted)) {
    const variant = sellable(shelf, want);
    if (!('sku' in variant)) {
      errors.push(variant);
      continue;
    }
    const excess = tooMany(shelf, variant, draft.unitsOf(variant.id) + want.quantity, want.quantityPath);
    const free = variant.available;
    if (excess !== null) errors.push(excess);
    else if (free < want.quantity) errors.push(soldShort(variant, want.quantity, free, want.quantityPath));
    else errors.push(...faultOf(overShare(shelf.shares, variant, want.quantity, want.quantityPath)));
    draft.add(variant.id, want.quantity, variant.priceMinor);
    holds.set(variant.id, want.quantity);
  }
  errors.push(...tooManyLines(shelf, draft.count, ['lines']));
  return { lines: draft.changes(), holds, errors };
}

/** A line's new quantity; 0 takes it away. */
export interface LineUpdate {
  id: string;
  quantity: number;
  /** Where the caller named the line, and its quantity. */
  idPath: InputPath;
  quantityPath: InputPath;
}

/** Sets quantities, all or none. Units beyond those of a line are taken at today's price, perhaps as a line of their own. */
export function planUpdate(lines: readonly CartLine[], updates: readonly LineUpdate[], shelf: Shelf): LinePlan {
  const draft = new LineDraft(lines);
  const holds = new Map<string, number>();
  const errors: UserError[] = [];
  const raised = new Map<string, InputPath>();
  for (const { id, quantity, idPath, quantityPath } of updates) {
    const line = lines.find((candidate) => candidate.id === id);
    if (line === undefined) {
      errors.push(new GenericError('NOT_FOUND', 'Line not found in the cart.', idPath));
      continue;
    }
    const more = quantity - line.quantity;
    holds.set(line.variantId, (holds.get(line.variantId) ?? 0) + more);
    if (more <= 0) {
      draft.take(id, -more);
      continue;
    }
    const variant = sellable(shelf, { variantId: line.variantId, variantPath: quantityPath });
    if (!('sku' in variant)) {
      errors.push(variant);
      continue;
    }
    draft.add(variant.id, more, variant.priceMinor);
    if (!raised.has(variant.id)) raised.set(variant.id, quantityPath);
  }
  for (const [variantId, path] of raised) {
    const variant = shelf.variants.get(variantId);
    if (variant === undefined) continue;
    const excess = tooMany(shelf, variant, draft.unitsOf(variantId), path);
    const free = variant.available;
    const more = holds.get(variantId) ?? 0;
    if (excess !== null) errors.push(excess);
    else if (free < more) errors.push(soldShort(variant, more, free, path));
    else errors.push(...faultOf(overShare(shelf.shares, variant, more, path)));
  }
  errors.push(...tooManyLines(shelf, draft.count, ['lines']));
  return { lines: draft.changes(), holds, errors };
}

/**
 * Takes the lines of an expired cart again, at today's prices and as far as stock and limits allow: what does not fit is
 * named in `errors`, the rest is done.
 * @param live the lines of the cart that they join; null: the expired cart itself, whose lines then hold nothing yet
 */
export function planReclaim(
  live: readonly CartLine[] | null,
  expired: readonly CartLine[],
  shelf: Shelf,
  path: InputPath,
): LinePlan {
  const draft = new LineDraft(live ?? expired);
  if (live === null) draft.clear();
  const holds = new Map<string, number>();
  const errors: UserError[] = [];
  const wanted = expired.map(({ variantId, quantity }) => ({
    variantId,
    quantity,
    variantPath: path,
    quantityPath: path,
  }));
  for (const want of sumByVariant(wanted)) {
    const variant = sellable(shelf, want);
    if (!('sku' in variant)) {
      // The caller had it in the cart, so its name is no secret; without it no one would know which line is meant.
      const gone = shelf.variants.get(want.variantId);
      const message = gone === undefined ? NOT_FOR_SALE : `${fullTitle(gone)} is no longer for sale.`;
      errors.push(new GenericError('NOT_FOUND', message, path));
      continue;
    }
    const free = variant.available;
    const inCart = draft.unitsOf(variant.id);
    const room = Math.max(0, shelf.limits.maxUnitsPerVariant - inCart);
    const excess = tooMany(shelf, variant, inCart + want.quantity, path);
    if (free < want.quantity) errors.push(soldShort(variant, want.quantity, free, path));
    else if (excess !== null) errors.push(excess);
    else errors.push(...faultOf(overShare(shelf.shares, variant, want.quantity, path)));
    const units = Math.min(want.quantity, free, room, shelf.shares?.get(variant.id)?.room ?? free);
    if (units === 0) continue;
    if (draft.count >= shelf.limits.maxLines && !draft.has(variant.id, variant.priceMinor)) {
      errors.push(...tooManyLines(shelf, draft.count + 1, path));
      continue;
    }
    draft.add(variant.id, units, variant.priceMinor);
    holds.set(variant.id, units);
  }
  return { lines: draft.changes(), holds, errors };
}

/**
 * When the holds of a cart run out: some time after its last change, but not longer in all than the shop allows.
 * @param since when the first of its present holds was taken
 */
export function holdUntil(now: Date, since: Date, config: Pick<CartConfig, 'holdSeconds' | 'maxHoldSeconds'>): Date {
  return new Date(Math.min(now.getTime() + config.holdSeconds * 1000, since.getTime() + config.maxHoldSeconds * 1000));
}
