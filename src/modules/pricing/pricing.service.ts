import type { PricingConfig } from '../../config/config.ts';
import { RetryTransaction, type Database, type Queryable, type Transaction } from '../../infra/postgres/database.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { Address } from '../addresses/address.types.ts';
import { zoneOf } from '../shipping/zone.types.ts';
import { normalizeCode } from '../promotions/code.ts';
import * as customers from './customer.repository.ts';
import { createPricedVariants } from './priced-variants.ts';
import { termsChanged } from './pricing.events.ts';
import { asksForCustomer, isLimited, isOpen, toTerms, type Buyer } from './promotion-terms.ts';
import { quote } from './quote.ts';
import type { Quote, QuoteCodeInput, QuoteInput } from './quote.types.ts';
import { taxTerms } from './tax-terms.ts';
import * as repository from './terms.repository.ts';
import type { PricingTerms, PromotionRow } from './terms.repository.ts';
import { countOrders, lockUncountedOrders } from './uses.repository.ts';
import { announceWindows } from './windows.ts';

export type { Quote, QuotedLine } from './quote.types.ts';
export type { PromotionRow } from './terms.repository.ts';

/** A cart as prices look at it. */
export interface PricedCart {
  lines: readonly { id: string; variantId: string; quantity: number; unitPriceMinor: number }[];
  /** Null: a guest. */
  userId: string | null;
  /** The address that a guest gave. */
  email: string | null;
  /** As entered, in that order. */
  discountCodes: readonly string[];
  shippingAddress: Pick<Address, 'countryCode' | 'region' | 'postalCode'> | null;
  shippingMethodId: string | null;
}

/** The terms that were in force when a cart was read. */
export interface Seen {
  version: bigint;
  /** By the database's clock. */
  now: Date;
}

/** A quote, and what an order must record of it. */
export interface Pricing {
  quote: Quote;
  /** Promotions with limits that took something off, in the order of their ids. */
  uses: customers.PromotionUse[];
}

/** The use cases of prices. All amounts that the shop shows or charges come from here. */
export interface PricingService {
  /**
   * What a cart costs.
   * @param seen the version of the terms and the time when the cart was read; left out, they are looked up
   */
  price(cart: PricedCart, seen?: Seen): Promise<Pricing>;
  /**
   * What a cart costs, in the transaction that places the order: locks the promotions whose limits it uses, so that they hold.
   * Call it after the locks of carts, and before those of variants.
   * @param seen as read under the lock of the cart; left out, it is looked up
   */
  priceForOrder(tx: Transaction, cart: PricedCart, seen?: Seen): Promise<Pricing>;
  /**
   * Like `priceForOrder` for one of many orders that share a transaction, which has not changed any terms. Locks nothing.
   * @returns null if what the cart costs depends on other orders (limits of promotions, first orders): use `priceForOrder` then
   */
  priceWithoutLimits(tx: Transaction, cart: PricedCart, seen: Seen): Promise<Quote | null>;
  /**
   * Counts the uses of an order, or reserves them for a payment that will place one, under the locks that `priceForOrder`
   * took.
   */
  recordUses(tx: Transaction, at: Date, uses: CustomersUses): Promise<void>;
  /**
   * Makes what a payment has reserved the uses of the order that it paid for, under the locks of `lockUses`. Those that the payment gave
   * back when it failed are counted again, unless they have been used up meanwhile.
   */
  takeOverUses(tx: Transaction, at: Date, of: { paymentId: string; orderId: string }): Promise<void>;
  /** Locks the promotions that an order uses, or a payment has reserved: after orders, before variants. */
  lockUses(tx: Transaction, subject: customers.UseSubject): Promise<void>;
  /** Gives the uses of a cancelled order back, or those of a payment that failed, once, under the locks of `lockUses`. */
  returnUses(tx: Transaction, at: Date, subject: customers.UseSubject): Promise<void>;
  /** Locks the orders that a promotion without limits was applied to: before the lock of the promotion. @returns their ids */
  lockUncountedOrders(tx: Transaction, promotionId: string): Promise<string[]>;
  /** Counts those orders as uses, under the promotion's lock, before it gets a limit. @returns the counters with all uses */
  countOrders(
    tx: Transaction,
    promotionId: string,
    orderIds: readonly string[],
  ): Promise<{ used: number; spentMinor: bigint }>;
  /**
   * What a cart would cost with one promotion more, whatever the window of that promotion. Stores nothing.
   * @param promotion one that is stored nowhere; the quote lists it among the codes, with the reason if it does not apply
   */
  preview(cart: PricedCart, promotion: PromotionRow): Promise<Quote>;
  /** How many of the codes no promotion has. */
  countUnknownCodes(codes: readonly string[]): Promise<number>;
  /** Announces promotions that began or ended, and tax rates that came into force. @returns whether there were any */
  announceWindows(): Promise<boolean>;
}

