import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { PaymentsConfig } from '../../config/config.ts';
import { originMatcher } from '../../config/origins.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { RetryTransaction, type Database, type Transaction } from '../../infra/postgres/database.ts';
import type { GuestService, Renewed, RenewingGuest } from '../accounts/guest.service.ts';
import type { CartOwner, CartService } from '../cart/cart.service.ts';
import { refuseInput } from '../invalid-input.ts';
import { hashOfCheckout, type CheckoutRequest, type OrderService } from '../orders/order.service.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import { insertOperation } from './operation.repository.ts';
import { paymentChanged } from './payment.events.ts';
import { findPaymentByKey, insertPayment } from './payment.repository.ts';
import type { PaymentProvider } from './providers/provider.types.ts';

/** What `paymentStart` asks for. */
export interface PaymentRequest {
  provider: string;
  /** The idempotency key is the payment's. */
  checkout: CheckoutRequest;
  /** Where the provider sends the shopper back to; null: the storefront. */
  returnUrl: string | null;
  /** Origin of the shop itself. */
  shopUrl: string;
}

/**
 * FREE: there is nothing to pay, so that the order can be placed at once. The caller has the operation done; what a caller that dies
 * leaves behind, the worker finds.
 */
export type Started = { paymentId: string; operationId: string | null } | 'FREE';

/** Begins payments. */
export interface PaymentStarting {
  /**
   * Freezes what the owner's cart costs, pins the cart, and writes down that the provider is to begin a payment. The same key and
   * request of the same owner give the same payment.
   * @throws Refusal: whatever is in the way of a checkout; PAYMENT_IN_PROGRESS, PAYMENT_REFUSED, LIMIT_EXCEEDED, IDEMPOTENCY_KEY_REUSED
   */
  start(owner: CartOwner, request: PaymentRequest): Promise<Started>;
  /** Starts a payment of a guest whose token others may know, and gives the guest another token. See `GuestService.renewing`. */
  startRenewing(guest: RenewingGuest, request: PaymentRequest): Promise<Renewed<Started>>;
}

/** After the deadline, the provider is asked to cancel. After these seconds more the units are released whatever it says. */
export const GRACE_SECONDS = 300;

/** Makes it. */
export function createStarting(deps: {
  db: Database;
  cart: CartService;
  guests: Pick<GuestService, 'renewing'>;
  orders: Pick<OrderService, 'prepare'>;
  prices: Pick<PricingService, 'recordUses'>;
  eventLog: EventLog;
  providers: ReadonlyMap<string, PaymentProvider>;
  config: Pick<PaymentsConfig, 'providers' | 'withinSeconds'>;
  shop: { name: string; storefrontUrl: string | null };
  corsOrigins: readonly string[];
}): PaymentStarting {
  const { db, cart: carts, guests, orders, prices, eventLog, providers, config, shop, corsOrigins } = deps;

  function providerOf(name: string): PaymentProvider {
    const provider = config.providers.some((offered) => offered === name) ? providers.get(name) : undefined;
    return (
      provider ??
      refuse('NOT_FOUND', 'The shop does not offer this payment provider. See paymentProviders.', ['provider'])
    );
  }

  function returnUrlOf({ returnUrl, shopUrl }: PaymentRequest): string {
    const home = shop.storefrontUrl ?? shopUrl;
    if (returnUrl === null) return home;
    const isOurs = originMatcher([shopUrl, new URL(home).origin, ...corsOrigins]);
    if (!URL.canParse(returnUrl) || !isOurs(new URL(returnUrl).origin)) {
      refuseInput('URL_INVALID', 'The return URL must be of the shop, its storefront, or an origin in CORS_ORIGINS.', [
        'returnUrl',
      ]);
    }
    return returnUrl;
  }

  async function findEarlier(tx: Transaction, owner: CartOwner, request: PaymentRequest): Promise<string | null> {
    const earlier = await findPaymentByKey(tx, owner, request.checkout.idempotencyKey);
    if (earlier === null) return null;
    if (earlier.requestHash.equals(hashOf(request))) return earlier.id;
    return refuse('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used before for a different payment.', [
      'idempotencyKey',
    ]);
  }

  async function begin(
    tx: Transaction,
    owner: CartOwner,
    request: PaymentRequest,
    provider: PaymentProvider,
  ): Promise<{ value: Started; at: Date | null }> {
    const { checkout, shopUrl } = request;
    const returnUrl = returnUrlOf(request);
    // Two calls with one key wait for each other at the cart's lock; the key is looked up after it, also where the cart is refused.
    const locked = await carts.lockForCheckout(tx, owner).catch((error: unknown) => {
      if (error instanceof Refusal) return error;
      throw error;
    });
    const earlier = await findEarlier(tx, owner, request);
    if (earlier !== null) return { value: { paymentId: earlier, operationId: null }, at: null };
    if (locked instanceof Refusal) throw locked;

    const { email, shippingAddress, pricing } = await orders.prepare(tx, locked, checkout);
    const { quote } = pricing;
    // The checkout that follows gives the guest another token.
    if (quote.totalMinor === 0n) return { value: 'FREE', at: null };
    if (quote.totalMinor < provider.capabilities.leastMinor) {
      refuse('PAYMENT_REFUSED', `${provider.title} does not take amounts as small as this.`, ['provider']);
    }
    const at = await readClock(tx);
    if (locked.expiresAt === null || locked.expiresAt <= at) throw new RetryTransaction();
    const deadline = new Date(at.getTime() + config.withinSeconds * 1000);
    const lines = locked.lines.map(({ id, variantId, quantity, unitPriceMinor }) => ({
      id,
      variantId,
      quantity,
      unitPriceMinor,
    }));
    const paymentId = uuid();
    await insertPayment(tx, at, {
      ...{ id: paymentId, cartId: locked.id, provider: provider.id, deadline },
      terms: { email, shippingAddress, lines, quote },
      idempotencyKey: checkout.idempotencyKey,
      requestHash: hashOf(request),
    });
    await prices.recordUses(tx, at, { subject: { paymentId }, userId: locked.userId, email, uses: pricing.uses });
    await carts.pin(tx, at, locked, { paymentId, until: new Date(deadline.getTime() + GRACE_SECONDS * 1000) });
    const operationId = uuid();
    await insertOperation(tx, at, {
      ...{ id: operationId, paymentId, kind: 'BEGIN', amountMinor: quote.totalMinor, refundId: null },
      parameters: { email, description: shop.name, returnUrl, shopUrl },
    });
    const { guestId, userId } = locked;
    await eventLog.append(tx, at, [paymentChanged.of(paymentId, { paymentId, guestId, userId, orderId: null })]);
    return { value: { paymentId, operationId }, at };
  }

  return {
    async start(owner, request) {
      const provider = providerOf(request.provider);
      return (await db.transaction((tx) => begin(tx, owner, request, provider))).value;
    },

    async startRenewing(guest, request) {
      const provider = providerOf(request.provider);
      return db.transaction((tx) =>
        guests.renewing<Started>(tx, guest, {
          async findEarlier(guestId) {
            const paymentId = await findEarlier(tx, { guestId }, request);
            return paymentId === null ? null : { paymentId, operationId: null };
          },
          run: (guestId) => begin(tx, { guestId }, request, provider),
        }),
      );
    },
  };
}

/** What is asked for under a key, without the key. */
function hashOf({ provider, checkout, returnUrl }: PaymentRequest): Buffer {
  const canonical = JSON.stringify([provider, returnUrl, hashOfCheckout(checkout).toString('hex')]);
  return createHash('sha256').update(canonical).digest();
}
