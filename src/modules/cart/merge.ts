import { v7 as uuid } from 'uuid';
import type { CartConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { RetryTransaction, type Transaction } from '../../infra/postgres/database.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import type { UserError } from '../user-error.ts';
import type { CartCommands } from './cart.commands.ts';
import { dueAt, type CartDue } from './cart.due.ts';
import { changeOf } from './cart.events.ts';
import { CartsOverdue } from './cart.expiry.ts';
import * as repository from './cart.repository.ts';
import type { LockedCart } from './cart.repository.ts';
import { holdUntil, MAX_DISCOUNT_CODES } from './cart.rules.ts';
import {
  findJoining,
  handOverCarts,
  isAnyAside,
  makeCartLive,
  markCartMerged,
  setCartAside,
  type JoiningRole,
} from './merge.repository.ts';
import { planMerge } from './merge.rules.ts';

/*
 * A hold that moves from one cart to another moves no stock: the variant's `held` stays as it is, so there is nothing for
 * the ledger to say and no event of a level that never was. (A RELEASE and a HOLD would tell the world of units that
 * nobody could have.) `carts.merged_into_id` keeps where the ledger's entries of the one went on.
 */

/*
 * A cart in payment cannot change, and a user has one live cart. If a payment for the guest's or the user's is in progress, the cart in
 * payment is the user's live one, so that the shopper sees what is being paid and owns the order. The other cart is set aside: it is the
 * user's, keeps its units and its deadline, and becomes or joins the live cart once the payment has ended.
 */

/** Whose cart joins whose. */
export interface Joining {
  guestId: string;
  userId: string;
  /** Runs once the carts are locked, and before variants are: there stand the locks of orders. */
  whenCartsAreLocked?: () => Promise<unknown>;
}

/** The use cases that bring the carts of one shopper together. A second time they find nothing to do. */
export interface Merge {
  /**
   * For log-in: the guest's live cart joins the user's, and carts of the guest's that have expired become the user's, who may reclaim them.
   * @returns what did not fit the limits, and went back to stock
   * @throws CartsOverdue where one of the carts is past its time; expire it and run again
   */
  merge(tx: Transaction, joining: Joining): Promise<readonly UserError[]>;
  /**
   * Has carts that were set aside become or join the user's live cart, as far as payments allow. If one of them is past its time, nothing
   * changes: this is called again once that cart has expired.
   * @returns whether anything changed
   */
  joinAside(tx: Transaction, userId: string): Promise<boolean>;
}

/** Makes them. */
export function createMerge(deps: {
  commands: CartCommands;
  catalog: CatalogService;
  inventory: InventoryService;
  eventLog: EventLog;
  config: CartConfig;
  onDue: (due: CartDue) => void;
}): Merge {
  const { commands, catalog, inventory, eventLog, config, onDue } = deps;

  /** All carts that it is about, under their locks, which are taken by id in one statement, and what each is to the user. */
  async function lockAll(
    tx: Transaction,
    guestId: string | null,
    userId: string,
  ): Promise<{ carts: LockedCart[]; roles: ReadonlyMap<string, JoiningRole> }> {
    // Under these no cart of either can become live: what is found next is all there is.
    await repository.lockOwner(tx, { userId });
    if (guestId !== null) await repository.lockOwner(tx, { guestId });
    const roles = await findJoining(tx, guestId, userId);
    const ids = [...roles.keys()];
    if (ids.length === 0) return { carts: [], roles };
    await repository.lockCarts(tx, ids);
    return { carts: await repository.findCarts(tx, ids), roles };
  }

  const isOverdue = (cart: LockedCart) => cart.holds && cart.status === 'EXPIRED';

  /** Brings live carts together, those in payment first. */
  async function settle(
    tx: Transaction,
    userId: string,
    { carts, roles }: { carts: readonly LockedCart[]; roles: ReadonlyMap<string, JoiningRole> },
  ): Promise<{ notices: readonly UserError[]; hasChanged: boolean }> {
    const active = carts.filter(({ status }) => status === 'ACTIVE');
    const waiting = active.filter(({ id }) => roles.get(id) !== 'LIVE');
    const notices: UserError[] = [];
    let live = active.find(({ id }) => roles.get(id) === 'LIVE') ?? null;
    let hasChanged = false;
    for (const cart of waiting.toSorted((one, other) => Number(isPaying(other)) - Number(isPaying(one)))) {
      const isAside = roles.get(cart.id) === 'ASIDE';
      if (live === null ? isPaying(cart) || isAside : isPaying(cart) && !isPaying(live)) {
        if (live !== null) await leave(tx, live, cart, userId);
        live = await makeLive(tx, cart, userId);
      } else if (live !== null && isPaying(live) && cart.lines.length > 0) {
        if (isAside) continue;
        await setCartAside(tx, cart.id, userId);
      } else {
        const joined = await join(tx, cart, live, userId);
        notices.push(...joined.notices);
        live = joined.into === null ? null : await commands.read(tx, joined.into);
      }
      hasChanged = true;
    }
    return { notices, hasChanged };
  }

  /** Makes room for a cart in payment. An empty cart is no more. */
  async function leave(tx: Transaction, live: LockedCart, paying: LockedCart, userId: string): Promise<void> {
    if (live.lines.length > 0) await setCartAside(tx, live.id, userId);
    else await join(tx, live, paying, userId);
  }

  async function makeLive(tx: Transaction, cart: LockedCart, userId: string): Promise<LockedCart> {
    const at = await readClock(tx);
    await makeCartLive(tx, cart.id, userId, at);
    const owned = { ...cart, guestId: null, userId };
    await eventLog.append(tx, at, [changeOf(owned, isPaying(cart) ? 'PAYMENT' : 'LINES')]);
    return { ...owned, version: cart.version + 1 };
  }

  async function join(
    tx: Transaction,
    guests: LockedCart,
    users: LockedCart | null,
    userId: string,
  ): Promise<{ notices: readonly UserError[]; into: string | null }> {
    const variantIds = [...new Set(guests.lines.map((line) => line.variantId))];
    const variants = await catalog.variantsByIds(variantIds, tx);
    const shelf = { variants: new Map(variants.map((variant) => [variant.id, variant])), limits: config };
    const { lines, released, notices } = planMerge(users?.lines ?? [], guests.lines, shelf);
    // What moves stays held, and is of no concern to the counters: only what goes back to stock is locked.
    const now = await inventory.lock(tx, released.keys());
    // Its time ran out while we waited for the locks. Run again: then it is seen as expired from the start.
    if ([guests, users].some((cart) => cart?.expiresAt != null && cart.expiresAt <= now)) throw new RetryTransaction();

    const moves = lines.added.length + lines.changed.length > 0;
    const target = moves ? (users ?? (await begin(tx, userId))) : null;
    await markCartMerged(tx, guests.id, target?.id ?? null, now);
    if (target !== null) {
      const since = earlier(guests.holdStartedAt, target.holdStartedAt) ?? now;
      const expiresAt = holdUntil(now, since, config);
      await repository.writeCart(tx, now, {
        ...target,
        discountCodes: [...new Set([...target.discountCodes, ...guests.discountCodes])].slice(0, MAX_DISCOUNT_CODES),
        shippingAddress: target.shippingAddress ?? guests.shippingAddress,
        shippingMethodId: target.shippingMethodId ?? guests.shippingMethodId,
        holdStartedAt: since,
        expiresAt,
        pins: Math.max(target.pins, guests.pins),
        lines,
      });
      tx.afterCommit(() => onDue(dueAt(expiresAt, now)));
    }
    await inventory.apply(
      tx,
      now,
      [...released].map(([variantId, units]) => ({
        variantId,
        reason: 'RELEASE',
        heldDelta: -units,
        cartId: guests.id,
      })),
    );
    const into = target ?? users;
    await eventLog.append(tx, now, [
      changeOf(guests, 'MERGED', into === null ? {} : { intoCartId: into.id }),
      ...(target === null ? [] : [changeOf(target, 'LINES')]),
    ]);
    return { notices, into: into?.id ?? null };
  }

  /** An empty cart of the user's. Nobody else can have made one meanwhile: we have the user's lock. */
  async function begin(tx: Transaction, userId: string): Promise<LockedCart> {
    const id = uuid();
    if (!(await repository.insertCart(tx, id, { userId }))) throw new RetryTransaction();
    return commands.read(tx, id);
  }

  return {
    async merge(tx, { guestId, userId, whenCartsAreLocked }) {
      const { carts, roles } = await lockAll(tx, guestId, userId);
      const overdue = carts.filter(isOverdue);
      if (overdue.length > 0) throw new CartsOverdue(overdue.map((cart) => cart.id));
      await whenCartsAreLocked?.();
      const expired = carts.filter(({ id, status }) => status === 'EXPIRED' && roles.get(id) === 'GUEST');
      if (expired.length > 0) {
        await handOverCarts(
          tx,
          expired.map((cart) => cart.id),
          userId,
        );
      }
      return (await settle(tx, userId, { carts, roles })).notices;
    },

    async joinAside(tx, userId) {
      if (!(await isAnyAside(tx, userId))) return false;
      const { carts, roles } = await lockAll(tx, null, userId);
      if (carts.some(isOverdue)) return false;
      return (await settle(tx, userId, { carts, roles })).hasChanged;
    },
  };
}

function isPaying(cart: LockedCart): boolean {
  return cart.paymentId !== null;
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
