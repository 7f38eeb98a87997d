import { defineConsumer, type Consumer, type Handled } from '../../events/consumer.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
import { lowStock, stockRecovered } from '../inventory/inventory.events.ts';
import { cartChanged } from './cart.events.ts';
import { lockCartsHolding, markLowStock } from './low-stock.repository.ts';

/** Maximum number of carts in one transaction, which keeps their owners waiting. */
const BATCH = 500;

/**
 * Notifies everyone with a variant in the cart that it runs low, except the shopper who caused it; once for each line until the
 * level has recovered. The mark on a line makes sure of that, however often an event arrives.
 */
export function createLowStockNotices({ eventLog }: { eventLog: EventLog }): Consumer {
  async function notify(tx: Transaction, variantId: string, causedBy: string | null): Promise<Handled> {
    const carts = await lockCartsHolding(tx, { variantId, mark: 'unmarked', except: causedBy, limit: BATCH });
    if (carts.length === 0) return 'DONE';
    const at = await readClock(tx);
    const cartIds = carts.map((cart) => cart.cartId);
    await markLowStock(tx, cartIds, variantId, at);
    const events = carts.map((cart) => cartChanged.of(cart.cartId, { ...cart, kind: 'LOW_STOCK', variantId }));
    await eventLog.append(tx, at, events);
    return 'MORE';
  }

  async function forget(tx: Transaction, variantId: string): Promise<Handled> {
    const carts = await lockCartsHolding(tx, { variantId, mark: 'marked', except: null, limit: BATCH });
    if (carts.length === 0) return 'DONE';
    const cartIds = carts.map((cart) => cart.cartId);
    await markLowStock(tx, cartIds, variantId, null);
    return 'MORE';
  }

  return defineConsumer({
    name: 'low-stock-notices',
    types: [lowStock.type, stockRecovered.type],
    async handle(tx, event) {
      const low = lowStock.read(event);
      if (low !== null) return notify(tx, low.variantId, low.cartId);
      const recovered = stockRecovered.read(event);
      return recovered === null ? 'DONE' : forget(tx, recovered.variantId);
    },
  });
}
