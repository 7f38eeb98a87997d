import { MAX_ON_HAND } from './inventory.types.ts';
import { createHash } from 'node:crypto';
import {
  RetryTransaction,
  violatedConstraint,
  type Database,
  type Transaction,
} from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { fullTitle, type CatalogService, type ProductVariant } from '../catalog/catalog.service.ts';
import { changesBetween, type StaffService } from '../staff/staff.service.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import { InsufficientStockError, StockConflictError } from './inventory.errors.ts';
import { KEY_CONSTRAINT } from './inventory.repository.ts';
import type { ByHand, InventoryService, StockMovementReason } from './inventory.service.ts';
import * as repository from './movement.repository.ts';
import type { MovementRow } from './movement.repository.ts';
import { auditStock, type InventoryAudit } from './stock-audit.ts';

export type { InventoryAudit } from './stock-audit.ts';

/** An entry of the stock ledger. */
export type StockMovement = MovementRow;

/** Why units are added or taken away by hand. */
export type StockAdjustReason = Extract<StockMovementReason, 'RESTOCK' | 'CORRECTION' | 'DAMAGE' | 'RETURN'>;

/** So many units more, or fewer. */
export interface StockAdjustment {
  actorId: string;
  variantId: string;
  /** Not 0. */
  delta: number;
  reason: StockAdjustReason;
  note: string | null;
  /** A repeated call with the same key by the same user has no further effect. */
  idempotencyKey: string;
}

/** So many units, provided that there are as many as the caller last saw. */
export interface StockCount {
  actorId: string;
  variantId: string;
  onHand: number;
  expectedOnHand: number;
  note: string | null;
}

