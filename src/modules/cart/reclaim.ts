import { readClock } from '../../infra/postgres/clock.ts';
import { RetryTransaction, type Transaction } from '../../infra/postgres/database.ts';
import type { EventLog } from '../../events/event-log.ts';
import { refuse, type InputPath, type UserError } from '../user-error.ts';
import { isOwnedBy, type CartOwner } from './cart-owner.ts';
import { changeOf } from './cart.events.ts';
import type { CartCommands } from './cart.commands.ts';
import { assertNotPinned } from './cart.decisions.ts';
import { CartsOverdue } from './cart.expiry.ts';
import * as repository from './cart.repository.ts';
import type { LockedCart } from './cart.repository.ts';
import { planReclaim } from './cart.rules.ts';
import type { Networks } from './network-share.ts';

/** What a reclaim did: the cart that holds the lines now, and what did not fit. */
export interface Reclaimed {
  cartId: string;
  notices: readonly UserError[];
}

/**
 * Makes the use case: an expired cart's holds are taken again, at today's prices and as far as stock and limits allow. The
 * cart lives again; where its owner has begun another one meanwhile, its lines join that one, and it is MERGED.
 */
export function createReclaim(deps: {
  commands: CartCommands;
  eventLog: EventLog;
}): (
  tx: Transaction,
  request: { owner: CartOwner; cartId: string; path: InputPath; networks: Networks },
) => Promise<Reclaimed> {
  const { commands, eventLog } = deps;

  /** Both carts under their locks, which are taken by id in one statement; no other cart of the owner's can become live. */
  async function lockBoth(
    tx: Transaction,
    owner: CartOwner,
    cartId: string,
    path: InputPath,
  ): Promise<{ expired: LockedCart; live: LockedCart | null }> {
    await repository.lockOwner(tx, owner);
    const liveId = await repository.findLiveCart(tx, owner);
    await repository.lockCarts(tx, [...new Set([cartId, ...(liveId === null ? [] : [liveId])])]);
    // Read once more: it was looked up before the locks.
    if ((await repository.findLiveCart(tx, owner)) !== liveId) throw new RetryTransaction();
    const carts = await repository.findCarts(tx, [cartId, ...(liveId === null ? [] : [liveId])]);
    const expired = carts.find((cart) => cart.id === cartId && isOwnedBy(cart, owner));
    if (expired === undefined) return refuse('NOT_FOUND', 'Cart not found.', path);
    const live = carts.find((cart) => cart.id === liveId) ?? null;
    const overdue = [expired, live].find((cart) => cart !== null && cart.holds && cart.status === 'EXPIRED');
    if (overdue !== undefined && overdue !== null) throw new CartsOverdue([overdue.id]);
    if (live !== null && live.id !== cartId) assertNotPinned(live);
    return { expired, live };
  }

  return async (tx, { owner, cartId, path, networks }) => {
    const { expired, live } = await lockBoth(tx, owner, cartId, path);
    // Asked for twice, or never expired: there is nothing to take again.
    if (expired.status === 'ACTIVE') return { cartId, notices: [] };
    if (expired.status !== 'EXPIRED')
      refuse('CONFLICT', 'The cart has been checked out or merged into another cart.', path);

    const target = live ?? expired;
    const variantIds = [...new Set(expired.lines.map((line) => line.variantId))];
    const notices = await commands.change(tx, target, {
      variantIds,
      kind: 'RECLAIMED',
      partial: true,
      networks,
      plan: (shelf) => planReclaim(live?.lines ?? null, expired.lines, shelf, path),
    });
    if (live !== null) await merge(tx, expired, live.id);
    return { cartId: target.id, notices };
  };

  /** The expired cart's lines are in another one now: it can be reclaimed no more. */
  async function merge(tx: Transaction, cart: LockedCart, intoCartId: string): Promise<void> {
    const removed = cart.lines.map((line) => line.id);
    const at = await readClock(tx);
    await repository.writeCart(tx, at, { ...cart, status: 'MERGED', lines: { added: [], changed: [], removed } });
    await eventLog.append(tx, at, [changeOf(cart, 'MERGED', { intoCartId })]);
  }
}
