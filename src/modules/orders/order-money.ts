import type { Transaction } from '../../infra/postgres/database.ts';
import type { LockedOrder } from './order-transitions.repository.ts';

/** What an order costs, as the ledger of money books it. All amounts are minor units. */
export interface OrderAmounts {
  discountMinor: bigint;
  shippingMinor: bigint;
  taxMinor: bigint;
  totalMinor: bigint;
}

/**
 * The bookkeeping that follows orders. The module of payments attaches it, so that orders need not know payments. Everything runs
 * in the transaction of the order.
 */
export interface OrderMoney {
  /** Books what the customers owe for new orders. */
  placed(tx: Transaction, at: Date, orders: readonly (OrderAmounts & { id: string })[]): Promise<void>;
  /** Locks the payments of an order. Call it before the order is locked. */
  lock(tx: Transaction, orderId: string): Promise<void>;
  /** Books that a cancelled order is owed no longer, and has its payments voided or refunded. */
  cancelled(tx: Transaction, at: Date, order: LockedOrder): Promise<void>;
  /**
   * Books that an order was paid outside of the shop, in full.
   * @throws Refusal: INVALID_TRANSITION if a payment with a provider is open or done
   */
  paidOutside(tx: Transaction, at: Date, order: LockedOrder): Promise<void>;
  /**
   * Books that an order that was paid outside of the shop was refunded, in full.
   * @throws Refusal: INVALID_TRANSITION if it was paid with a provider, by which it must be refunded
   */
  refundedOutside(tx: Transaction, at: Date, order: LockedOrder): Promise<void>;
  /** @throws Refusal: INVALID_TRANSITION if the payment of the order is being processed */
  assertMayFulfil(tx: Transaction, orderId: string): Promise<void>;
}

/** A place for the bookkeeping, which is made after orders are. */
export interface MoneySlot {
  attach(money: OrderMoney): void;
  /** @throws Error before it is attached */
  get(): OrderMoney;
}

/** Makes an empty slot. */
export function createMoneySlot(): MoneySlot {
  let attached: OrderMoney | null = null;
  return {
    attach(money) {
      attached = money;
    },
    get() {
      if (attached === null) throw new Error('no bookkeeping is attached to orders');
      return attached;
    },
  };
}
