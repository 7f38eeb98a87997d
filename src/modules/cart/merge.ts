import { v7 as uuid } from 'uuid';
import type { CartConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
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
import { findJoining, handOverCarts, markCartMerged } from './merge.repository.ts';
import { planMerge } from './merge.rules.ts';

/*
 * A hold that moves from one cart to another moves no stock: the variant's `held` does not change, so the ledger has no entry of it, and
 * there is no event with a level that never existed. (A RELEASE and a HOLD would announce units that nobody could have.)
 * `carts.merged_into_id` records in which cart the ledger's entries of the merged one continue.
 */

/** Whose cart joins whose. */
export interface Joining {
  guestId: string;
  userId: string;
  /** Runs once the carts are locked, and before variants are: there stand the locks of orders. */
  whenCartsAreLocked?: () => Promise<unknown>;
}

/**
 * Makes the use case of a log-in: the guest's live cart joins the user's, and carts of the guest's that have expired become
 * the user's, who may reclaim them. A second time it finds nothing to do.
 * @returns of the use case: what did not fit the limits, and went back to stock
 * @throws of the use case: CartsOverdue where one of the carts is past its time; expire it and run again
 */
export function createMerge(deps: {
  commands: CartCommands;
  catalog: CatalogService;
  inventory: InventoryService;
  eventLog: EventLog;
  config: CartConfig;
  onDue: (due: CartDue) => void;
}): (tx: Transaction, joining: Joining) => Promise<readonly UserError[]> {
  const { commands, catalog, inventory, eventLog, config, onDue } = deps;

  /** All carts that it is about, under their locks, which are taken by id in one statement. */
  async function lockAll(tx: Transaction, { guestId, userId }: Joining): Promise<LockedCart[]> {
    // Under these no cart of either can become live: what is found next is all there is.
    await repository.lockOwner(tx, { userId });
    await repository.lockOwner(tx, { guestId });
    const ids = await findJoining(tx, guestId, userId);
    if (ids.length === 0) return [];
    await repository.lockCarts(tx, ids);
    return repository.findCarts(tx, ids);
  }

  return async (tx, joining) => {
    const carts = await lockAll(tx, joining);
    const overdue = carts.filter((cart) => cart.holds && cart.status === 'EXPIRED');
    if (overdue.length > 0) throw new CartsOverdue(overdue.map((cart) => cart.id));
    await joining.whenCartsAreLocked?.();

    const ofGuest = carts.filter((cart) => cart.guestId === joining.guestId);
    const expired = ofGuest.filter((cart) => cart.status === 'EXPIRED').map((cart) => cart.id);
    if (expired.length > 0) await handOverCarts(tx, expired, joining.userId);
    const guests = ofGuest.find((cart) => cart.status === 'ACTIVE');
    if (guests === undefined) return [];
    const users = carts.find((cart) => cart.userId === joining.userId && cart.status === 'ACTIVE');
    // A cart in payment keeps its lines. The guest's becomes the user's if there is no other, and stays with the guest otherwise.
    if (guests.paymentId !== null || users?.paymentId != null) {
      if (users === undefined) await handOverCarts(tx, [guests.id], joining.userId);
      return [];
    }
    return join(tx, guests, users ?? null, joining.userId);
  };

  async function join(
    tx: Transaction,
    guests: LockedCart,
    users: LockedCart | null,
    userId: string,
  ): Promise<readonly UserError[]> {
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
    return notices;
  }

  /** An empty cart of the user's. Nobody else can have made one meanwhile: we have the user's lock. */
  async function begin(tx: Transaction, userId: string): Promise<LockedCart> {
    const id = uuid();
    if (!(await repository.insertCart(tx, id, { userId }))) throw new RetryTransaction();
    return commands.read(tx, id);
  }
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