/** Stock as staff deal with it. Refusals are thrown as `Refusal`, and nothing has changed then. */
export interface StockService {
  /**
   * Adds or takes away units on hand, never units that carts hold. Gives the variant as it is then.
   * @throws Refusal: NOT_FOUND, INSUFFICIENT_STOCK, LIMIT_EXCEEDED, IDEMPOTENCY_KEY_REUSED
   */
  adjust(adjustment: StockAdjustment): Promise<ProductVariant>;
  /**
   * Sets units on hand. Gives the variant as it is then.
   * @throws Refusal: NOT_FOUND, STOCK_CONFLICT, INSUFFICIENT_STOCK
   */
  set(count: StockCount): Promise<ProductVariant>;
  movementsByIds(ids: readonly string[]): Promise<StockMovement[]>;
  /** One page of the ledger of each given variant, newest first. */
  movementPages(variantIds: readonly string[], page: PageRequest): Promise<Map<string, Page<StockMovement>>>;
  movementCounts(variantIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * Checks variants against the ledger's latest entries and live carts, in the order of their ids, and stops early where
   * very much is wrong.
   * @param first how many; null: all of them
   * @param after begin after this variant
   */
  audit(first: number | null, after: string | null): Promise<InventoryAudit>;
}

/** What carts are asked for; handed in, since carts know of stock and not the reverse. */
export interface Holds {
  withOverdueReleased<T>(work: () => Promise<T>): Promise<T>;
  checkOverdue(tx: Transaction, shortages: ReadonlyMap<string, number>): Promise<void>;
}

/** Wires the stock. */
export function createStockService(deps: {
  db: Database;
  inventory: InventoryService;
  /** Read when they are called: the catalogue and carts are made after the inventory. */
  services: Readonly<{ catalog: CatalogService; staff: StaffService; cart: Holds }>;
}): StockService {
  const { db, inventory, services } = deps;

  /** Changes a variant under its lock. What an overdue cart holds is free. */
  async function change(
    variantId: string,
    decide: (tx: Transaction, now: Date, find: () => Promise<ProductVariant>) => Promise<void>,
  ): Promise<ProductVariant> {
    await services.cart.withOverdueReleased(() =>
      db.transaction(async (tx) => {
        const now = await inventory.lock(tx, [variantId]);
        await decide(tx, now, async () => {
          const [variant] = await services.catalog.variantsByIds([variantId], tx);
          return variant ?? refuse('NOT_FOUND', 'Variant not found.', ['variantId']);
        });
      }),
    );
    const [variant] = await services.catalog.variantsByIds([variantId]);
    if (variant === undefined) throw new Error(`variant ${variantId} is gone right after its stock was changed`);
    return variant;
  }

  /** Moves units on hand, provided that those to be taken away are free. */
  async function move(
    tx: Transaction,
    now: Date,
    variant: ProductVariant,
    step: { delta: number; field: string; reason: StockAdjustReason; note: string | null; by: ByHand },
  ): Promise<void> {
    const { delta, note } = step;
    const { id, available } = variant;
    if (available + delta < 0) {
      await services.cart.checkOverdue(tx, new Map([[id, -delta - available]]));
      const title = fullTitle(variant);
      throw new Refusal(
        new InsufficientStockError({ variantId: id, title, requested: -delta, available, path: [step.field] }),
      );
    }
    const { reason, by } = step;
    await inventory.apply(
      tx,
      now,
      [{ variantId: id, reason, onHandDelta: delta, ...(note === null ? {} : { note }) }],
      by,
    );
  }

  /** Writes down what was done, in words of the counter: 10 became 12. */
  async function record(
    tx: Transaction,
    now: Date,
    done: { kind: 'STOCK_ADJUSTED' | 'STOCK_SET'; actorId: string; variant: ProductVariant; onHand: number },
    note: string | null,
  ): Promise<void> {
    const { kind, actorId, variant, onHand } = done;
    const changes = changesBetween({ onHand: variant.onHand }, { onHand });
    await services.staff.record(tx, now, {
      actorId,
      kind,
      subject: { type: 'ProductVariant', id: variant.id },
      changes,
      note,
    });
  }

  return {
    movementsByIds: (ids) => repository.findMovements(db, ids),
    movementPages: (variantIds, page) => repository.findMovementPages(db, variantIds, page),
    movementCounts: (variantIds) => repository.countMovements(db, variantIds),
    audit: (first, after) => auditStock(db, first, after),

    async adjust(adjustment) {
      const { actorId, variantId, delta, reason, note, idempotencyKey } = adjustment;
      const requestHash = hashOf(adjustment);
      return change(variantId, async (tx, now, find) => {
        // After the lock, in a statement of its own: it sees what the same call did that came before.
        const earlier = await repository.findRequestHash(tx, actorId, idempotencyKey);
        if (earlier?.equals(requestHash) === true) return;
        if (earlier !== null) {
          refuse('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used before for a different adjustment.', [
            'idempotencyKey',
          ]);
        }
        const variant = await find();
        const onHand = variant.onHand + delta;
        if (onHand > MAX_ON_HAND) {
          const message = `${fullTitle(variant)} can have at most ${MAX_ON_HAND} units on hand.`;
          const fault = { message, path: ['delta'], limit: MAX_ON_HAND, requested: onHand, variantId };
          throw new Refusal(new LimitExceededError(fault));
        }
        const by: ByHand = { actorId, key: { idempotencyKey, requestHash } };
        await move(tx, now, variant, { delta, field: 'delta', reason, note, by }).catch((error: unknown) => {
          // The key went to another variant meanwhile, which has a lock of its own: run again, which finds it.
          throw violatedConstraint(error) === KEY_CONSTRAINT ? new RetryTransaction() : error;
        });
        await record(tx, now, { kind: 'STOCK_ADJUSTED', actorId, variant, onHand }, note);
      });
    },

    set: ({ actorId, variantId, onHand, expectedOnHand, note }) =>
      change(variantId, async (tx, now, find) => {
        const variant = await find();
        if (variant.onHand !== expectedOnHand) {
          const fault = { variantId, title: fullTitle(variant), expectedOnHand, onHand: variant.onHand };
          throw new Refusal(new StockConflictError({ ...fault, path: ['expectedOnHand'] }));
        }
        const delta = onHand - variant.onHand;
        if (delta === 0) return;
        await move(tx, now, variant, { delta, field: 'onHand', reason: 'CORRECTION', note, by: { actorId } });
        await record(tx, now, { kind: 'STOCK_SET', actorId, variant, onHand }, note);
      }),
  };
}

/** Hash of a request without its idempotency key: equal requests have equal hashes. */
function hashOf({ variantId, delta, reason, note }: StockAdjustment): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([variantId, delta, reason, note]))
    .digest();
}
