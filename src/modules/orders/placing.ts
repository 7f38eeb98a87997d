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
import { insertOrders, toRow, type NewOrder, type OrderRow } from './order.repository.ts';

/** What a cart becomes. */
export interface Purchase {
  cart: LockedCart;
  /** Variants by their ids, those of the cart among them, read under their locks; left out, they are read. */
  variants?: ReadonlyMap<string, ProductVariant>;
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
  /**
   * Places orders of different carts like `place`, and commits. All of it is sent in one go. The purchases have their variants.
   * @param more sends what else belongs to the transaction; called in the same tick
   * @returns the orders, in the order of the purchases
   */
  placeAllAndCommit(
    tx: Transaction,
    at: Date,
    purchases: readonly Purchase[],
    more: () => Promise<void>,
  ): Promise<OrderRow[]>;
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
  cart: Pick<CartService, 'checkedOut' | 'markCheckedOut'>;
  eventLog: EventLog;
  money: MoneySlot;
  shop: { currency: string };
}): Placing {
  const { catalog, inventory, cart: carts, eventLog, money, shop } = deps;

  async function read(tx: Transaction, ids: readonly string[]): Promise<ReadonlyMap<string, ProductVariant>> {
    return new Map((await catalog.variantsByIds(ids, tx)).map((variant) => [variant.id, variant]));
  }

  /** The order as the cart's lines make it: at their prices, with the names that things have now. */
  async function draft(tx: Transaction, purchase: Purchase): Promise<NewOrder> {
    const { cart, email, shippingAddress, quote, idempotencyKey, requestHash } = purchase;
    const variants = purchase.variants ?? (await read(tx, [...unitsOf(cart.lines).keys()]));
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

  /** Sends what makes the orders. It is carried out in this order: the orders come first, since the others refer to them. */
  function write(
    tx: Transaction,
    at: Date,
    placed: readonly { order: NewOrder; purchase: Purchase }[],
  ): readonly Promise<unknown>[] {
    const moves = placed.flatMap(({ order, purchase: { cart, units } }) =>
      [...unitsOf(cart.lines)].flatMap(([variantId, quantity]) => {
        const hold = { variantId, reason: 'HOLD' as const, heldDelta: quantity, cartId: cart.id };
        const sale = { onHandDelta: -quantity, heldDelta: -quantity, cartId: cart.id, orderId: order.id };
        return [...(units === 'HELD' ? [] : [hold]), { variantId, reason: 'SALE' as const, ...sale }];
      }),
    );
    return [
      insertOrders(
        tx,
        at,
        placed.map(({ order }) => order),
      ).catch((error: unknown) => {
        // An order that a guest placed under the same key joined this user just now. Run again: then it is seen.
        // Or the number is taken: then another one is drawn.
        const violated = violatedConstraint(error);
        throw violated === USER_KEY || violated === NUMBER_KEY ? new RetryTransaction() : error;
      }),
      inventory.apply(tx, at, moves),
      money.get().placed(
        tx,
        at,
        placed.map(({ order }) => ({ ...order.quote, id: order.id })),
      ),
      eventLog.append(
        tx,
        at,
        placed.flatMap(({ order, purchase: { cart } }) => [
          carts.checkedOut(cart),
          orderPlaced.of(order.id, { orderId: order.id }),
        ]),
      ),
    ];
  }

  return {
    async place(tx, at, purchase) {
      const order = await draft(tx, purchase);
      await together(...write(tx, at, [{ order, purchase }]), carts.markCheckedOut(tx, at, [purchase.cart]));
      return order.id;
    },

    async placeAllAndCommit(tx, at, purchases, more) {
      const placed: { order: NewOrder; purchase: Purchase }[] = [];
      for (const purchase of purchases) placed.push({ order: await draft(tx, purchase), purchase });
      const all = purchases.map(({ cart }) => cart);
      await together(...write(tx, at, placed), more(), carts.markCheckedOut(tx, at, all, { commits: true }));
      return placed.map(({ order }) => toRow(order, at));
    },
  };
}
