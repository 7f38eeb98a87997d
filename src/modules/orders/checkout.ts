import { createCommandBatches } from '../../infra/command-batches.ts';
import type { Logger } from '../../infra/logger.ts';
import { noteChange } from '../../infra/postgres/change-watch.ts';
import { RetryTransaction, type Database, type Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import type { GuestService, Renewed, RenewingGuest } from '../accounts/guest.service.ts';
import type { Address } from '../addresses/address.types.ts';
import { ownerIdOf, type CartOwner, type CartService, type LockedCart } from '../cart/cart.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import type { Pricing, PricingService } from '../pricing/pricing.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import { createCheckoutBatch, type CheckoutBatch, type CheckoutCommand, type CheckedOut } from './checkout-batch.ts';
import {
  assertBuyable,
  assertMayBePlaced,
  assertTotal,
  detailsOf,
  hashOf,
  type CheckoutRequest,
} from './checkout-rules.ts';
import { findByKey, type OrderRow } from './order.repository.ts';
import { unitsOf, type Placing } from './placing.ts';

export interface CheckoutDependencies {
  db: Database;
  catalog: Pick<CatalogService, 'variantsByIds'>;
  inventory: InventoryService;
  cart: CartService;
  guests: Pick<GuestService, 'renewing' | 'lockForRenewal' | 'renewLocked'>;
  prices: PricingService;
  placing: Placing;
  /** Whether orders may be placed before they are paid for. */
  takesUnpaid: boolean;
  shop: { currency: string };
  logger: Pick<Logger, 'warn'>;
  /** Checkouts that share a transaction at most. 1: each has its own. */
  mostTogether: number;
  /** For tests: in place of the real one. */
  batch?: CheckoutBatch | undefined;
}

/**
 * The two ways to check out. Each is whole or not at all. Checkouts that arrive while a transaction is under way share the next one.
 */
export interface Checkout {
  checkout(owner: CartOwner, request: CheckoutRequest): Promise<PlacedOrder>;
  /**
   * Like `checkout`, for a guest whose token others may know: the guest keeps the order and gets another token. See `GuestService.renewing`.
   */
  checkoutRenewing(guest: RenewingGuest, request: CheckoutRequest): Promise<Renewed<PlacedOrder>>;
  /**
   * Checks a cart that is to be bought, and prices it, under the cart's lock. Locks the promotions whose limits it uses.
   * @throws Refusal: whatever is in the way of a checkout
   */
  prepare(tx: Transaction, cart: LockedCart, request: CheckoutRequest): Promise<Prepared>;
}

/** An order that a checkout has placed, or found. */
export interface PlacedOrder {
  id: string;
  /** The order right after it was placed. Null: it is to be read. */
  row: OrderRow | null;
}

/** A cart that can be bought. */
export interface Prepared {
  email: string;
  shippingAddress: Address | null;
  pricing: Pricing;
}

/** Makes the use case: the owner's cart becomes an order. */
export function createCheckout(deps: CheckoutDependencies): Checkout {
  const { db, catalog, inventory, cart: carts, guests, prices, placing, takesUnpaid, shop } = deps;

  /**
   * The cart's lock is what two checkouts of one owner wait at. The key is looked up after it (or after it was refused,
   * the cart being gone), in a statement of its own, so that it sees what the other one committed meanwhile.
   */
  async function lockOrFind(
    tx: Transaction,
    owner: CartOwner,
    request: CheckoutRequest,
  ): Promise<{ cart: LockedCart } | { orderId: string }> {
    // The key is sent behind the lock, in the same go.
    const [cart, orderId] = await together(
      carts.lockForCheckout(tx, owner).catch((error: unknown) => {
        if (error instanceof Refusal) return error;
        throw error;
      }),
      findEarlier(tx, owner, request),
    );
    if (orderId !== null) return { orderId };
    if (cart instanceof Refusal) throw cart;
    return { cart };
  }

  /** The order that the owner has made by the same request under the same key. Refuses a key that stands for anything else. */
  async function findEarlier(tx: Transaction, owner: CartOwner, request: CheckoutRequest): Promise<string | null> {
    const earlier = await findByKey(tx, owner, request.idempotencyKey);
    if (earlier === null) return null;
    if (earlier.requestHash.equals(hashOf(request))) return earlier.id;
    return refuse('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used before for a different checkout.', [
      'idempotencyKey',
    ]);
  }

  async function place(tx: Transaction, owner: CartOwner, request: CheckoutRequest): Promise<string> {
    const found = await lockOrFind(tx, owner, request);
    return 'orderId' in found ? found.orderId : (await buy(tx, found.cart, request)).orderId;
  }

  function placeRenewing(tx: Transaction, guest: RenewingGuest, request: CheckoutRequest): Promise<Renewed<string>> {
    return guests.renewing(tx, guest, {
      findEarlier: (guestId) => findEarlier(tx, { guestId }, request),
      async run(guestId) {
        const found = await lockOrFind(tx, { guestId }, request);
        if ('orderId' in found) return { value: found.orderId, at: null };
        const { orderId, at } = await buy(tx, found.cart, request);
        return { value: orderId, at };
      },
    });
  }

  async function prepare(tx: Transaction, cart: LockedCart, request: CheckoutRequest): Promise<Prepared> {
    const { email, shippingAddress, priced } = detailsOf(cart, request);
    const pricing = await prices.priceForOrder(tx, priced, { version: cart.termsVersion, now: cart.readAt });
    assertBuyable(pricing.quote);
    assertTotal(pricing.quote, request.expectedTotalMinor, shop.currency);
    return { email, shippingAddress, pricing };
  }

  async function buy(
    tx: Transaction,
    cart: LockedCart,
    request: CheckoutRequest,
  ): Promise<{ orderId: string; at: Date }> {
    const { email, shippingAddress, pricing } = await prepare(tx, cart, request);
    const ids = [...unitsOf(cart.lines).keys()];
    // Sent in one go: the variants are read once their locks were granted.
    const [now, found] = await together(inventory.lock(tx, ids), catalog.variantsByIds(ids, tx));
    // Its time ran out while we waited for the locks. Run again: then it is seen as expired from the start.
    if (cart.expiresAt === null || cart.expiresAt <= now) throw new RetryTransaction();

    const { quote } = pricing;
    assertMayBePlaced(quote, takesUnpaid);
    const { idempotencyKey } = request;
    const requestHash = hashOf(request);
    const variants = new Map(found.map((variant) => [variant.id, variant]));
    const purchase = {
      cart,
      variants,
      email,
      shippingAddress,
      quote,
      idempotencyKey,
      requestHash,
      units: 'HELD',
    } as const;
    const orderId = await placing.place(tx, now, purchase);
    await prices.recordUses(tx, now, { subject: { orderId }, userId: cart.userId, email, uses: pricing.uses });
    return { orderId, at: now };
  }

  const { batch = createCheckoutBatch(deps), mostTogether: most, logger } = deps;
  const submit = createCommandBatches<CheckoutCommand, CheckedOut, Renewed<PlacedOrder>>({
    ...{ batch, most, logger, what: 'checkouts' },
    keyOf: ({ owner }) => ownerIdOf(owner),
  });

  async function submitted(
    command: CheckoutCommand,
    alone: () => Promise<Renewed<string>>,
  ): Promise<Renewed<PlacedOrder>> {
    const outcome = await submit(command, async () => {
      const { value: id, guest } = await alone();
      return { value: { id, row: null }, guest };
    });
    if ('answer' in outcome) return outcome.answer;
    // The commit was another caller's doing.
    noteChange();
    const { order: row, guest } = outcome.done;
    return { value: { id: row.id, row }, guest };
  }

  return {
    prepare,
    async checkout(owner, request) {
      const alone = async () => ({ value: await db.transaction((tx) => place(tx, owner, request)), guest: null });
      return (await submitted({ owner, request, guest: null }, alone)).value;
    },
    checkoutRenewing: (guest, request) =>
      submitted({ owner: { guestId: guest.id }, request, guest }, () =>
        db.transaction((tx) => placeRenewing(tx, guest, request)),
      ),
  };
}