/** Promotions that somebody uses. */
export interface CustomersUses {
  subject: customers.UseSubject;
  userId: string | null;
  email: string;
  uses: readonly customers.PromotionUse[];
}

export interface PricingDependencies {
  db: Database;
  eventLog: EventLog;
  config: PricingConfig;
  shop: { currency: string };
}

/** Wires the prices. */
export function createPricingService({ db, eventLog, config, shop }: PricingDependencies): PricingService {
  let kept: PricingTerms | null = null;
  const pricedVariants = createPricedVariants(db);

  /** The terms of the present, and the time. Read again only if their version has changed. */
  async function current(source: Queryable, keeps: boolean, seen?: Seen): Promise<{ terms: PricingTerms; now: Date }> {
    const { version, now } = seen ?? (await repository.findVersion(source));
    if (kept?.version === version) return { terms: kept, now };
    const terms = await repository.findTerms(source);
    // A transaction may have read what it changed itself, which is nobody else's business until its commit.
    if (keeps) kept = terms;
    return { terms, now };
  }

  async function promotionsOf(
    source: Queryable,
    terms: PricingTerms,
    entered: readonly string[],
    now: Date,
  ): Promise<{ rows: PromotionRow[]; codes: QuoteCodeInput[] }> {
    const automatic = terms.promotions.filter((row) => isOpen(row, now));
    if (entered.length === 0) return { rows: automatic, codes: [] };
    const normalized = entered.map((code) => normalizeCode(code));
    const found = await repository.findPromotionsByCodes(source, [
      ...new Set(normalized.filter((code) => code !== null)),
    ]);
    const codes = entered.map((code, index) => ({
      code,
      promotionId: found.get(normalized[index] ?? '')?.id ?? null,
    }));
    const byId = new Map([...found.values()].map((row) => [row.id, row]));
    return { rows: [...automatic, ...byId.values()], codes };
  }

  async function price(
    source: Queryable,
    cart: PricedCart,
    seen?: Seen,
    added?: PromotionRow,
    keeps = source === db,
  ): Promise<Pricing & { limitedIds: string[]; asksForHistory: boolean }> {
    const { terms, now } = await current(source, keeps, seen);
    const { rows, codes } = await promotionsOf(source, terms, cart.discountCodes, now);
    if (added !== undefined) {
      rows.push({ ...added, startsAt: now.getTime(), endsAt: null });
      codes.push({ code: added.title, promotionId: added.id });
    }
    const limited = rows.filter(isLimited);
    const hasTaxes = terms.zones.some(({ taxRates }) => taxRates.length > 0);
    const matters = rows.some(asksForCustomer) || (hasTaxes && cart.userId !== null);
    const isKnown = cart.userId !== null || cart.email !== null;
    const asksForHistory = rows.some(({ firstOrderOnly }) => firstOrderOnly);
    const customer = matters && isKnown ? await customers.findCustomer(source, cart, asksForHistory) : null;
    const usage =
      limited.length === 0
        ? new Map<string, customers.UsageRow>()
        : await customers.findUsage(
            source,
            limited.map(({ id }) => id),
            customer?.keys ?? [],
          );
    const buyer: Buyer = { userId: cart.userId, customer };
    const isPlain = rows.length === 0 && terms.zones.length === 0;
    const variants =
      isPlain || cart.lines.length === 0
        ? null
        : await pricedVariants(source, [...new Set(cart.lines.map(({ variantId }) => variantId))]);
    const zone = cart.shippingAddress === null ? undefined : zoneOf(terms.zones, cart.shippingAddress);
    const hasMethods = terms.zones.some(({ methods }) => methods.length > 0);
    const input: QuoteInput = {
      currency: shop.currency,
      lines: cart.lines.map(({ id, variantId, quantity, unitPriceMinor }) => {
        const variant = variants?.get(variantId);
        return {
          id,
          variantId,
          quantity,
          unitPriceMinor,
          productId: variant?.productId ?? '',
          categoryId: variant?.categoryId ?? null,
          tags: variant?.tags ?? [],
          taxCategoryId: variant?.taxCategoryId ?? null,
          weightGrams: variant?.weightGrams ?? null,
          requiresShipping: variant?.requiresShipping ?? true,
        };
      }),
      promotions: rows.map((row) => toTerms(row, now, buyer, usage.get(row.id))),
      codes,
      shipping: hasMethods
        ? {
            countryCode: cart.shippingAddress?.countryCode ?? null,
            methods: (zone?.methods ?? []).map((method) => ({
              id: method.id,
              title: method.title,
              taxCategoryId: method.taxCategoryId,
              freeFromMinor: method.freeFromMinor === null ? null : BigInt(method.freeFromMinor),
              bands: method.bands.map((band) => ({
                basis: band.basis,
                from: BigInt(band.from),
                to: band.to === null ? null : BigInt(band.to),
                priceMinor: BigInt(band.priceMinor),
              })),
            })),
            chosenMethodId: cart.shippingMethodId,
          }
        : null,
      tax: taxTerms(terms, config, { zone, isExempt: customer?.isTaxExempt === true, now }),
    };
    const quoted = quote(input);
    const limitedIds = new Set(limited.map(({ id }) => id));
    const uses = [...quoted.discounts, ...quoted.shippingDiscounts]
      .filter(({ promotionId }) => limitedIds.has(promotionId))
      .map(({ promotionId, code, amountMinor }) => ({ promotionId, code, amountMinor }))
      .toSorted((a, b) => (a.promotionId < b.promotionId ? -1 : 1));
    // A limit that is in the way of a code is locked, too: whether it still is must be known for sure before anybody is refused.
    const inTheWay = quoted.codes.flatMap(({ promotionId }) =>
      promotionId !== null && limitedIds.has(promotionId) ? [promotionId] : [],
    );
    const inUse = [...new Set([...uses.map(({ promotionId }) => promotionId), ...inTheWay])];
    return { quote: quoted, uses, limitedIds: inUse, asksForHistory };
  }

  /** Announces that promotions are used up, or no longer: other carts cost something else now. */
  async function announce(tx: Transaction, at: Date, promotionIds: readonly string[]): Promise<void> {
    if (promotionIds.length === 0) return;
    await repository.lockTerms(tx);
    await eventLog.append(
      tx,
      at,
      promotionIds.map((id) => termsChanged('PROMOTION', id)),
    );
  }

  return {
    price: (cart, seen) => price(db, cart, seen),
    preview: async (cart, promotion) => (await price(db, cart, undefined, promotion)).quote,

    async priceForOrder(tx, cart, seen) {
      const first = await price(tx, cart, seen);
      if (first.limitedIds.length === 0) return first;
      await customers.lockPromotions(tx, first.limitedIds);
      const second = await price(tx, cart);
      // Another promotion took the place of one that was used up meanwhile. Run again: then it is locked from the start.
      if (second.uses.some(({ promotionId }) => !first.limitedIds.includes(promotionId))) throw new RetryTransaction();
      return second;
    },

    async priceWithoutLimits(tx, cart, seen) {
      const { quote: quoted, limitedIds, asksForHistory } = await price(tx, cart, seen, undefined, true);
      return limitedIds.length === 0 && !asksForHistory ? quoted : null;
    },

    async recordUses(tx, at, { subject, userId, email, uses }) {
      if (uses.length === 0) return;
      const customer = userId ?? email.toLowerCase();
      await announce(tx, at, await customers.insertUses(tx, at, { subject, customer, uses }));
    },

    takeOverUses: async (tx, at, { paymentId, orderId }) =>
      announce(tx, at, await customers.takeOverUses(tx, paymentId, orderId)),

    async lockUses(tx, subject) {
      const promotionIds = await customers.findUsesOf(tx, subject);
      if (promotionIds.length > 0) await customers.lockPromotions(tx, promotionIds);
    },

    lockUncountedOrders,
    countOrders,

    returnUses: async (tx, at, subject) => announce(tx, at, await customers.returnUses(tx, at, subject)),

    async countUnknownCodes(codes) {
      const normalized = codes.map((code) => normalizeCode(code));
      const known = await repository.findPromotionsByCodes(
        db,
        normalized.filter((code) => code !== null),
      );
      return normalized.filter((code) => code === null || !known.has(code)).length;
    },

    announceWindows: () => announceWindows(db, eventLog),
  };
}
