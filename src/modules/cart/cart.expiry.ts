import type { EventLog } from '../../events/event-log.ts';
import type { Database, Transaction } from '../../infra/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { InsufficientStockError } from '../inventory/inventory.errors.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { Refusal } from '../user-error.ts';
import { cartChanged } from './cart.events.ts';
import { findHeld, findOverdueHolding, lockIfOverdue, lockOverdueCarts, markExpired } from './expiry.repository.ts';

/** What an expiry released. */
export interface Released {
  carts: number;
  units: number;
}

export interface CartExpiry {
  /**
   * Expires every overdue cart, in batches. May run in several processes at once: each cart goes to one of them.
   * @param signal stops between two batches
   */
  expireOverdue(signal?: AbortSignal): Promise<Released>;
  /**
   * Runs a command. Where it meets the caller's own cart past its time, that cart is expired and the command run again.
   * Where it finds too few units, overdue carts that hold them are expired, as few as cover the shortage, and it is run
   * again: nobody is refused for a hold that is over.
   */
  withOverdueReleased<T>(command: () => Promise<T>): Promise<T>;
}

/** Thrown by a command that needs a cart to be expired first; `withOverdueReleased` sees to it. */
export class CartOverdue extends Error {
  readonly cartId: string;

  constructor(cartId: string) {
    super(`cart ${cartId} is past its time`);
    this.cartId = cartId;
  }
}

const BATCH = 500;
const MAX_ROUNDS = 5;

/** Wires the expiry of carts. */
export function createCartExpiry(deps: { db: Database; inventory: InventoryService; eventLog: EventLog }): CartExpiry {
  const { db, inventory, eventLog } = deps;

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
    return { carts: expired.length, units: held.reduce((sum, hold) => sum + hold.quantity, 0) };
  }

  /** @returns how many carts held units that were short and were overdue, whether or not it was us who expired them */
  async function releaseFor(shortages: ReadonlyMap<string, number>, wait: boolean): Promise<number> {
    return db.transaction(async (tx) => {
      const candidates = await findOverdueHolding(tx, shortages);
      await expire(tx, await lockIfOverdue(tx, candidates, wait));
      return candidates.length;
    });
  }

  return {
    async expireOverdue(signal) {
      const total: Released = { carts: 0, units: 0 };
      while (signal?.aborted !== true) {
        const { carts, units } = await db.transaction(async (tx) => expire(tx, await lockOverdueCarts(tx, BATCH)));
        if (carts === 0) break;
        total.carts += carts;
        total.units += units;
      }
      return total;
    },

    async withOverdueReleased(command) {
      for (let round = 1; ; round += 1) {
        try {
          return await command();
        } catch (error) {
          if (error instanceof CartOverdue) {
            await db.transaction(async (tx) => expire(tx, await lockIfOverdue(tx, [error.cartId], true)));
            continue;
          }
          const shortages = shortagesOf(error);
          if (shortages.size === 0 || round === MAX_ROUNDS) throw error;
          // Carts that someone else is expiring are passed over at first, and waited for once that was not enough.
          if ((await releaseFor(shortages, round > 1)) === 0) throw error;
        }
      }
    },
  };
}

/** The units that a refusal says were missing, by variant. */
function shortagesOf(error: unknown): Map<string, number> {
  const shortages = new Map<string, number>();
  if (!(error instanceof Refusal)) return shortages;
  for (const fault of error.errors) {
    if (fault instanceof InsufficientStockError) shortages.set(fault.variantId, fault.requested - fault.available);
  }
  return shortages;
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
  const stop = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      const released = await cart.expireOverdue(stop.signal);
      if (released.carts > 0) logger.info(released, 'overdue carts expired');
    } catch (error) {
      logger.error({ err: error }, 'overdue carts could not be expired; tried again in five seconds');
    }
  }

  function tick(): void {
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  tick();
  const timer = setInterval(tick, INTERVAL_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await running;
    },
  };
}
