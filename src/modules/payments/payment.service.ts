import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { PaymentsConfig } from '../../config/config.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { GuestService, Renewed, RenewingGuest } from '../accounts/guest.service.ts';
import type { CartOwner, CartService } from '../cart/cart.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { refuseInput } from '../invalid-input.ts';
import type { OrderService } from '../orders/order.service.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { refuse } from '../user-error.ts';
import { toDecimal } from '../money.ts';
import { createFolding } from './folding.ts';
import { createOperationRunner, type OperationRunner, type Step } from './operations.ts';
import { findCaptureByKey, findOperations, insertOperation } from './operation.repository.ts';
import { createOrderBooks } from './order-books.ts';
import { createPaymentPlacing } from './payment-placing.ts';
import * as payments from './payment.repository.ts';
import { OPEN_STATES, type OperationRow } from './payment.types.ts';
import type { PaymentProvider } from './providers/provider.types.ts';
import { createPaymentQueries, type PaymentQueries } from './payment-queries.ts';
import { createPaymentWork } from './payment-work.ts';
import type { PaymentWork } from './payment-work.repository.ts';
import { createRefunding, type OrderRefundRequest } from './refunding.ts';
import { createStarting, type PaymentRequest, type Started } from './starting.ts';

export type { MoneyEntry } from './ledger.ts';
export type { PaymentOwners } from './payment.repository.ts';
export type { PaymentRow, RefundRow, DisputeRow, OperationRow } from './payment.types.ts';
export type { PaymentRequest } from './starting.ts';
export type { OrderRefundRequest } from './refunding.ts';

export type { MoneyAudit, MoneyDiscrepancy } from './money-audit.types.ts';
export type { PaymentQuery } from './payment-page.repository.ts';

/** A provider that shoppers may choose. */
export interface OfferedProvider {
  id: string;
  title: string;
}

/** A capture that staff ask for. */
export interface CaptureRequest {
  paymentId: string;
  /** In minor units; null: all that is authorized. */
  amountMinor: bigint | null;
  idempotencyKey: string;
  actorId: string;
}

/** The use cases of payments. Those that ask a provider wait three seconds at most for its answer, and the rest happens later. */
export interface PaymentService extends PaymentQueries {
  /** What the shop takes, in the order in which to offer it. */
  readonly offered: readonly OfferedProvider[];
  /** All providers that the shop can talk to. */
  readonly providers: ReadonlyMap<string, PaymentProvider>;
  /**
   * Begins to pay for the owner's cart; see `PaymentStarting`.
   * @returns the payment, or FREE if there is nothing to pay
   */
  start(owner: CartOwner, request: PaymentRequest): Promise<{ paymentId: string } | 'FREE'>;
  /** Starts a payment of a guest whose token others may know, and gives the guest another token. See `GuestService.renewing`. */
  startRenewing(guest: RenewingGuest, request: PaymentRequest): Promise<Renewed<{ paymentId: string } | 'FREE'>>;
  /** Asks the provider how a payment stands. @throws Refusal: UNAVAILABLE */
  sync(paymentId: string): Promise<void>;
  /** See `OperationRunner`. */
  adopt: OperationRunner['adopt'];
  /** Has a payment cancelled that no order was placed for. @throws Refusal: CONFLICT */
  cancel(paymentId: string): Promise<void>;
  /** Captures an authorization, whole or in part. @throws Refusal: NOT_FOUND, CONFLICT, INVALID_INPUT, PAYMENT_REFUSED */
  capture(request: CaptureRequest): Promise<void>;
  /** Refunds an order; see `Refunding`. @returns the refund's id */
  refund(request: OrderRefundRequest): Promise<string>;

