import type { Page, PageRequest } from '../../infra/page.ts';
import { createSigner } from '../../infra/signer.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import { createCheckout, type CheckoutDependencies, type CheckoutRequest } from './checkout.ts';
import { countOrders, findOrderPage } from './order-page.ts';
import { findByNumberAndEmail } from './order.repository.ts';

export type { CheckoutRequest } from './checkout.ts';
export type { Address } from './order.repository.ts';

/** The use cases of orders. Orders themselves are read through Prisma, once it is known who may see them. */
export interface OrderService {
  /**
   * Turns the owner's cart into an order, whole or not at all; the same key gives the same order.
   * @returns the order's id
   * @throws Refusal: CART_EMPTY, CART_EXPIRED, TOTAL_CHANGED, IDEMPOTENCY_KEY_REUSED, INVALID_INPUT
   */
  checkout(owner: CartOwner, request: CheckoutRequest): Promise<string>;
  /** The token that grants this order alone; always the same for an order. */
  accessToken(orderId: string): string;
  /** The order that a token grants, or null where it is none of ours. */
  orderOfToken(token: string): string | null;
  /** A guest's order with this number and address, or null. */
  findByNumberAndEmail(number: string, email: string): Promise<string | null>;
  /** Which orders a page of a user's has, newest first. */
  pageOfUser(userId: string, page: PageRequest): Promise<Page<{ id: string }>>;
  countOfUser(userId: string): Promise<number>;
}

const ACCESS = 'order access';
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/;
const NUMBER = /^\d{1,15}$/;

/** Wires the orders. */
export function createOrderService(deps: CheckoutDependencies & { secrets: readonly string[] }): OrderService {
  const { db, secrets } = deps;
  const signer = createSigner(secrets);
  return {
    checkout: createCheckout(deps),

    accessToken(orderId) {
      const id = Buffer.from(orderId.replaceAll('-', ''), 'hex').toString('base64url');
      return `${id}.${signer.sign(ACCESS, orderId)}`;
    },

    orderOfToken(token) {
      const [, id, tag] = TOKEN.exec(token) ?? [];
      if (id === undefined || tag === undefined) return null;
      const hex = Buffer.from(id, 'base64url').toString('hex');
      const orderId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      return signer.verify(ACCESS, orderId, tag) ? orderId : null;
    },

    async findByNumberAndEmail(number, email) {
      return NUMBER.test(number) ? findByNumberAndEmail(db, BigInt(number), email) : null;
    },

    pageOfUser: (userId, page) => findOrderPage(db, userId, page),
    countOfUser: (userId) => countOrders(db, userId),
  };
}
