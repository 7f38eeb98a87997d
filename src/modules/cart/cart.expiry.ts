import type { EventLog } from '../../events/event-log.ts';
import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import { createSetAside } from '../../infra/postgres/set-aside.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { cartChanged } from './cart.events.ts';
import { findHeld, lockIfOverdue, lockOverdueCarts, markExpired } from './expiry.repository.ts';

/** What an expiry released. */
export interface Released {
  carts: number;
  units: number;
}

export interface CartExpiry {
  /**
   * Expires every overdue cart, in batches. May run in several processes at once: each cart goes to one of them. A cart
   * that cannot be expired is logged and set aside for ten minutes.
   * @param signal stops between two batches
   */
  expireOverdue(signal?: AbortSignal): Promise<Released>;
  /** Expires carts whatever their deadlines, in the caller's transaction, which has their locks and none of variants. */
  expireLocked(tx: Transaction, cartIds: readonly string[]): Promise<Released>;
  /**
   * Runs a command. Where it meets carts past their time (its own, or those that hold the units that it lacks), they are
   * expired and it is run again: nobody is refused for a hold that is over.
   */
  withOverdueReleased<T>(command: () => Promise<T>): Promise<T>;
}

/** Thrown by a command that needs carts to be expired first; `withOverdueReleased` sees to it. */
export class CartsOverdue extends Error {
  readonly cartIds: readonly string[];

  constructor(cartIds: readonly string[]) {
    super(`carts past their time: ${cartIds.join(', ')}`);
    this.cartIds = cartIds;
  }
}

const BATCH = 500;

/** Wires the expiry of carts. */
export function createCartExpiry(deps: {
  db: Database;
  inventory: InventoryService;
  eventLog: EventLog;
  /** Called after the commit with what was released. Must not throw or block. */
  onReleased?: (released: Released) => void;
  logger: Pick<Logger, 'error'>;
}): CartExpiry {
  const { db, inventory, eventLog, onReleased = () => {}, logger } = deps;
  const aside = createSetAside({ what: 'the expiry of a cart', logger });

  /** Gives the units of carts back and marks them; the caller has their locks. */
  async function expire(tx: Transaction, cartIds: readonly string[]): Promise<Released> {
    if (cartIds.length === 0) return { carts: 0, units: 0 };
    const held = await findHeld(tx, cartIds);
    const at = await inventory.lock(
      tx,
      held.map((hold) => hold.variantId),
    );
    await inventory.apply(
      tx,
      at,
      held.map(({ cartId, variantId, quantity }) => ({ reason: 'RELEASE', variantId, heldDelta: -quantity, cartId })),
    );
    const expired = await markExpired(tx, cartIds, at);
    await eventLog.append(
      tx,
      at,
      expired.map((cart) => cartChanged.of(cart.cartId, { ...cart, kind: 'EXPIRED' })),
    );
    const released = { carts: expired.length, units: held.reduce((sum, hold) => sum + hold.quantity, 0) };
    tx.afterCommit(() => onReleased(released));
    return released;
  }

  const expireIf = (cartIds: readonly string[], wait: boolean) =>
    db.transaction(async (tx) => expire(tx, await lockIfOverdue(tx, cartIds, wait)));

  /** Expires each in a transaction of its own, and sets those aside that fail. */
  async function expireEach(cartIds: readonly string[]): Promise<Released> {
    const total: Released = { carts: 0, units: 0 };
    for (const id of cartIds) {
      try {
        const { carts, units } = await expireIf([id], false);
        total.carts += carts;
        total.units += units;
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        aside.add(id, error);
      }
    }
    return total;
  }

  async function expireOverdue(signal?: AbortSignal): Promise<Released> {
    const total: Released = { carts: 0, units: 0 };
    while (signal?.aborted !== true) {
      let batch: string[] = [];
      const released = await db
        .transaction(async (tx) => {
          batch = await lockOverdueCarts(tx, BATCH, aside.ids());
          return expire(tx, batch);
        })
        .catch((error: unknown) => {
          if (isDatabaseAway(error) || batch.length === 0) throw error;
          return expireEach(batch);
        });
      if (batch.length === 0) break;
      total.carts += released.carts;
      total.units += released.units;
    }
    return total;
  }

  return {
    expireOverdue,
    expireLocked: expire,

    async withOverdueReleased(command) {
      // Carts that someone else is at are passed over at first, and waited for once that was not enough. So each round
      // but the first sees the end of an overdue cart: it does not go on for ever, however many want the same units.
      for (let wait = false; ; wait = true) {
        try {
          return await command();
        } catch (error) {
          if (!(error instanceof CartsOverdue)) throw error;
          await expireIf(error.cartIds, wait).catch(async (fault: unknown) => {
            // A cart that cannot be expired is skipped; other carts may hold the required units.
            if (isDatabaseAway(fault) || (await expireOverdue()).carts === 0) throw fault;
          });
        }
      }
    },
  };
}

const INTERVAL_MS = 5000;

/** Expires overdue carts every five seconds, and right away: works without any queue, in every process. */
export function startCartExpiry({
  cart,
  logger,
}: {
  cart: Pick<CartExpiry, 'expireOverdue'>;
  logger: Logger;
}): AsyncDisposable {
  return every({
    ms: INTERVAL_MS,
    atOnce: true,
    failed: 'overdue carts could not be expired; tried again in five seconds',
    level: 'error',
    logger,
    async run(signal) {
      const released = await cart.expireOverdue(signal);
      if (released.carts > 0) logger.info(released, 'overdue carts expired');
    },
  });
}