  /** Does an operation, for jobs. */
  runOperation: OperationRunner['run'];
  /**
   * What waits to be done, in one statement.
   * @param limit rows of each kind, at most
   * @param unheardAfterId the payments of which nothing is heard are listed by ID, from the one after this
   */
  findWork(limit: number, unheardAfterId?: string | null): Promise<PaymentWork>;
  /** Has a payment canceled whose time is over. */
  expire(paymentId: string): Promise<void>;
  /** Warns staff, once, that an authorization lapses within two days. */
  warnOfLapse(paymentId: string): Promise<void>;
  /** Cancels an order that was not paid in time. */
  cancelUnpaid(orderId: string): Promise<void>;
}

export interface PaymentDependencies {
  db: Database;
  cart: CartService;
  guests: Pick<GuestService, 'renewing'>;
  catalog: CatalogService;
  inventory: InventoryService;
  orders: OrderService;
  prices: PricingService;
  staff: Pick<StaffService, 'record'>;
  eventLog: EventLog;
  providers: ReadonlyMap<string, PaymentProvider>;
  config: PaymentsConfig;
  shop: { name: string; currency: string; storefrontUrl: string | null };
  corsOrigins: readonly string[];
  /** Called after commit with an operation that is to be done. */
  onOperation: (operationId: string) => void;
  logger: Pick<Logger, 'error' | 'warn'>;
  /** For tests. */
  between?: ((step: Step, operationId: string) => Promise<void>) | undefined;
}

/** So long a mutation waits for a provider. */
const PATIENCE_MS = 3000;

const MANUAL: OfferedProvider = { id: 'manual', title: 'Pay later' };

