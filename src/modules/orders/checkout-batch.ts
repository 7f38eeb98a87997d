import type { Batch, Outcome } from '../../infra/command-batches.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import type { GuestService, NamedGuest, RenewingGuest } from '../accounts/guest.service.ts';
import { ownerIdOf, type CartOwner, type CartService, type LockedCart } from '../cart/cart.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { PricingService, Quote } from '../pricing/pricing.service.ts';
import { Refusal } from '../user-error.ts';
import * as rules from './checkout-rules.ts';
import { findUsedKeys, type OrderRow } from './order.repository.ts';
import type { Placing, Purchase } from './placing.ts';

/** A checkout of one owner. */
export interface CheckoutCommand {
  owner: CartOwner;
  request: rules.CheckoutRequest;
  /** The owner, if the checkout replaces its token. Null: the owner keeps it, or is a user. */
  guest: RenewingGuest | null;
}

/** An order that was placed. */
export interface CheckedOut {
  order: OrderRow;
  /** The guest with the new token, if the checkout replaced it. */
  guest: NamedGuest | null;
}

/** Places orders of different owners in one transaction. */
export type CheckoutBatch = Batch<CheckoutCommand, CheckedOut>;

export interface CheckoutBatchDependencies {
  db: Pick<Database, 'transaction'>;
  catalog: Pick<CatalogService, 'variantsByIds'>;
  cart: Pick<CartService, 'lockAllForCheckout'>;
  guests: Pick<GuestService, 'lockForRenewal' | 'renewLocked'>;
  prices: Pick<PricingService, 'priceWithoutLimits'>;
  placing: Pick<Placing, 'placeAllAndCommit'>;
  takesUnpaid: boolean;
  shop: { currency: string };
}

/** Maximum time that a batch waits for a lock, in milliseconds. Its commands then run one by one, and only some wait. */
const LOCK_TIMEOUT_MS = 1_000;

/** A checkout whose cart is locked and complete. */
interface Ready {
  index: number;
  command: CheckoutCommand;
  cart: LockedCart;
  details: rules.Details;
}

/** The refusal that some work ends with, as an outcome. */
function refusalOf(work: () => void): { refused: Refusal } | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return { refused: error };
    throw error;
  }
}

/**
 * Makes the function that places orders of different owners in one transaction. Each checkout is decided in memory and has a result of its
 * own. A checkout that meets something out of the ordinary changes nothing, and runs alone afterwards: a cart that is missing, empty, over
 * its time or locked by somebody else; a key that was used before; a token that was replaced; a price that depends on other orders.
 */
export function createCheckoutBatch(deps: CheckoutBatchDependencies): CheckoutBatch {
  const { db, catalog, cart: carts, guests, prices, placing, takesUnpaid, shop } = deps;

  /** Locks guests, carts and variants, in the order in which everybody locks, and looks the keys up after that. */
  async function open(tx: Transaction, commands: readonly CheckoutCommand[]) {
    const renewing = commands.flatMap(({ guest }) => (guest === null || guest.former !== null ? [] : [guest]));
    const [renewable, locks, used] = await together(
      guests.lockForRenewal(tx, renewing),
      carts.lockAllForCheckout(
        tx,
        commands.map(({ owner }) => owner),
      ),
      findUsedKeys(
        tx,
        commands.map(({ owner, request }) => ({ owner, key: request.idempotencyKey })),
      ),
    );
    return { renewable, locks, used };
  }

  /** Sorts the checkouts out that can be placed as far as is known before they are priced. */
  function sort(
    commands: readonly CheckoutCommand[],
    { renewable, locks, used }: Awaited<ReturnType<typeof open>>,
  ): { outcomes: Outcome<CheckedOut>[]; ready: Ready[] } {
    const ready: Ready[] = [];
    const outcomes = commands.map((command, index): Outcome<CheckedOut> => {
      const { owner, request, guest } = command;
      const cart = locks.carts.get(ownerIdOf(owner));
      const isRenewable = guest === null || (guest.former === null && renewable.has(guest.id));
      if (cart === undefined || cart.lines.length === 0 || cart.paymentId !== null || used.has(index) || !isRenewable)
        return 'ALONE';
      const refused = refusalOf(() => {
        ready.push({ index, command, cart, details: rules.detailsOf(cart, request) });
      });
      return refused ?? 'ALONE';
    });
    return { outcomes, ready };
  }

  function check(quote: Quote, { command: { request } }: Ready): { refused: Refusal } | null {
    return refusalOf(() => {
      rules.assertBuyable(quote);
      rules.assertTotal(quote, request.expectedTotalMinor, shop.currency);
      rules.assertMayBePlaced(quote, takesUnpaid);
    });
  }

  async function run(tx: Transaction, commands: readonly CheckoutCommand[]): Promise<Outcome<CheckedOut>[]> {
    const opened = await open(tx, commands);
    const { outcomes, ready } = sort(commands, opened);
    if (ready.length === 0) return outcomes;
    const { now, variantIds } = opened.locks;
    const [found, ...quotes] = await together(
      catalog.variantsByIds(variantIds, tx),
      ...ready.map(({ cart, details: { priced } }) =>
        prices.priceWithoutLimits(tx, priced, { version: cart.termsVersion, now: cart.readAt }),
      ),
    );
    const variants = new Map(found.map((variant) => [variant.id, variant]));
    const bought: { checkout: Ready; purchase: Purchase }[] = [];
    for (const [place, checkout] of ready.entries()) {
      const quote = quotes[place] ?? null;
      if (quote === null) continue;
      const refused = check(quote, checkout);
      if (refused !== null) outcomes[checkout.index] = refused;
      else bought.push({ checkout, purchase: purchaseOf(checkout, variants, quote) });
    }
    if (bought.length === 0) return outcomes;

    const renewing = bought.flatMap(({ checkout: { command } }) => command.guest ?? []);
    let renewed: ReadonlyMap<string, NamedGuest> = new Map();
    const orders = await placing.placeAllAndCommit(
      tx,
      now,
      bought.map(({ purchase }) => purchase),
      async () => {
        renewed = new Map((await guests.renewLocked(tx, now, renewing)).map((guest) => [guest.id, guest]));
      },
    );
    for (const [place, { checkout }] of bought.entries()) {
      const { index, command } = checkout;
      const guest = command.guest === null ? null : (renewed.get(command.guest.id) ?? null);
      const order = orders[place];
      if (order !== undefined) outcomes[index] = { done: { order, guest } };
    }
    return outcomes;
  }

  return (commands) => db.transaction((tx) => run(tx, commands), { lockTimeoutMs: LOCK_TIMEOUT_MS });
}

function purchaseOf(
  { command: { request }, cart, details: { email, shippingAddress } }: Ready,
  variants: Required<Purchase>['variants'],
  quote: Quote,
): Purchase {
  const { idempotencyKey } = request;
  const requestHash = rules.hashOf(request);
  return { cart, variants, email, shippingAddress, quote, idempotencyKey, requestHash, units: 'HELD' };
}
