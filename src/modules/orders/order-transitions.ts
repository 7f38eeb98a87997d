import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { violatedConstraint, type Database, type Transaction } from '../../infra/postgres/database.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { changesBetween, type StaffActionKind, type StaffService } from '../staff/staff.service.ts';
import { refuse, type InputPath } from '../user-error.ts';
import * as repository from './order-transitions.repository.ts';
import type { LockedOrder } from './order-transitions.repository.ts';
import { isOrderOf } from './order-owner.ts';
import { assertOrderTransition, assertPaymentTransition } from './order-status.ts';
import type { MoneySlot } from './order-money.ts';
import { orderPaid, orderPaymentStatusChanged, orderRefunded, orderStatusChanged } from './order.events.ts';
import type { OrderStatus, PaymentStatus } from './order.types.ts';

/** The shop itself, without a person: for example when a payment arrives, or does not arrive in time. Has every right. */
export interface ByShop {
  by: 'SHOP';
}

/** A member of the staff. What staff do is recorded. */
export interface ByStaff {
  by: 'STAFF';
  userId: string;
}

/** The sender of a request, with all the rights that the sender may have. Which of them counts is decided under the order's lock. */
export interface ByViewer {
  by: 'VIEWER';
  owner: CartOwner | null;
  /** The order that the viewer's access token grants. */
  grantedOrderId: string | null;
  /** The viewer as a member of the staff. */
  staffId: string | null;
}

/** A step of an order, and who takes it. */
export interface OrderStep {
  orderId: string;
  by: ByStaff | ByShop;
  note: string | null;
}

/** What becomes of an order once it is placed. A refusal leaves everything as it was. */
export interface OrderLife {
  /**
   * Cancels an order and returns its units to stock. Allowed for its owner, for holders of its access token, for staff, and for the
   * shop itself.
   * @throws Refusal: INVALID_TRANSITION; NOT_FOUND, also for who may not
   */
  cancel(orderId: string, by: ByViewer | ByShop, reason: string | null): Promise<void>;
  /** @throws Refusal: INVALID_TRANSITION, NOT_FOUND */
  updateStatus(step: OrderStep & { to: OrderStatus }): Promise<void>;
  /** @throws Refusal: INVALID_TRANSITION, NOT_FOUND */
  markAsPaid(step: OrderStep): Promise<void>;
  /** Marks a paid order as refunded, cancelled or not. @throws Refusal: INVALID_TRANSITION, NOT_FOUND */
  markAsRefunded(step: OrderStep): Promise<void>;
}

/** Steps of an order that follow its payments, in the transaction that changes these. The caller has their locks. */
export interface OrderSteps {
  /** Locks an order: after carts and payments, before promotions and variants. Null if there is none. */
  lock(tx: Transaction, orderId: string): Promise<LockedOrder | null>;
  /** Writes how far an order is paid, and announces it if that is news. */
  writePaymentStatus(tx: Transaction, at: Date, order: LockedOrder, to: PaymentStatus): Promise<void>;
  /** Cancels an order whose payment failed after it was placed, and returns its units. One that is under way is left as it is. */
  cancelFailed(tx: Transaction, order: LockedOrder, reason: string): Promise<void>;
  /**
   * Returns units of an order to stock.
   * @throws Refusal: CONFLICT if there would be too many
   */
  restock(tx: Transaction, orderId: string, units: readonly OrderUnits[]): Promise<Date>;
}

/** Units of a variant. */
export interface OrderUnits {
  variantId: string;
  quantity: number;
}

const ID: InputPath = ['id'];
const ON_HAND_CAP = 'product_variants_on_hand_cap';

function notFound(): never {
  refuse('NOT_FOUND', 'Order not found.', ID);
}

