import { createTurnstile } from '../../infra/limits/turnstile.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import type { CartOwner } from './cart-owner.ts';
import type { Cart, CartService } from './cart.service.ts';

/** A change of a cart's total that has its cause outside the cart. */
export interface TotalsChange {
  cartId: string;
  guestId: string | null;
  userId: string | null;
  kind: 'TOTALS';
  version: number;
  shownCartId: string;
  isGranted: false;
}

/** Follows the total of the cart that one subscriber watches. */
export interface TotalsWatch {
  /** The owner changed the cart, which the subscriber hears of anyway. */
  afterOwnChange(): void;
  /** Another device of the owner follows the total from here: nobody knows what it was shown last. */
  forget(): void;
  /** The terms of prices changed. @returns the change of the total; null: what is to be paid stays as it is */
  afterNewTerms(): Promise<TotalsChange | null>;
}

/** Carts that are priced at a time in a process: when terms change, all watched carts are due at once, and shoppers go first. */
const turnstile = createTurnstile({ room: 2, withinMs: 10 * 60_000 });

/**
 * Begins to follow the live cart of an owner. Await it before the events are subscribed to: a look after that could see terms
 * whose event is still to come, and take them for those that the subscriber knows.
 *
 * Where nobody knows what the subscriber was shown last, the next terms are passed on whether or not they make a difference. It is
 * so for a subscriber who comes back, and after each change of the cart: one event too many does no harm, one too few would.
 */
export async function createTotalsWatch(
  services: Services,
  owner: CartOwner,
  { isResumed }: { isResumed: boolean },
): Promise<TotalsWatch> {
  const watch = new OwnersWatch(services, owner);
  if (!isResumed) await watch.begin();
  return watch;
}

interface Services {
  cart: Pick<CartService, 'find'>;
  pricing: Pick<PricingService, 'price'>;
}

interface Seen {
  cart: Cart | null;
  hash: string | null;
}

const UNKNOWN: Seen = { cart: null, hash: null };
const NOTHING_KNOWN = Promise.resolve(UNKNOWN);

/** As small as it can be: each owner who follows a cart has one. */
class OwnersWatch implements TotalsWatch {
  readonly #services: Services;
  readonly #owner: CartOwner;
  /** What the subscriber was shown last. A look that fails counts as not known. */
  #seen = NOTHING_KNOWN;

  constructor(services: Services, owner: CartOwner) {
    this.#services = services;
    this.#owner = owner;
  }

  async begin(): Promise<void> {
    const seen = await this.#look().catch(() => UNKNOWN);
    // Not the cart itself: it would be kept for as long as the subscription.
    if (seen !== UNKNOWN) this.#seen = Promise.resolve({ cart: null, hash: seen.hash });
  }

  async #look(): Promise<Seen> {
    const { cart: carts, pricing } = this.#services;
    const cart = await carts.find(this.#owner);
    if (cart?.status !== 'ACTIVE' || cart.lines.length === 0) return UNKNOWN;
    const { termsVersion: version, readAt: now } = cart;
    return { cart, hash: (await pricing.price(cart, { version, now })).quote.hash };
  }

  forget(): void {
    this.#seen = NOTHING_KNOWN;
  }

  afterOwnChange(): void {
    this.forget();
  }

  async afterNewTerms(): Promise<TotalsChange | null> {
    const before = this.#seen;
    const now = before.then(() => turnstile.pass(() => this.#look()));
    this.#seen = now.then(
      (seen) => ({ cart: null, hash: seen.hash }),
      () => UNKNOWN,
    );
    const [{ hash: hashBefore }, { cart, hash }] = await Promise.all([before, now]);
    if (cart === null || hash === hashBefore) return null;
    const { id, guestId, userId, version } = cart;
    return { cartId: id, guestId, userId, kind: 'TOTALS', version, shownCartId: id, isGranted: false };
  }
}
