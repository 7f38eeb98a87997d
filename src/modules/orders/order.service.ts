import type { OrderLine } from '../../generated/prisma/client.ts';
import type { Found } from '../../infra/postgres/count.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import { createCheckout, type Checkout, type CheckoutDependencies, type PlacedOrder } from './checkout.ts';
import type { CheckoutRequest } from './checkout-rules.ts';
import { joinGuestOrders, type AddressOwner } from './guest-orders.ts';
import { createOrderAccess, type OrderAccess } from './order-access.ts';
import { createMoneySlot, type OrderMoney } from './order-money.ts';
import { createOrderLife, type OrderLife, type OrderSteps } from './order-transitions.ts';
import { createPlacing, type Placing } from './placing.ts';
import { parseOrderNumber } from './order-number.ts';
import * as pages from './order-page.ts';
import type { OrderQuery, OrderSort } from './order-page.ts';
import type { OwnedOrder } from './order-owner.ts';
import { findByNumber, findByNumberAndEmail, findIdsOf, findOwner, type OrderRow } from './order.repository.ts';

export type { PlacedOrder, Prepared } from './checkout.ts';
export { hashOf as hashOfCheckout, type CheckoutRequest } from './checkout-rules.ts';
export type { OrderAmounts, OrderMoney } from './order-money.ts';
export type { OrderRow } from './order.repository.ts';
export type { LockedOrder } from './order-transitions.repository.ts';
export type { OrderSteps, OrderUnits } from './order-transitions.ts';
export { unitsOf, type Placing, type Purchase } from './placing.ts';
export type { AddressOwner } from './guest-orders.ts';
export type { OrderQuery, OrderSort } from './order-page.ts';

/** The use cases of orders. Orders themselves are read through Prisma, once it is known who may see them. */
export interface OrderService extends OrderLife, OrderAccess {
  /**
   * Turns the owner's cart into an order, whole or not at all; the same key gives the same order.
   * @throws Refusal: CART_EMPTY, CART_EXPIRED, TOTAL_CHANGED, IDEMPOTENCY_KEY_REUSED, INVALID_INPUT
   */
  checkout(owner: CartOwner, request: CheckoutRequest): Promise<PlacedOrder>;
  /** The same for a guest who gets another token by it; see `Checkout`. */
  checkoutRenewing: Checkout['checkoutRenewing'];
  /** For payments: checks and prices a cart; see `Checkout`. */
  prepare: Checkout['prepare'];
  /** For payments: places an order; see `Placing`. */
  place: Placing['place'];
  /** For payments: steps of orders that follow them. */
  steps: OrderSteps;
  /** Attaches the bookkeeping of money. Once, before the first order. */
  attachMoney(money: OrderMoney): void;
  /** An order with its lines; null if there is none. The caller checks who may see it. */
  read(orderId: string): Promise<ReadOrder | null>;
  /** Whose an order is, or null where there is none. */
  ownerOf(orderId: string): Promise<OwnedOrder | null>;
  /** The ids of all orders of an owner. */
  idsOf(owner: CartOwner): Promise<string[]>;
  /** The order with this number, whosever it is, or null. */
  findByNumber(number: string): Promise<string | null>;
  /** A guest's order with this number and address, or null. */
  findByNumberAndEmail(number: string, email: string): Promise<string | null>;
  /**
   * Which orders a page has.
   * @param count gives the query's `count`
   */
  page(
    query: OrderQuery,
    sort: OrderSort,
    page: PageRequest,
    count: () => Promise<Found>,
  ): Promise<Page<{ id: string }>>;
  count(query: OrderQuery): Promise<Found>;
  /** One page of the orders of each given user. */
  pagesOfUsers(userIds: readonly string[], page: PageRequest): Promise<Map<string, Page<{ id: string }>>>;
  /** Number of orders by user. Users without orders are left out. */
  countsOfUsers(userIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * What guests ordered with the user's address becomes the user's, where that address is confirmed. In the caller's
   * transaction, which has the locks of the user and of the carts that it needs, and none of variants yet.
   * @returns the orders that joined
   */
  joinGuestOrders(tx: Transaction, user: AddressOwner): Promise<string[]>;
}

/** An order as it stands, with its lines. */
export type ReadOrder = OrderRow & { lines: OrderLine[] };

/** What orders need of the rest of the shop. */
export type OrderDependencies = Omit<CheckoutDependencies, 'placing'> &
  Omit<Parameters<typeof createOrderLife>[0], 'money'> &
  Omit<Parameters<typeof createPlacing>[0], 'money'> & { secrets: readonly string[] };

/** Wires the orders. */
export function createOrderService(deps: OrderDependencies): OrderService {
  const { db } = deps;
  const money = createMoneySlot();
  const placing = createPlacing({ ...deps, money });
  return {
    ...createOrderLife({ ...deps, money }),
    ...createOrderAccess(deps),
    ...createCheckout({ ...deps, placing }),
    ...placing,
    attachMoney: money.attach,
    joinGuestOrders,

    read: (orderId) =>
      db.prisma.order.findUnique({ where: { id: orderId }, include: { lines: { orderBy: { position: 'asc' } } } }),
    ownerOf: (orderId) => findOwner(db, orderId),
    idsOf: (owner) => findIdsOf(db, owner),

    async findByNumber(number) {
      const parsed = parseOrderNumber(number);
      return parsed === null ? null : findByNumber(db, parsed);
    },
    async findByNumberAndEmail(number, email) {
      const parsed = parseOrderNumber(number);
      return parsed === null ? null : findByNumberAndEmail(db, parsed, email);
    },

    page: (query, sort, page, count) => pages.findOrderPage(db, query, sort, page, count),
    count: (query) => pages.countOrders(db, query),
    pagesOfUsers: (userIds, page) => pages.findOrderPagesOfUsers(db, userIds, page),
    countsOfUsers: (userIds) => pages.countOrdersOfUsers(db, userIds),
  };
}
