import { v7 as uuid } from 'uuid';
import type { PaymentsConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { NewEvent } from '../../events/event.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { CartService, LockedCart } from '../cart/cart.service.ts';
import type { LockedOrder, OrderService } from '../orders/order.service.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import { fold, type Folded, type PaymentBooks } from './fold.ts';
import { movedPostings, post } from './ledger.ts';
import { createNextOperations } from './next-operation.ts';
import { findOperations, settleOperation } from './operation.repository.ts';
import { paymentChanged, paymentFailed, paymentReceivedLate, refundSucceeded } from './payment.events.ts';
import { paymentStatusOf } from './payment-status.ts';
import * as payments from './payment.repository.ts';
import type { OperationRow, OperationState, PaymentRow } from './payment.types.ts';
import type { ClientData, Snapshot } from './providers/provider.types.ts';
import { findDisputesOfPayments, findRefundsOfPayments, writeDisputes, writeRefunds } from './refund.repository.ts';
import type { PaymentPlacing } from './payment-placing.ts';

/** What there is to write down about a payment. */
export interface PaymentNews {
  /** What the provider says. It is used only if the payment is still at that version: otherwise something newer may be known. */
  snapshot?: { of: Snapshot; seenVersion: number } | null;
  /** What an operation came to. */
  operation?: { id: string; state: OperationState; reason: string | null; retrySeconds?: number };
  /** The provider has begun the payment. */
  begun?: { reference: string; client: ClientData | null };
  /** The payment never began, and never will. */
  refused?: string;
  /** Ask the provider to cancel, unless an order was placed. */
  cancel?: boolean;
}

/**
 * What became of news. STALE: they are written down but for the snapshot, which is to be fetched again. An operation whose answer it
 * was stays UNKNOWN until then: the rest of the news may contradict what the shop knows.
 */
export type FoldOutcome = 'DONE' | 'STALE' | 'NOT_FOUND';

/** Writes down what is known of a payment, and does what follows from it, in one transaction. */
export interface Folding {
  apply(paymentId: string, news: PaymentNews): Promise<FoldOutcome>;
  /**
   * The same for payments of an order, whose locks and that of the order the caller has: after a cancellation, they go back.
   */
  settle(tx: Transaction, at: Date, payment: PaymentRow, order: LockedOrder | null): Promise<void>;
}

export interface FoldingDependencies {
  db: Database;
  cart: CartService;
  orders: OrderService;
  prices: Pick<PricingService, 'lockUses' | 'returnUses'>;
  placing: PaymentPlacing;
  eventLog: EventLog;
  config: Pick<PaymentsConfig, 'capture'>;
  /** Called after commit with an operation that is to be done. */
  onOperation: (operationId: string) => void;
}

/** A payment in the hands of a transaction that has all of its locks. */
interface Work {
  tx: Transaction;
  payment: PaymentRow;
  cart: LockedCart | null;
  order: LockedOrder | null;
  operations: OperationRow[];
  books: PaymentBooks;
}

/** Makes it. */
export function createFolding(deps: FoldingDependencies): Folding {
  const { db, cart: carts, orders, prices, placing, eventLog } = deps;

  const next = createNextOperations(deps);

  async function load(tx: Transaction, paymentId: string): Promise<Work | null> {
    const [found] = await payments.findPayments(tx, [paymentId]);
    if (found === undefined) return null;
    const cart = await carts.lockById(tx, found.cartId);
    const payment = await payments.lockPayment(tx, paymentId);
    if (payment === null) return null;
    const order = payment.orderId === null ? null : await orders.steps.lock(tx, payment.orderId);
    return { tx, payment, cart, order, ...(await read(tx, payment)) };
  }

  async function read(tx: Transaction, payment: PaymentRow): Promise<Pick<Work, 'operations' | 'books'>> {
    const [refunds, disputes, operations] = [
      await findRefundsOfPayments(tx, [payment.id]),
      await findDisputesOfPayments(tx, [payment.id]),
      await findOperations(tx, payment.id),
    ];
    return { operations, books: { ...payment, refunds, disputes } };
  }

  async function apply(tx: Transaction, paymentId: string, news: PaymentNews): Promise<FoldOutcome> {
    const work = await load(tx, paymentId);
    if (work === null) return 'NOT_FOUND';
    const { payment } = work;
    const { snapshot = null, operation, begun, refused } = news;
    const isStale = snapshot !== null && snapshot.seenVersion !== payment.version;
    // Were a cancellation settled now, the state from before it would still count, and an order could be placed for a voided payment.
    const reason = 'The payment changed while the provider was answering.';
    if (operation !== undefined) {
      await settleIn(work, isStale ? { ...operation, state: 'UNKNOWN', reason, retrySeconds: 0 } : operation);
    }
    const folded = fold(work.books, isStale ? null : (snapshot?.of ?? null), () => uuid());
    if (refused !== undefined && !isStale) folded.books = { ...folded.books, state: 'FAILED', failure: refused };
    const changed: PaymentRow = {
      ...payment,
      ...amountsOf(folded),
      reference: begun?.reference ?? payment.reference,
      clientData: folded.books.state === 'PENDING' ? (begun?.client ?? payment.clientData) : null,
      // A partial capture lowers what is authorized of an order: only before there is one must the amounts be equal.
      returnReason: payment.returnReason ?? (payment.orderId === null && folded.isMismatch ? 'AMOUNT_MISMATCH' : null),
    };
    await proceed({ ...work, payment: changed }, { folded, before: payment, news });
    return isStale ? 'STALE' : 'DONE';
  }

  /** What an operation came to; a refund that was refused has failed. */
  async function settleIn(work: Work, operation: NonNullable<PaymentNews['operation']>): Promise<void> {
    const row = work.operations.find(({ id }) => id === operation.id);
    if (row === undefined) return;
    const at = await readClock(work.tx);
    if (!(await settleOperation(work.tx, at, operation))) return;
    row.state = operation.state;
    if (row.kind !== 'REFUND' || operation.state !== 'REFUSED') return;
    const failure = operation.reason;
    const refunds = work.books.refunds.map((refund) =>
      refund.id === row.refundId ? { ...refund, state: 'FAILED' as const, failure } : refund,
    );
    const { id: paymentId, orderId } = work.payment;
    const failed = refunds.filter(({ id }) => id === row.refundId);
    await writeRefunds(work.tx, at, { paymentId, orderId, refunds: failed });
    work.books = { ...work.books, refunds };
  }

  /** Places the order, lets go of the cart, books money, and decides what comes next. */
  async function proceed(
    work: Work,
    { folded, before, news }: { folded: Folded; before: PaymentRow; news: PaymentNews },
  ): Promise<void> {
    const { tx, payment, cart } = work;
    const events: NewEvent[] = [];
    let { order, operations } = work;
    let { orderId, returnReason } = payment;
    let at: Date | null = null;
    let isLate = false;
    const isCancelling = operations.some(
      ({ kind, state }) => kind === 'CANCEL' && (state === 'SENT' || state === 'UNKNOWN'),
    );

    if (orderId === null && returnReason === null && isPaying(payment) && !isCancelling && cart !== null) {
      const placed = await placing.place(tx, payment, cart);
      at = placed.at;
      if ('orderId' in placed) {
        ({ orderId, isLate } = placed);
        order = await orders.steps.lock(tx, orderId);
        await next.withdraw(tx, placed.at, operations);
      } else {
        ({ returnReason } = placed);
      }
    }
    const isReturned = returnReason !== before.returnReason;
    const hasEnded = isOver(payment) && !isOver(before);
    // Money that was captured already is refunded, and its payment never becomes CANCELLED.
    if (orderId === null && (isReturned || hasEnded)) at = await letGo(work);
    const now = at ?? (await readClock(tx));
    const after: PaymentRow = { ...payment, orderId, returnReason };
    const isNews = folded.hasChanged || hasChanged(before, after);
    if (isNews) {
      // Before what follows, which reads and adds to the row.
      await payments.writePayment(tx, now, { ...after, ...folded.books, state: after.state, failure: after.failure });
      const of = { paymentId: payment.id, orderId };
      await writeRefunds(tx, now, { ...of, refunds: folded.refunds });
      await writeDisputes(tx, now, { ...of, disputes: folded.disputes });
      const isOwed = order !== null && order.status !== 'CANCELLED';
      await post(tx, now, movedPostings({ ...of, isOwed }, folded.moved));
    }
    // Some providers let the shopper try again with the same payment; the order that was placed meanwhile does not wait for that.
    const isRefusedLate = before.state === 'PROCESSING' && (isOver(after) || after.state === 'PENDING');
    if (order !== null && isRefusedLate) {
      await orders.steps.cancelFailed(tx, order, 'The payment failed.');
      order = await orders.steps.lock(tx, order.id);
      // The cancellation may have queued one of the payment.
      operations = await findOperations(tx, payment.id);
    }
    await next.decide(tx, now, { payment: after, order, operations, folded, wantsCancel: news.cancel === true });
    if (!isNews) return;
    if (order !== null) await follow(tx, now, order);

    const subject = { paymentId: payment.id, guestId: cart?.guestId ?? null, userId: cart?.userId ?? null, orderId };
    events.push(paymentChanged.of(payment.id, subject));
    if (isLate) events.push(paymentReceivedLate.of(payment.id, subject));
    // The void of a payment that is given back is no second failure.
    if (orderId === null && (isReturned || (hasEnded && returnReason === null)))
      events.push(paymentFailed.of(payment.id, { ...subject, late: returnReason !== null }));
    for (const refund of folded.refunds) {
      if (refund.state !== 'SUCCEEDED') continue;
      events.push(refundSucceeded.of(payment.id, { ...subject, refundId: refund.id }));
    }
    await eventLog.append(tx, now, events);
  }

  /** A payment has failed, was cancelled, or is given back: its cart is the shopper's again, or it expires if the time to pay is over. */
  async function letGo({ tx, payment, cart }: Work): Promise<Date> {
    await prices.lockUses(tx, { paymentId: payment.id });
    const isOverdue = (await payments.findTerms(tx, payment.id))?.isOverdue ?? false;
    if (cart?.paymentId === payment.id) {
      if (isOverdue) await carts.release(tx, cart);
      else await carts.unpin(tx, await readClock(tx), cart);
    }
    const at = await readClock(tx);
    await prices.returnUses(tx, at, { paymentId: payment.id });
    return at;
  }

  /** The order's payment status follows its payments. */
  async function follow(tx: Transaction, at: Date, order: LockedOrder): Promise<void> {
    const all = await payments.findPaymentsOfOrders(tx, [order.id]);
    const total = await payments.findOrderTotal(tx, order.id);
    await orders.steps.writePaymentStatus(tx, at, order, paymentStatusOf(all, total));
  }

  return {
    apply: (paymentId, news) => carts.withOverdueReleased(() => db.transaction((tx) => apply(tx, paymentId, news))),

    async settle(tx, at, payment, order) {
      const { operations, books } = await read(tx, payment);
      const folded = fold(books, null, () => uuid());
      await next.decide(tx, at, { payment, order, operations, folded, wantsCancel: false });
    },
  };
}

/** Whether the bank has agreed, or is about to: an order can be placed. */
function isPaying({ state }: { state: PaymentRow['state'] }): boolean {
  return state === 'AUTHORIZED' || state === 'CAPTURED' || state === 'PROCESSING';
}

function isOver({ state }: { state: PaymentRow['state'] }): boolean {
  return state === 'CANCELLED' || state === 'FAILED';
}

function amountsOf({ books }: Folded): Omit<PaymentBooks, 'refunds' | 'disputes'> {
  const { refunds: _refunds, disputes: _disputes, ...amounts } = books;
  return amounts;
}

function hasChanged(before: PaymentRow, after: PaymentRow): boolean {
  return (
    before.orderId !== after.orderId ||
    before.reference !== after.reference ||
    before.state !== after.state ||
    before.failure !== after.failure ||
    before.returnReason !== after.returnReason ||
    (before.clientData === null) !== (after.clientData === null)
  );
}
