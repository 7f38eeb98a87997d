import { isDeepStrictEqual } from 'node:util';
import type { CartConfig } from '../../config/config.ts';
import type { NewEvent } from '../../events/event.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import type { GuestService } from '../accounts/guest.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { Address } from '../addresses/address.types.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { GenericError, LimitExceededError, Refusal, refuse, type InputPath, type UserError } from '../user-error.ts';
import { createBatch, type Batch } from './cart-batch.ts';
import { createCartCommands, keepingLines } from './cart.commands.ts';
import type { CartOwner } from './cart-owner.ts';
import { dueAt, type CartDue } from './cart.due.ts';
import { changeOf } from './cart.events.ts';
import { createCartExpiry, type Released } from './cart.expiry.ts';
import { lockAllForCheckout, markCheckedOut, type CheckoutLocks } from './cart-checkout.repository.ts';
import * as repository from './cart.repository.ts';
import type { Cart, LockedCart } from './cart.repository.ts';
import { holdUntil } from './cart.rules.ts';
import type { CartResult, Done, Shopper } from './cart.types.ts';
import { findNextDeadline } from './expiry.repository.ts';
import { createLineCommands, type LineCommands } from './line-commands.ts';
import { createMerge, type Joining } from './merge.ts';
import { wasMergedRecently } from './merge.repository.ts';
import { createNetworkShares, type Networks } from './network-share.ts';
import { createReclaim } from './reclaim.ts';

export { isOwnedBy, ownerIdOf, type CartOwner } from './cart-owner.ts';
export type { CartDue } from './cart.due.ts';
export type { Released } from './cart.expiry.ts';
export type { CheckoutLocks } from './cart-checkout.repository.ts';
export type { Cart, CartLine, CartStatus, LockedCart } from './cart.repository.ts';
export type { LineUpdate, Wanted } from './cart.rules.ts';
export type { CartResult, Shopper } from './cart.types.ts';

/**
 * The use cases of carts. Where units are held, `networks` says from where the shopper comes: a network may hold a share of what
 * is scarce. Refusals are thrown as `Refusal`, and nothing has changed then.
 */
export interface CartService extends LineCommands {
  /** The most units of one variant that a cart may have. */
  readonly maxUnitsPerVariant: number;
  /** The live cart, or the last one where it has expired; null where there is none. */
  find(owner: CartOwner): Promise<Cart | null>;
  /** Carts by ID. The caller checks who may see them. */
  byIds(ids: readonly string[]): Promise<Cart[]>;
  /** The ids of all carts of an owner, past ones included. */
  idsOf(owner: CartOwner): Promise<string[]>;
  /** Whether a cart was joined to another one within the last minute. */
  wasMergedRecently(cartId: string): Promise<boolean>;
  /** Carts that contain the given lines. The caller checks who may see them. */
  ofLines(lineIds: readonly string[]): Promise<Cart[]>;
  /** The live cart; an empty one is made where there is none. */
  create(owner: Shopper): Promise<CartResult>;
  /** Takes the holds of an expired cart again, as far as stock allows, at today's prices. */
  reclaim(owner: CartOwner | null, cartId: string, path: InputPath, networks?: Networks): Promise<CartResult>;
  setEmail(owner: CartOwner | null, email: string): Promise<CartResult>;
  /** Replaces the codes. Whether they apply is up to each quote. */
  setDiscountCodes(owner: CartOwner | null, codes: readonly string[]): Promise<CartResult>;
  /** Sets where the goods go; null clears. The chosen method stays; each quote prices it, or finds it unavailable. */
  setShippingAddress(owner: CartOwner | null, address: Address | null): Promise<CartResult>;
  /** Chooses a shipping method; null clears. */
  setShippingMethod(owner: CartOwner | null, methodId: string | null): Promise<CartResult>;
  /**
   * For log-in: the guest's live cart joins the user's, and its expired ones become the user's to reclaim. Run it in
   * `withOverdueReleased`; a second time it finds nothing to do.
   * @returns what did not fit, and went back to stock
   */
  merge(tx: Transaction, joining: Joining): Promise<readonly UserError[]>;
  /** Runs work that may meet carts past their time: they are expired, and the work runs again. */
  withOverdueReleased<T>(work: () => Promise<T>): Promise<T>;
  /**
   * For work in `withOverdueReleased` that finds too few units, under the variants' locks: has it run again where carts past
   * their time hold them.
   * @param shortages the units that are missing, by variant
   */
  checkOverdue(tx: Transaction, shortages: ReadonlyMap<string, number>): Promise<void>;
  /** Expires every overdue cart; safe beside other processes. */
  expireOverdue(signal?: AbortSignal): Promise<Released>;
  /** Registers a listener that is called after commit with what an expiry released. It must neither throw nor block. */
  onReleased(listener: (released: Released) => void): void;
  /** Milliseconds until the next deadline of a live cart before an instant, negative where it is past; null: there is none. */
  nextDeadline(before: Date): Promise<number | null>;
  /** For checkout: the live cart under its lock; refuses where it is expired, empty or not there. */
  lockForCheckout(tx: Transaction, owner: CartOwner): Promise<LockedCart>;
  /**
   * For checkouts of different owners: locks their live carts and the variants in them, as far as nobody else has the carts.
   * Sent in one go; call it after the locks of owners, and before all others.
   */
  lockAllForCheckout(tx: Transaction, owners: readonly CartOwner[]): Promise<CheckoutLocks>;
  /** For checkout: the event that says that a cart became an order. `markCheckedOut` writes that change. */
  checkedOut(cart: LockedCart): NewEvent;
  /**
   * For checkout: the holds of carts have become orders. The caller has the locks of the carts.
   * @param options.commits whether this is the last statement of the transaction
   */
  markCheckedOut(
    tx: Transaction,
    at: Date,
    carts: readonly LockedCart[],
    options?: { commits: boolean },
  ): Promise<void>;
  /** Locks a cart by its ID, in whatever state it is; null if there is none. Call it before all locks but those of owners. */
  lockById(tx: Transaction, cartId: string): Promise<LockedCart | null>;
  /**
   * Pins a cart for a payment: until the payment ends it cannot be edited, and keeps its units, at most until the given time.
   * @throws Refusal: LIMIT_EXCEEDED if payments have pinned it three times
   */
  pin(tx: Transaction, at: Date, cart: LockedCart, pin: { paymentId: string; until: Date }): Promise<void>;
  /** Ends the pin of a cart, which holds its units as if it had just been changed. */
  unpin(tx: Transaction, at: Date, cart: LockedCart): Promise<void>;
  /** Expires a pinned cart, whose units return to stock. The caller has no lock of variants yet. */
  release(tx: Transaction, cart: LockedCart): Promise<void>;
}

