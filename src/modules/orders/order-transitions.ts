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

/** Who asks for a cancellation, by all the rights that they may have. */
export interface Canceller {
  /** As an owner of orders. */
  owner: CartOwner | null;
  /** The order that their access token grants. */
  grantedOrderId: string | null;
  /** As one who works here. */
  staffId: string | null;
}

/** What staff do to an order. */
export interface StaffStep {
  orderId: string;
  actorId: string;
  note: string | null;
}

/** What becomes of an order once it is placed. A refusal leaves everything as it was. */
export interface OrderLife {
  /**
   * Cancels an order; its units go back to stock. Its owner may, who has its access token, and staff.
   * @throws Refusal: INVALID_TRANSITION; NOT_FOUND, also for who may not
   */
  cancel(orderId: string, by: Canceller, reason: string | null): Promise<void>;
  /** @throws Refusal: INVALID_TRANSITION, NOT_FOUND */
  updateStatus(step: StaffStep & { to: OrderStatus }): Promise<void>;
  /** @throws Refusal: INVALID_TRANSITION, NOT_FOUND */
  markAsPaid(step: StaffStep): Promise<void>;
  /** Marks a paid order as refunded, cancelled or not. @throws Refusal: INVALID_TRANSITION, NOT_FOUND */
  markAsRefunded(step: StaffStep): Promise<void>;
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

  function record(
    tx: Transaction,
    at: Date,
    order: LockedOrder,
    action: { actorId: string; kind: StaffActionKind; after: Partial<LockedOrder>; note: string | null },
  ): Promise<void> {
    const { actorId, kind, after, note } = action;
    const changes = changesBetween(order, after);
    return staff.record(tx, at, { actorId, kind, subject: { type: 'Order', id: order.id }, changes, note });
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
    { orderId, actorId, note }: StaffStep,
    { to, kind, event }: { to: PaymentStatus; kind: StaffActionKind; event: typeof orderPaid },
  ): Promise<void> {
    await step(orderId, async (tx, order) => {
      assertPaymentTransition(order, to, ID);
      const at = await readClock(tx);
      await repository.writePaymentStatus(tx, at, orderId, to);
      await eventLog.append(tx, at, [event.of(orderId, { orderId })]);
      await record(tx, at, order, { actorId, kind, after: { paymentStatus: to }, note });
    });
  }

  return {
    cancel: (orderId, { owner, grantedOrderId, staffId }, reason) =>
      step(orderId, async (tx, order) => {
        // Asked under the lock: whose it is may change while we wait for it.
        const own = isOrderOf(order, owner);
        if (!own && grantedOrderId !== orderId && staffId === null) notFound();
        assertOrderTransition(order.status, 'CANCELLED', { by: 'orderCancel', path: ID });
        await prices.lockUses(tx, orderId);
        const at = await restock(tx, orderId);
        await prices.returnUses(tx, at, orderId);
        await move(tx, at, order, { to: 'CANCELLED', note: reason });
        // Who works here and cancels what they bought themselves does so as a customer.
        if (staffId === null || own) return;
        const after = { status: 'CANCELLED' } as const;
        await record(tx, at, order, { actorId: staffId, kind: 'ORDER_CANCELLED', after, note: reason });
      }),

    updateStatus: ({ orderId, actorId, note, to }) =>
      step(orderId, async (tx, order) => {
        assertOrderTransition(order.status, to, { by: 'orderStatusUpdate', path: ['status'] });
        const at = await readClock(tx);
        await move(tx, at, order, { to, note });
        await record(tx, at, order, { actorId, kind: 'ORDER_STATUS_UPDATED', after: { status: to }, note });
      }),

    markAsPaid: (paid) => pay(paid, { to: 'PAID', kind: 'ORDER_MARKED_AS_PAID', event: orderPaid }),
    markAsRefunded: (refunded) =>
      pay(refunded, { to: 'REFUNDED', kind: 'ORDER_MARKED_AS_REFUNDED', event: orderRefunded }),
  };
}
