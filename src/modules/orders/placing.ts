import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { RetryTransaction, violatedConstraint, type Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import type { Address } from '../addresses/address.types.ts';
import type { CartLine, CartService, LockedCart } from '../cart/cart.service.ts';
import { fullTitle, type CatalogService, type ProductVariant } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import type { Quote } from '../pricing/pricing.service.ts';
import { USER_KEY } from './guest-orders.ts';
import type { MoneySlot } from './order-money.ts';
import { drawOrderNumber, NUMBER_KEY } from './order-number.ts';
import { orderPlaced } from './order.events.ts';
import { insertOrder, type NewOrder } from './order.repository.ts';

/** What a cart becomes. */
export interface Purchase {
  cart: LockedCart;
  /** The variants of the cart, read under their locks; left out, they are read. */
  variants?: readonly ProductVariant[];
  email: string;
  shippingAddress: Address | null;
  /** Of exactly the lines of the cart. */
  quote: Quote;
  idempotencyKey: string;
  requestHash: Buffer;
  /** Whether the cart holds the units, or they are taken from what is available: the caller knows that there are enough. */
  units: 'HELD' | 'AVAILABLE';
}

/** Turns a cart into an order. */
export interface Placing {
  /**
   * Places an order, under the locks of cart, promotions and variants. The caller counts the uses of promotions.
   * @param at the transaction's instant
   * @returns the order's id
   */
  place(tx: Transaction, at: Date, purchase: Purchase): Promise<string>;
}

/** The units that lines have of each variant. */
export function unitsOf(lines: readonly Pick<CartLine, 'variantId' | 'quantity'>[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const { variantId, quantity } of lines) units.set(variantId, (units.get(variantId) ?? 0) + quantity);
  return units;
}

/** Makes the use case. */
export function createPlacing(deps: {
  catalog: CatalogService;
  inventory: InventoryService;
  cart: Pick<CartService, 'markCheckedOut'>;
  eventLog: EventLog;
  money: MoneySlot;
  shop: { currency: string };
}): Placing {
  const { catalog, inventory, cart: carts, eventLog, money, shop } = deps;

  /** The order as the cart's lines make it: at their prices, with the names that things have now. */
  async function draft(tx: Transaction, purchase: Purchase): Promise<NewOrder> {
    const { cart, email, shippingAddress, quote, idempotencyKey, requestHash } = purchase;
    const ids = [...unitsOf(cart.lines).keys()];
    const found = purchase.variants ?? (await catalog.variantsByIds(ids, tx));
    const variants = new Map(found.map((variant) => [variant.id, variant]));
    const quoted = new Map(quote.lines.map((line) => [line.id, line]));
    const lines = cart.lines.map(({ id, variantId, quantity, unitPriceMinor }) => {
      const variant = variants.get(variantId);
      const line = quoted.get(id);
      if (variant === undefined || line === undefined)
        throw new Error(`variant ${variantId} of cart ${cart.id} is gone`);
      const { sku } = variant;
      return { id: uuid(), variantId, title: fullTitle(variant), sku, quantity, unitPriceMinor, quoted: line };
    });
    return {
      id: uuid(),
      number: drawOrderNumber(),
      guestId: cart.guestId,
      userId: cart.userId,
      cartId: cart.id,
      email,
      currency: shop.currency,
      quote,
      shippingAddress,
      idempotencyKey,
      requestHash,
      lines,
    };
  }

  return {
    async place(tx, at, purchase) {
      const { cart, quote, units } = purchase;
      const order = await draft(tx, purchase);
      const moves = [...unitsOf(cart.lines)].flatMap(([variantId, quantity]) => {
        const hold = { variantId, reason: 'HOLD' as const, heldDelta: quantity, cartId: cart.id };
        const sale = { onHandDelta: -quantity, heldDelta: -quantity, cartId: cart.id, orderId: order.id };
        return [...(units === 'HELD' ? [] : [hold]), { variantId, reason: 'SALE' as const, ...sale }];
      });
      // Sent in one go and carried out in this order: the order comes first, since the others refer to it.
      await together(
        insertOrder(tx, at, order).catch((error: unknown) => {
          // An order that a guest placed under the same key joined this user just now. Run again: then it is seen.
          // Or the number is taken: then another one is drawn.
          const violated = violatedConstraint(error);
          throw violated === USER_KEY || violated === NUMBER_KEY ? new RetryTransaction() : error;
        }),
        inventory.apply(tx, at, moves),
        money.get().placed(tx, at, { ...quote, id: order.id }),
        carts.markCheckedOut(tx, at, cart),
        eventLog.append(tx, at, [orderPlaced.of(order.id, { orderId: order.id })]),
      );
      return order.id;
    },
  };
}
