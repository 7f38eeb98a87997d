import { v7 as uuid } from 'uuid';
import type { CartConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
import { RetryTransaction, type Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { refuse, type UserError } from '../user-error.ts';
import type { CartOwner } from './cart-owner.ts';
import { dueAt, type CartDue } from './cart.due.ts';
import { assertNotPinned, decide } from './cart.decisions.ts';
import { CartsOverdue } from './cart.expiry.ts';
import * as repository from './cart.repository.ts';
import type { LockedCart } from './cart.repository.ts';
import { shortagesOf, type LinePlan, type Shelf } from './cart.rules.ts';
import { findOverdueHolding } from './expiry.repository.ts';
import type { Networks, NetworkShares } from './network-share.ts';

/** A change of a cart's lines: what it is about, and how it is decided once all is locked. */
export interface Change {
  /** Variants of which units are to be held or given back. */
  variantIds: readonly string[];
  plan: (shelf: Shelf) => LinePlan;
  /** Do what can be done and give the errors back, in place of refusing for any of them. */
  partial?: boolean;
  kind?: 'LINES' | 'RECLAIMED';
  /** From where the change comes; empty where networks are not limited. */
  networks?: Networks;
}

/** The steps that commands on carts are made of; each runs in the command's transaction. */
export interface CartCommands {
  /** The owner's live cart under its lock, a new empty one where there is none. @throws CartsOverdue */
  open(tx: Transaction, owner: CartOwner): Promise<LockedCart>;
  /** The live cart under its lock; refuses with CART_EXPIRED, or NOT_FOUND where there is none. */
  lockLive(tx: Transaction, owner: CartOwner): Promise<LockedCart>;
  /**
   * Locks the variants, decides, and writes lines, stock, ledger and events.
   * @returns the errors of a partial change
   * @throws CartsOverdue where units are short that such carts hold
   */
  change(tx: Transaction, cart: LockedCart, change: Change): Promise<readonly UserError[]>;
  /**
   * Looked for under the variants' locks, without which nobody gives units back: where there is no such cart now, what is
   * short is short.
   * @throws CartsOverdue where carts past their time hold units that are short
   */
  checkOverdue(tx: Transaction, shortages: ReadonlyMap<string, number>): Promise<void>;
  /** Reads a cart whose lock the transaction has. */
  read(tx: Transaction, cartId: string): Promise<LockedCart>;
}

const KEPT: repository.CartWrite['lines'] = { added: [], changed: [], removed: [] };

/** A write that leaves the lines as they are. */
export function keepingLines(cart: LockedCart): repository.CartWrite {
  return { ...cart, lines: KEPT };
}

/** Wires the steps. */
export function createCartCommands(deps: {
  catalog: CatalogService;
  inventory: InventoryService;
  eventLog: EventLog;
  config: CartConfig;
  shares: NetworkShares;
  onDue: (due: CartDue) => void;
}): CartCommands {
  const { catalog, inventory, eventLog, config, shares, onDue } = deps;

  async function read(tx: Transaction, cartId: string): Promise<LockedCart> {
    const [cart] = await repository.findCarts(tx, [cartId]);
    if (cart === undefined) throw new Error(`cart ${cartId} is gone under its lock`);
    return cart;
  }

  async function checkOverdue(tx: Transaction, shortages: ReadonlyMap<string, number>): Promise<void> {
    if (shortages.size === 0) return;
    const cartIds = await findOverdueHolding(tx, shortages);
    if (cartIds.length > 0) throw new CartsOverdue(cartIds);
  }

  return {
    read,
    checkOverdue,

    async open(tx, owner) {
      const liveId = await repository.lockLiveCart(tx, owner);
      if (liveId !== null) {
        const cart = await read(tx, liveId);
        if (cart.status === 'EXPIRED') throw new CartsOverdue([cart.id]);
        assertNotPinned(cart);
        return cart;
      }
      const id = uuid();
      // Lost to another first command of the same owner: run again, which finds the cart that one made.
      if (!(await repository.insertCart(tx, id, owner))) throw new RetryTransaction();
      return read(tx, id);
    },

    async lockLive(tx, owner) {
      const liveId = await repository.lockLiveCart(tx, owner);
      const cart = liveId === null ? await repository.findLatestCart(tx, owner) : await read(tx, liveId);
      // Begun, or reclaimed, between the two statements.
      if (liveId === null && cart?.holds === true) throw new RetryTransaction();
      if (cart?.status === 'EXPIRED')
        refuse('CART_EXPIRED', 'The cart has expired, and its units have returned to stock.');
      if (cart === null || liveId === null) refuse('NOT_FOUND', 'You have no cart.');
      assertNotPinned(cart);
      return cart;
    },

    async change(tx, cart, { variantIds, plan, partial = false, kind = 'LINES', networks = [] }) {
      // Sent in one go: the variants are read once their locks were granted.
      const [now, variants] = await together(inventory.lock(tx, variantIds), catalog.variantsByIds(variantIds, tx));
      // Its time ran out while we waited for the locks. Run again: then it is seen as expired from the start.
      if (cart.expiresAt !== null && cart.expiresAt <= now && cart.status === 'ACTIVE') throw new RetryTransaction();
      const shelf = { variants: new Map(variants.map((variant) => [variant.id, variant])), limits: config };
      const first = plan(shelf);
      const of = { cart, networks, variants: shelf.variants, holds: first.holds };
      const limited = await shares.of(tx, now, of);
      const planned = limited.size === 0 ? first : plan({ ...shelf, shares: limited });
      const { errors } = planned;
      await checkOverdue(tx, shortagesOf(errors));
      const hide = () => shares.hide(networks);
      const decision = decide(cart, planned, { now, config, kind, partial, networks: hide });
      if (decision === null) return errors;
      const { after, write, moves, event } = decision;
      const { expiresAt } = after;
      if (expiresAt !== null) tx.afterCommit(() => onDue(dueAt(expiresAt, now)));
      await together(
        repository.writeCart(tx, now, write),
        inventory.apply(tx, now, moves),
        eventLog.append(tx, now, [event]),
      );
      return errors;
    },
  };
}
