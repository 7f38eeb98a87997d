import { createHash } from 'node:crypto';
import { RetryTransaction, type Database, type Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import type { GuestService, Renewed, RenewingGuest } from '../accounts/guest.service.ts';
import type { Address } from '../addresses/address.types.ts';
import type { CartOwner, CartService, LockedCart } from '../cart/cart.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { refuseInput } from '../invalid-input.ts';
import type { Pricing, PricingService, Quote } from '../pricing/pricing.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import { TotalChangedError } from './order.errors.ts';
import { findByKey } from './order.repository.ts';
import { unitsOf, type Placing } from './placing.ts';

/** What a checkout asks for. */
export interface CheckoutRequest {
  /** A repeated call with the same key by the same guest or user returns the same order. */
  idempotencyKey: string;
  /** Left out: the one that the cart has, else the account's. */
  email: string | null;
  /** The address of a user's account. */
  accountEmail?: string;
  shippingAddress: Address | null;
  /** Null: the one that the cart has, or the only one there is. */
  shippingMethodId?: string | null;
  /** In minor units. Null: whatever it comes to. */
  expectedTotalMinor: bigint | null;
}

export interface CheckoutDependencies {
  db: Database;
  catalog: Pick<CatalogService, 'variantsByIds'>;
  inventory: InventoryService;
  cart: CartService;
  guests: Pick<GuestService, 'renewing'>;
  prices: PricingService;
  placing: Placing;
  /** Whether orders may be placed before they are paid for. */
  takesUnpaid: boolean;
  shop: { currency: string };
}

/** The two ways to check out. Each is one transaction, whole or not at all. */
export interface Checkout {
  /** @returns the order's id */
  checkout(owner: CartOwner, request: CheckoutRequest): Promise<string>;
  /**
   * Like `checkout`, for a guest whose token others may know: the guest keeps the order and gets another token. See `GuestService.renewing`.
   * @returns the order's id
   */
  checkoutRenewing(guest: RenewingGuest, request: CheckoutRequest): Promise<Renewed<string>>;
  /**
   * Checks a cart that is to be bought, and prices it, under the cart's lock. Locks the promotions whose limits it uses.
   * @throws Refusal: whatever is in the way of a checkout
   */
  prepare(tx: Transaction, cart: LockedCart, request: CheckoutRequest): Promise<Prepared>;
}

/** A cart that can be bought. */
export interface Prepared {
  email: string;
  shippingAddress: Address | null;
  pricing: Pricing;
}

/** What is asked for under a key, without the key: the same again gives the same hash. */
export function hashOf({
  email,
  shippingAddress,
  shippingMethodId = null,
  expectedTotalMinor,
}: CheckoutRequest): Buffer {
  const a = shippingAddress;
  const address = a === null ? null : [a.name, a.line1, a.line2, a.city, a.region, a.postalCode, a.countryCode];
  // Without a method as it was before there were any: a checkout may be repeated across an update of the shop.
  const method = shippingMethodId === null ? [] : [shippingMethodId];
  const canonical = JSON.stringify([email, address, expectedTotalMinor?.toString() ?? null, ...method]);
  return createHash('sha256').update(canonical).digest();
}

/** Reasons that a code had not when it was entered. The shopper counted on the discount, and so must decide. */
const LIMITS: ReadonlySet<string> = new Set(['USED_UP', 'USED_BY_CUSTOMER', 'BUDGET_USED_UP']);

/**
 * Refuses a cart that cannot be bought as it is: its shipping is not settled, or a code does not bring what it brought before.
 * @throws Refusal
 */
function assertBuyable({ shippingState, codes }: Quote): void {
  if (shippingState === 'ADDRESS_REQUIRED') {
    refuse('SHIPPING_ADDRESS_REQUIRED', 'A shipping address is required.', ['shippingAddress']);
  }
  if (shippingState === 'METHOD_REQUIRED') {
    refuse('SHIPPING_METHOD_REQUIRED', 'A shipping method is required.', ['shippingMethodId']);
  }
  if (shippingState === 'UNAVAILABLE') {
    const message = 'No shipping method is available for this cart and address, or the chosen one no longer is.';
    refuse('SHIPPING_METHOD_UNAVAILABLE', message, ['shippingMethodId']);
  }
  const used = codes.find(({ reason }) => reason !== null && LIMITS.has(reason));
  if (used !== undefined) {
    const message = `The discount code ${used.code} has been used up. Remove it to check out without it.`;
    refuse('DISCOUNT_LIMIT_REACHED', message);
  }
}

/**
 * Compares what a cart costs with what the shopper agreed to.
 * @param expectedMinor null: whatever it comes to
 * @throws Refusal: TOTAL_CHANGED
 */
function assertTotal(quote: Quote, expectedMinor: bigint | null, currency: string): void {
  if (expectedMinor === null || expectedMinor === quote.totalMinor) return;
  throw new Refusal(new TotalChangedError({ minor: expectedMinor, currency }, quote));
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
    const email = request.email ?? cart.email ?? request.accountEmail;
    if (email === undefined) refuseInput('REQUIRED', 'An email address is required.', ['email']);

    const shippingAddress = request.shippingAddress ?? cart.shippingAddress;
    const priced = {
      lines: cart.lines,
      userId: cart.userId,
      email,
      discountCodes: cart.discountCodes,
      shippingAddress,
      shippingMethodId: request.shippingMethodId ?? cart.shippingMethodId,
    };
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
    const [now, variants] = await together(inventory.lock(tx, ids), catalog.variantsByIds(ids, tx));
    // Its time ran out while we waited for the locks. Run again: then it is seen as expired from the start.
    if (cart.expiresAt === null || cart.expiresAt <= now) throw new RetryTransaction();

    if (!takesUnpaid && pricing.quote.totalMinor > 0n) {
      refuse('PAYMENT_REQUIRED', 'The order must be paid for when it is placed: use paymentStart.');
    }
    const { quote } = pricing;
    const { idempotencyKey } = request;
    const requestHash = hashOf(request);
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

  return {
    prepare,
    checkout: (owner, request) => db.transaction((tx) => place(tx, owner, request)),
    checkoutRenewing: (guest, request) => db.transaction((tx) => placeRenewing(tx, guest, request)),
  };
}
