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
import { orderPaid, orderRefunded, orderStatusChanged } from './order.events.ts';
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
  eventLog: EventLog;
}): OrderLife {
  const { db, inventory, staff, prices, eventLog } = deps;

  /** Runs a step under the order's lock. */
  function step(orderId: string, work: (tx: Transaction, order: LockedOrder) => Promise<void>): Promise<void> {
    return db.transaction(async (tx) => work(tx, (await repository.lockOrder(tx, orderId)) ?? notFound()));
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

  /** Gives the units back, and tells the instant of the transaction: that at which all locks were had. */
  async function restock(tx: Transaction, orderId: string): Promise<Date> {
    const units = await repository.findUnits(tx, orderId);
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
          reason: 'CANCELLATION',
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

  async function pay(
    { orderId, by, note }: OrderStep,
    { to, kind, event }: { to: PaymentStatus; kind: StaffActionKind; event: typeof orderPaid },
  ): Promise<void> {
    await step(orderId, async (tx, order) => {
      assertPaymentTransition(order, to, ID);
      const at = await readClock(tx);
      await repository.writePaymentStatus(tx, at, orderId, to);
      await eventLog.append(tx, at, [event.of(orderId, { orderId })]);
      await record(tx, at, order, { by, kind, after: { paymentStatus: to }, note });
    });
  }

  return {
    cancel: (orderId, canceller, reason) =>
      step(orderId, async (tx, order) => {
        // Decided under the lock: the owner may change while this waits for it.
        const by = cancellerOf(order, canceller);
        assertOrderTransition(order.status, 'CANCELLED', { by: 'orderCancel', path: ID });
        await prices.lockUses(tx, orderId);
        const at = await restock(tx, orderId);
        await prices.returnUses(tx, at, orderId);
        await move(tx, at, order, { to: 'CANCELLED', note: reason });
        if (by === 'CUSTOMER') return;
        const after = { status: 'CANCELLED' } as const;
        await record(tx, at, order, { by, kind: 'ORDER_CANCELLED', after, note: reason });
      }),

    updateStatus: ({ orderId, by, note, to }) =>
      step(orderId, async (tx, order) => {
        assertOrderTransition(order.status, to, { by: 'orderStatusUpdate', path: ['status'] });
        const at = await readClock(tx);
        await move(tx, at, order, { to, note });
        await record(tx, at, order, { by, kind: 'ORDER_STATUS_UPDATED', after: { status: to }, note });
      }),

    markAsPaid: (paid) => pay(paid, { to: 'PAID', kind: 'ORDER_MARKED_AS_PAID', event: orderPaid }),
    markAsRefunded: (refunded) =>
      pay(refunded, { to: 'REFUNDED', kind: 'ORDER_MARKED_AS_REFUNDED', event: orderRefunded }),
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