/** Wires the life of orders. Each step is a transaction that begins with the order's lock. */
export function createOrderLife(deps: {
  db: Database;
  inventory: InventoryService;
  staff: Pick<StaffService, 'record'>;
  prices: Pick<PricingService, 'lockUses' | 'returnUses'>;
  money: MoneySlot;
  eventLog: EventLog;
}): OrderLife & { steps: OrderSteps } {
  const { db, inventory, staff, prices, money, eventLog } = deps;

  /** Runs a step under the locks of the order and its payments. */
  function step(orderId: string, work: (tx: Transaction, order: LockedOrder) => Promise<void>): Promise<void> {
    return db.transaction(async (tx) => {
      await money.get().lock(tx, orderId);
      await work(tx, (await repository.lockOrder(tx, orderId)) ?? notFound());
    });
  }

  async function move(
    tx: Transaction,
    at: Date,
    order: LockedOrder,
    { to, note }: { to: OrderStatus; note: string | null },
  ): Promise<void> {
    const { id: orderId, status: from } = order;
    await repository.writeStatus(tx, at, { orderId, from, to, note });
    await eventLog.append(tx, at, [orderStatusChanged.of(orderId, { orderId, from, to })]);
  }

  /** Adds a step to the record of what staff do. Steps of the shop itself are in the order's history alone. */
  async function record(
    tx: Transaction,
    at: Date,
    order: LockedOrder,
    action: { by: ByStaff | ByShop; kind: StaffActionKind; after: Partial<LockedOrder>; note: string | null },
  ): Promise<void> {
    const { by, kind, after, note } = action;
    if (by.by === 'SHOP') return;
    const changes = changesBetween(order, after);
    await staff.record(tx, at, { actorId: by.userId, kind, subject: { type: 'Order', id: order.id }, changes, note });
  }

  /**
   * Returns units to stock.
   * @param given some units that were returned; left out, all of a cancelled order that were not
   * @returns the transaction's instant: when all locks were taken
   */
  async function restock(tx: Transaction, orderId: string, given?: readonly OrderUnits[]): Promise<Date> {
    const units = given ?? (await repository.findUnits(tx, orderId));
    const at = await inventory.lock(
      tx,
      units.map(({ variantId }) => variantId),
    );
    try {
      await inventory.apply(
        tx,
        at,
        units.map(({ variantId, quantity }) => ({
          variantId,
          reason: given === undefined ? 'CANCELLATION' : 'RETURN',
          onHandDelta: quantity,
          orderId,
        })),
      );
    } catch (error) {
      if (violatedConstraint(error) !== ON_HAND_CAP) throw error;
      refuse(
        'CONFLICT',
        'The units cannot be returned to stock, because the variant already has the maximum number of units on hand.',
        ID,
      );
    }
    return at;
  }

  async function writePaymentStatus(tx: Transaction, at: Date, order: LockedOrder, to: PaymentStatus): Promise<void> {
    const { id: orderId, paymentStatus: from } = order;
    if (to === from) return;
    await repository.writePaymentStatus(tx, at, orderId, to);
    const named = { PAID: orderPaid, REFUNDED: orderRefunded } as const;
    const event =
      to === 'PAID' || to === 'REFUNDED'
        ? named[to].of(orderId, { orderId, from })
        : orderPaymentStatusChanged.of(orderId, { orderId, from, to });
    await eventLog.append(tx, at, [event]);
  }

  async function pay(
    { orderId, by, note }: OrderStep,
    { to, kind }: { to: 'PAID' | 'REFUNDED'; kind: StaffActionKind },
  ): Promise<void> {
    await step(orderId, async (tx, order) => {
      assertPaymentTransition(order, to, ID);
      const at = await readClock(tx);
      await (to === 'PAID' ? money.get().paidOutside(tx, at, order) : money.get().refundedOutside(tx, at, order));
      await writePaymentStatus(tx, at, order, to);
      await record(tx, at, order, { by, kind, after: { paymentStatus: to }, note });
    });
  }

  async function cancelLocked(tx: Transaction, order: LockedOrder, reason: string | null): Promise<Date> {
    const { id: orderId } = order;
    await prices.lockUses(tx, { orderId });
    const at = await restock(tx, orderId);
    await prices.returnUses(tx, at, { orderId });
    await move(tx, at, order, { to: 'CANCELLED', note: reason });
    await money.get().cancelled(tx, at, { ...order, status: 'CANCELLED' });
    return at;
  }

  return {
    cancel: (orderId, canceller, reason) =>
      step(orderId, async (tx, order) => {
        // Decided under the lock: the owner may change while this waits for it.
        const by = cancellerOf(order, canceller);
        assertOrderTransition(order.status, 'CANCELLED', { by: 'orderCancel', path: ID });
        const at = await cancelLocked(tx, order, reason);
        if (by === 'CUSTOMER') return;
        const after = { status: 'CANCELLED' } as const;
        await record(tx, at, order, { by, kind: 'ORDER_CANCELLED', after, note: reason });
      }),

    updateStatus: ({ orderId, by, note, to }) =>
      step(orderId, async (tx, order) => {
        assertOrderTransition(order.status, to, { by: 'orderStatusUpdate', path: ['status'] });
        if (to === 'FULFILLED') await money.get().assertMayFulfil(tx, orderId);
        const at = await readClock(tx);
        await move(tx, at, order, { to, note });
        await record(tx, at, order, { by, kind: 'ORDER_STATUS_UPDATED', after: { status: to }, note });
      }),

    markAsPaid: (paid) => pay(paid, { to: 'PAID', kind: 'ORDER_MARKED_AS_PAID' }),
    markAsRefunded: (refunded) => pay(refunded, { to: 'REFUNDED', kind: 'ORDER_MARKED_AS_REFUNDED' }),

    steps: {
      lock: (tx, orderId) => repository.lockOrder(tx, orderId),
      writePaymentStatus,
      async cancelFailed(tx, order, reason) {
        if (order.status === 'PLACED') await cancelLocked(tx, order, reason);
      },
      restock: (tx, orderId, units) => restock(tx, orderId, units),
    },
  };
}

/**
 * By what right an order is cancelled. Staff who cancel what they bought themselves do so as customers.
 * @throws Refusal: NOT_FOUND
 */
function cancellerOf(order: LockedOrder, canceller: ByViewer | ByShop): 'CUSTOMER' | ByStaff | ByShop {
  if (canceller.by === 'SHOP') return canceller;
  const { owner, grantedOrderId, staffId } = canceller;
  if (isOrderOf(order, owner)) return 'CUSTOMER';
  if (staffId !== null) return { by: 'STAFF', userId: staffId };
  return grantedOrderId === order.id ? 'CUSTOMER' : notFound();
}
