import type { Transaction } from '../../infra/postgres/database.ts';
import type { CartService, LockedCart } from '../cart/cart.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { unitsOf, type OrderService } from '../orders/order.service.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import { findTerms } from './payment.repository.ts';
import type { FrozenLine, PaymentRow, ReturnReason } from './payment.types.ts';

/** Turns a payment that the bank has agreed to into an order. */
export interface PaymentPlacing {
  /**
   * Places the order of a payment at the frozen prices: of the units that its cart holds, or, if the payment comes after its time, of
   * those that are available. The caller has the locks of the cart and of the payment, and none of promotions and variants.
   * @returns why no order can be placed, and the money goes back
   * @throws CartsOverdue if carts past their time hold units that are missing
   */
  place(
    tx: Transaction,
    payment: PaymentRow,
    cart: LockedCart,
  ): Promise<{ at: Date; orderId: string; isLate: boolean } | { at: Date; returnReason: ReturnReason }>;
}

/** Makes it. */
export function createPaymentPlacing(deps: {
  cart: CartService;
  catalog: CatalogService;
  inventory: InventoryService;
  orders: Pick<OrderService, 'place'>;
  prices: Pick<PricingService, 'lockUses' | 'takeOverUses'>;
}): PaymentPlacing {
  const { cart: carts, catalog, inventory, orders, prices } = deps;

  /** The units that are not there, by variant. */
  async function shortages(tx: Transaction, units: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const variants = await catalog.variantsByIds([...units.keys()], tx);
    const available = new Map(variants.map(({ id, available: units_ }) => [id, units_]));
    const short = new Map<string, number>();
    for (const [id, wanted] of units) {
      const missing = wanted - Math.max(available.get(id) ?? 0, 0);
      if (missing > 0) short.set(id, missing);
    }
    return short;
  }

  return {
    async place(tx, payment, cart) {
      const frozen = await findTerms(tx, payment.id);
      if (frozen === null) throw new Error(`payment ${payment.id} has no terms`);
      const { terms, requestHash } = frozen;
      await prices.lockUses(tx, { paymentId: payment.id });
      const units = unitsOf(terms.lines);
      const at = await inventory.lock(tx, units.keys());
      const returnReason = obstacleOf(payment, cart, terms.lines);
      if (returnReason !== null) return { at, returnReason };
      // The row of the cart counts, not its deadline: as long as nobody has released the units, they are the shopper's.
      if (!cart.holds) {
        const short = await shortages(tx, units);
        await carts.checkOverdue(tx, short);
        if (short.size > 0) return { at, returnReason: 'OUT_OF_STOCK' };
      }
      const { email, shippingAddress, quote } = terms;
      const orderId = await orders.place(tx, at, {
        ...{ cart, email, shippingAddress, quote, requestHash },
        idempotencyKey: `payment:${payment.id}`,
        units: cart.holds ? 'HELD' : 'AVAILABLE',
      });
      await prices.takeOverUses(tx, at, { paymentId: payment.id, orderId });
      return { at, orderId, isLate: cart.paymentId !== payment.id };
    },
  };
}

/** Why the cart of a payment cannot become an order any more; null if it can. */
function obstacleOf(payment: PaymentRow, cart: LockedCart, lines: readonly FrozenLine[]): ReturnReason | null {
  if (cart.status === 'CHECKED_OUT') return 'ALREADY_ORDERED';
  if (cart.status === 'MERGED') return 'CART_CHANGED';
  // Another payment for the cart is in flight, and has been given the units.
  if (cart.paymentId !== null && cart.paymentId !== payment.id) return 'ALREADY_ORDERED';
  const isSame =
    cart.lines.length === lines.length &&
    lines.every((frozen) =>
      cart.lines.some(
        (line) =>
          line.id === frozen.id &&
          line.variantId === frozen.variantId &&
          line.quantity === frozen.quantity &&
          line.unitPriceMinor === frozen.unitPriceMinor,
      ),
    );
  return isSame ? null : 'CART_CHANGED';
}
