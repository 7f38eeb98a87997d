import type { EventLog } from '../../events/event-log.ts';
import type { Queryable, Transaction } from '../../infra/postgres/database.ts';
import {
  applyChanges,
  lockVariants,
  type ByHand,
  type LevelRow,
  type StockMovementReason,
} from './inventory.repository.ts';
import { stockChanged } from './inventory.events.ts';
import * as outside from './outside-level.ts';
import type { OutsideLevel } from './outside-level.ts';
import type { OutsideSource } from './outside-stock.repository.ts';
import { findOutsideLevels } from './outside-stock.repository.ts';

export type { ByHand, StockMovementReason } from './inventory.repository.ts';

/** One step of a variant's counters. Which deltas a reason allows is the database's to check. */
export interface StockChange {
  variantId: string;
  reason: StockMovementReason;
  /** Units that came to (or left) the warehouse. */
  onHandDelta?: number;
  /** Units that carts hold more (or less). */
  heldDelta?: number;
  cartId?: string;
  orderId?: string;
  note?: string;
}

/** The counters of a variant after a change. */
export type StockLevel = LevelRow;

/**
 * The one place in which stock changes. Everything here runs in the caller's transaction; the caller has decided, under
 * the variants' locks, that there are units enough.
 */
export interface InventoryService {
  /**
   * Locks the variants, by id, until the transaction ends. Read their levels after it, not before.
   * @returns the database's time once all were locked: the transaction's instant for all that it writes
   */
  lock(tx: Transaction, variantIds: Iterable<string>): Promise<Date>;
  /**
   * Moves counters, and writes the ledger entry and the event of each step, in the order given.
   * @param at the transaction's instant, read from the database after the locks
   * @param by who did it, where it was done by hand; with a key it is one step that is written
   * @returns the levels left, one for each variant touched
   * @throws where a step would be impossible (more held than on hand, a variant that is not there): the caller's bug
   */
  apply(tx: Transaction, at: Date, changes: readonly StockChange[], by?: ByHand): Promise<StockLevel[]>;
  /**
   * Takes over what an outside catalogue says of levels; see `takeOutsideLevels`. The caller has the variants' locks.
   * @returns whether anything was written
   */
  takeOutsideLevels(
    tx: Transaction,
    at: Date,
    taken: { source: OutsideSource; levels: readonly OutsideLevel[]; note?: string },
  ): Promise<boolean>;
  /** Gives variants that were just made the units that an outside catalogue says they have. */
  beginAtOutsideLevels(
    tx: Transaction,
    at: Date,
    taken: { source: OutsideSource; levels: readonly OutsideLevel[] },
  ): Promise<void>;
  /** The values last taken from an outside catalogue, of those variants of which there are any. */
  outsideLevels(
    source: Queryable,
    variantIds: readonly string[],
    catalogue: OutsideSource,
  ): Promise<Map<string, number>>;
}

/** Wires the inventory. */
export function createInventoryService({ eventLog }: { eventLog: EventLog }): InventoryService {
  const service: InventoryService = {
    lock: (tx, variantIds) => lockVariants(tx, [...new Set(variantIds)]),
    async apply(tx, at, changes, by) {
      if (changes.length === 0) return [];
      const levels = await applyChanges(
        tx,
        at,
        changes.map((change) => ({
          variantId: change.variantId,
          reason: change.reason,
          onHandDelta: change.onHandDelta ?? 0,
          heldDelta: change.heldDelta ?? 0,
          cartId: change.cartId ?? null,
          orderId: change.orderId ?? null,
          note: change.note ?? null,
        })),
        by ?? null,
      );
      const touched = new Set(changes.map((change) => change.variantId)).size;
      if (levels.length !== touched) throw new Error(`stock of ${touched - levels.length} unknown variants`);
      eventLog.announce(
        tx,
        levels.map(({ variantId }) => ({ type: stockChanged.type, subjectId: variantId })),
      );
      return levels;
    },
    takeOutsideLevels: (tx, at, taken) =>
      outside.takeOutsideLevels((changes) => service.apply(tx, at, changes), tx, at, taken),
    beginAtOutsideLevels: (tx, at, taken) =>
      outside.beginAtOutsideLevels((changes) => service.apply(tx, at, changes), tx, at, taken),
    async outsideLevels(source, variantIds, catalogue) {
      const rows = await findOutsideLevels(source, variantIds, catalogue);
      return new Map(rows.flatMap(({ variantId, believed }) => (believed === null ? [] : [[variantId, believed]])));
    },
  };
  return service;
}
