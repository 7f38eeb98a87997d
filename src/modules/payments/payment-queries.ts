import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import { findEntriesOfOrders, type MoneyEntry } from './ledger.ts';
import { auditMoney } from './money-audit.ts';
import type { MoneyAudit } from './money-audit.types.ts';
import { findOperations, findOperationsOfPayments } from './operation.repository.ts';
import { countPayments, findPaymentPage, type PaymentQuery } from './payment-page.repository.ts';
import * as payments from './payment.repository.ts';
import type { PaymentOwners } from './payment.repository.ts';
import type { DisputeRow, OperationRow, PaymentRow, RefundRow } from './payment.types.ts';
import * as refunds from './refund.repository.ts';

/** What can be asked about payments. Nothing changes by it. */
export interface PaymentQueries {
  byIds(ids: readonly string[]): Promise<PaymentRow[]>;
  ownersOf(ids: readonly string[]): Promise<PaymentOwners[]>;
  /** The ids of all payments of somebody's carts and orders. */
  idsOf(owner: CartOwner): Promise<string[]>;
  /** The last payment of each cart. */
  ofCarts(cartIds: readonly string[]): Promise<PaymentRow[]>;
  ofOrders(orderIds: readonly string[]): Promise<PaymentRow[]>;
  refundsByIds(ids: readonly string[]): Promise<RefundRow[]>;
  refundsOfOrders(orderIds: readonly string[]): Promise<RefundRow[]>;
  disputesOf(paymentIds: readonly string[]): Promise<DisputeRow[]>;
  /** Oldest first. */
  operationsOf(paymentId: string): Promise<OperationRow[]>;
  /** Those of each payment, oldest first. */
  operationsOfPayments(paymentIds: readonly string[]): Promise<OperationRow[]>;
  /** The ledger of orders, oldest entries first. */
  entriesOfOrders(orderIds: readonly string[]): Promise<MoneyEntry[]>;
  /**
   * Compares the ledger of money with orders and payments.
   * @param after the order after which to begin; null: with the first, and payments without an order are checked as well
   * @param first how many orders; null: all
   */
  audit(after: string | null, first: number | null): Promise<MoneyAudit>;
  /** The payment that a provider knows by a reference; null if it is none of the shop's. */
  byReference(provider: string, reference: string): Promise<string | null>;
  /** A page of payments, the newest first. */
  page(query: PaymentQuery, page: PageRequest): Promise<Page<PaymentRow>>;
  /** How many payments the query finds, as far as lists count. */
  count(query: PaymentQuery): Promise<number>;
}

/** Answers from the database. */
export function createPaymentQueries(db: Database): PaymentQueries {
  return {
    byIds: (ids) => payments.findPayments(db, ids),
    ownersOf: (ids) => payments.findPaymentOwners(db, ids),
    idsOf: (owner) => payments.findPaymentIds(db, owner),
    ofCarts: (cartIds) => payments.findPaymentsOfCarts(db, cartIds),
    ofOrders: (orderIds) => payments.findPaymentsOfOrders(db, orderIds),
    refundsByIds: (ids) => refunds.findRefunds(db, ids),
    refundsOfOrders: (orderIds) => refunds.findRefundsOfOrders(db, orderIds),
    disputesOf: (paymentIds) => refunds.findDisputesOfPayments(db, paymentIds),
    operationsOf: (paymentId) => findOperations(db, paymentId),
    operationsOfPayments: (paymentIds) => findOperationsOfPayments(db, paymentIds),
    entriesOfOrders: (orderIds) => findEntriesOfOrders(db, orderIds),
    audit: (after, first) => auditMoney(db, after, first),
    byReference: (provider, reference) => payments.findByReference(db, provider, reference),
    page: (query, page) => findPaymentPage(db, query, page),
    count: (query) => countPayments(db, query),
  };
}