/** Wires payments, and attaches the books of money to orders. */
export function createPaymentService(deps: PaymentDependencies): PaymentService {
  const { db, orders, staff, providers, config, shop } = deps;
  const placing = createPaymentPlacing(deps);
  const folding = createFolding({ ...deps, placing });
  const books = createOrderBooks({ orders, folding });
  orders.attachMoney(books);
  const runner = createOperationRunner({ ...deps, folding });
  const starting = createStarting(deps);
  const upkeep = createPaymentWork(deps);
  const refunding = createRefunding({ ...deps, books, currency: shop.currency });

  /** Does an operation now, and waits for it as long as a caller can be kept waiting. It goes on after that. */
  async function runSoon(operationId: string | null): Promise<void> {
    if (operationId === null) return;
    const patience = new AbortController();
    const running = runner.runOrAwait(operationId, patience.signal).catch((error: unknown) => {
      deps.logger.warn({ err: error, operationId }, 'a payment operation failed; it is tried again');
      deps.onOperation(operationId);
    });
    await Promise.race([running, delay(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
  }

  async function openOperation(paymentId: string, kind: OperationRow['kind']): Promise<string | null> {
    const open = (await findOperations(db, paymentId)).find(
      (operation) => operation.kind === kind && OPEN_STATES.includes(operation.state),
    );
    return open?.id ?? null;
  }

  /** Has the provider begin a payment. */
  async function begin(started: Started): Promise<{ paymentId: string } | 'FREE'> {
    if (started === 'FREE') return 'FREE';
    const { paymentId, operationId } = started;
    // A call that is repeated while the first one waits finds the operation, and waits for it as well.
    await runSoon(operationId ?? (await openOperation(paymentId, 'BEGIN')));
    return { paymentId };
  }

  /** Writes a capture down. @returns the operation; null if the key has been used for it before */
  function requestCapture({ paymentId, amountMinor, idempotencyKey, actorId }: CaptureRequest): Promise<string> {
    return db.transaction(async (tx) => {
      const payment = await payments.lockPayment(tx, paymentId);
      if (payment === null) return refuse('NOT_FOUND', 'Payment not found.', ['id']);
      const left = payment.authorizedMinor - payment.capturedMinor;
      const wanted = amountMinor ?? left;
      const earlier = await findCaptureByKey(tx, paymentId, idempotencyKey);
      if (earlier !== null) {
        if (amountMinor === null || earlier.amountMinor === amountMinor) return earlier.id;
        refuse('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used before for another amount.', ['idempotencyKey']);
      }
      const provider = providers.get(payment.provider);
      const mayCaptureMore = payment.state === 'CAPTURED' && provider?.capabilities.partialCapture === 'MANY';
      if (payment.orderId === null || !(payment.state === 'AUTHORIZED' || mayCaptureMore) || left <= 0n) {
        refuse('CONFLICT', 'Only an authorized payment of an order can be captured.', ['id']);
      }
      if (wanted <= 0n)
        refuseInput('TOO_SMALL', 'The amount must be greater than 0.', ['amount'], {
          min: toDecimal({ minor: 1n, currency: payment.currency }),
        });
      if (wanted > left) {
        const max = toDecimal({ minor: left, currency: payment.currency });
        refuseInput('TOO_LARGE', 'More than is authorized and not captured yet.', ['amount'], { max });
      }
      if (wanted < left && provider?.capabilities.partialCapture === 'NONE') {
        refuse('PAYMENT_REFUSED', 'The provider captures the whole amount only.', ['amount']);
      }
      const open = (await findOperations(tx, paymentId)).some(
        ({ kind, state }) => (kind === 'CAPTURE' || kind === 'CANCEL') && OPEN_STATES.includes(state),
      );
      if (open) refuse('CONFLICT', 'The payment is being captured or cancelled already.', ['id']);
      const at = await readClock(tx);
      const id = uuid();
      await insertOperation(tx, at, {
        ...{ id, paymentId, kind: 'CAPTURE', amountMinor: wanted, refundId: null, idempotencyKey, actorId },
        parameters: { capturedBefore: payment.capturedMinor.toString() },
      });
      const after = toDecimal({ minor: wanted, currency: payment.currency });
      await staff.record(tx, at, {
        ...{ actorId, kind: 'PAYMENT_CAPTURED', subject: { type: 'Order', id: payment.orderId } },
        changes: [{ field: 'captured', before: null, after }],
      });
      tx.afterCommit(() => deps.onOperation(id));
      return id;
    });
  }

  return {
    ...createPaymentQueries(db),
    offered: config.providers.flatMap((id) => {
      if (id === 'manual') return [MANUAL];
      const provider = providers.get(id);
      return provider === undefined ? [] : [{ id, title: provider.title }];
    }),
    providers,

    start: async (owner, request) => begin(await starting.start(owner, request)),

    async startRenewing(of, request) {
      const { value, guest } = await starting.startRenewing(of, request);
      return { value: await begin(value), guest };
    },

    sync: (paymentId) => runner.sync(paymentId),
    adopt: runner.adopt,

    async cancel(paymentId) {
      await folding.apply(paymentId, { cancel: true });
      await runSoon(await openOperation(paymentId, 'CANCEL'));
      const [payment] = await payments.findPayments(db, [paymentId]);
      if (payment?.orderId != null) {
        refuse('CONFLICT', 'The payment has succeeded, and its order was placed. Use orderCancel to cancel it.', [
          'id',
        ]);
      }
    },

    async capture(request) {
      const operationId = await requestCapture(request);
      await runSoon(operationId);
      const operation = (await findOperations(db, request.paymentId)).find(({ id }) => id === operationId);
      if (operation?.state === 'REFUSED')
        refuse('PAYMENT_REFUSED', 'The provider refused to capture the payment.', ['id']);
    },

    async refund(request) {
      const { refundId, operationId } = await refunding.refund(request);
      await runSoon(operationId);
      return refundId;
    },

    runOperation: runner.run,
    findWork: (limit, unheardAfterId) => upkeep.findWork(limit, unheardAfterId),
    warnOfLapse: (paymentId) => upkeep.warnOfLapse(paymentId),
    cancelUnpaid: (orderId) => upkeep.cancelUnpaid(orderId),
    async expire(paymentId) {
      await folding.apply(paymentId, { cancel: true });
    },
  };
}