export interface CartDependencies {
  db: Database;
  catalog: CatalogService;
  inventory: InventoryService;
  guests: GuestService;
  eventLog: EventLog;
  config: CartConfig;
  /** The first signs. */
  secrets: readonly string[];
  /** Called after the commit with each deadline that was set. Must not throw or block. */
  onDue: (due: CartDue) => void;
  logger: Pick<Logger, 'error' | 'warn'>;
  /** For tests: in place of the real one. */
  batch?: Batch | undefined;
}

const EMPTY = 'The cart is empty.';

/** Maximum number of payments for one hold, so that units cannot be held forever without being paid. */
const MAX_PINS = 3;

/** Wires the carts. */
export function createCartService(deps: CartDependencies): CartService {
  const { db, guests, eventLog } = deps;
  const listeners = new Set<(released: Released) => void>();
  const expiry = createCartExpiry({
    ...deps,
    onReleased(released) {
      for (const listener of listeners) listener(released);
    },
  });
  const shares = createNetworkShares({ percent: deps.config.networkSharePercent, secrets: deps.secrets });
  const commands = createCartCommands({ ...deps, shares });
  const reclaim = createReclaim({ commands, eventLog });

  async function run(command: (tx: Transaction) => Promise<Done>): Promise<CartResult> {
    const { cartId, guest = null, notices = [] } = await expiry.withOverdueReleased(() => db.transaction(command));
    const [cart] = await repository.findCarts(db, [cartId]);
    if (cart === undefined) throw new Error(`cart ${cartId} is gone right after its commit`);
    return { cart, guest, notices };
  }

  /** The owner's live cart under its lock; owner and cart are made where there are none. */
  async function open(tx: Transaction, owner: Shopper): Promise<{ cart: LockedCart; guest: CartResult['guest'] }> {
    if (owner !== null && !('visitor' in owner)) return { cart: await commands.open(tx, owner), guest: null };
    const guest = owner === null ? await guests.create(tx) : owner.visitor;
    if (owner !== null) await guests.enlist(tx, guest);
    return { cart: await commands.open(tx, { guestId: guest.id }), guest };
  }

  /** Sets what is no line. The hold lasts no longer by it, and what is set already changes nothing. */
  function set(
    owner: CartOwner | null,
    kind: 'EMAIL' | 'DISCOUNT_CODES' | 'SHIPPING',
    values: Partial<Pick<Cart, 'email' | 'discountCodes' | 'shippingAddress' | 'shippingMethodId'>>,
  ): Promise<CartResult> {
    return run(async (tx) => {
      const cart = await commands.lockLive(tx, named(owner));
      const changed = { ...cart, ...values };
      if (!isDeepStrictEqual(changed, cart)) {
        const at = await readClock(tx);
        await repository.writeCart(tx, at, keepingLines(changed));
        await eventLog.append(tx, at, [changeOf(cart, kind)]);
      }
      return { cartId: cart.id };
    });
  }

  function named(owner: CartOwner | null): CartOwner {
    return owner ?? refuse('NOT_FOUND', 'You have no cart.');
  }

  const { logger } = deps;
  const batch = deps.batch ?? createBatch({ ...deps, shares });
  const lines = createLineCommands({ batch, run, open, commands, named, logger });

  return {
    maxUnitsPerVariant: deps.config.maxUnitsPerVariant,
    expireOverdue: expiry.expireOverdue,
    nextDeadline: (before) => findNextDeadline(db, before),
    withOverdueReleased: expiry.withOverdueReleased,
    onReleased: (listener) => void listeners.add(listener),
    checkOverdue: commands.checkOverdue,
    merge: createMerge({ ...deps, commands }),
    byIds: (ids) => repository.findCarts(db, ids),
    idsOf: (owner) => repository.findCartIds(db, owner),
    wasMergedRecently: (cartId) => wasMergedRecently(db, cartId),
    ofLines: (lineIds) => repository.findCartsOfLines(db, lineIds),

    async find(owner) {
      const cart = await repository.findLatestCart(db, owner);
      return cart !== null && (cart.status === 'ACTIVE' || cart.status === 'EXPIRED') ? cart : null;
    },

    create: (owner) =>
      run(async (tx) => {
        const { cart, guest } = await open(tx, owner);
        return { cartId: cart.id, guest };
      }),

    ...lines,

    async reclaim(shopper, cartId, path, networks = []) {
      const owner = named(shopper);
      return run((tx) => reclaim(tx, { owner, cartId, path, networks }));
    },

    setEmail: (owner, email) => set(owner, 'EMAIL', { email }),
    setDiscountCodes: (owner, discountCodes) => set(owner, 'DISCOUNT_CODES', { discountCodes: [...discountCodes] }),
    setShippingAddress: (owner, shippingAddress) => set(owner, 'SHIPPING', { shippingAddress }),
    setShippingMethod: (owner, shippingMethodId) => set(owner, 'SHIPPING', { shippingMethodId }),

    async lockForCheckout(tx, owner) {
      const cart = await commands.lockLive(tx, owner).catch((error: unknown) => {
        const none = error instanceof Refusal && error.errors.every((fault) => fault.code === 'NOT_FOUND');
        throw none ? new Refusal(new GenericError('CART_EMPTY', EMPTY)) : error;
      });
      return cart.lines.length > 0 ? cart : refuse('CART_EMPTY', EMPTY);
    },

    lockAllForCheckout,
    checkedOut: (cart) => changeOf(cart, 'CHECKED_OUT'),
    markCheckedOut: (tx, at, carts, { commits } = { commits: false }) =>
      markCheckedOut(
        tx,
        at,
        carts.map(({ id }) => id),
        commits,
      ),

    async lockById(tx, cartId) {
      await repository.lockCarts(tx, [cartId]);
      const [cart] = await repository.findCarts(tx, [cartId]);
      return cart ?? null;
    },

    async pin(tx, at, cart, { paymentId, until }) {
      if (cart.pins >= MAX_PINS) {
        const message = `Payments for this cart were started ${MAX_PINS} times. Empty it, or wait until it expires, and add the items again.`;
        throw new Refusal(new LimitExceededError({ message, path: null, limit: MAX_PINS, requested: cart.pins + 1 }));
      }
      await repository.pinCart(tx, at, { cartId: cart.id, paymentId, until });
      await eventLog.append(tx, at, [changeOf(cart, 'PAYMENT')]);
      tx.afterCommit(() => deps.onDue(dueAt(until, at)));
    },

    async unpin(tx, at, cart) {
      const expiresAt = holdUntil(at, cart.holdStartedAt ?? at, deps.config);
      await repository.unpinCart(tx, at, cart.id, expiresAt);
      await eventLog.append(tx, at, [changeOf(cart, 'PAYMENT')]);
      tx.afterCommit(() => deps.onDue(dueAt(expiresAt, at)));
    },

    async release(tx, cart) {
      await expiry.expireLocked(tx, [cart.id]);
    },
  };
}
