import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import { readTerms, writeTerms } from './frozen-terms.ts';
import type { PaymentBooks } from './fold.ts';
import type { PaymentRow, PaymentTerms, ReturnReason } from './payment.types.ts';
import type { ClientData } from './providers/provider.types.ts';

/** What a payment consists of, from `payments p`. */
export const PAYMENT_COLUMNS = `p.id, p.cart_id AS "cartId", p.order_id AS "orderId", p.provider, p.reference, p.state, p.currency,
  p.amount_minor AS "amountMinor", p.authorized_minor AS "authorizedMinor", p.captured_minor AS "capturedMinor",
  p.refunded_minor AS "refundedMinor", p.refund_pending_minor AS "refundPendingMinor", p.disputed_minor AS "disputedMinor",
  p.client_data AS "clientData", p.deadline, p.lapses_at AS "lapsesAt", p.failure, p.return_reason AS "returnReason", p.problem,
  p.version, p.created_at AS "createdAt", p.updated_at AS "updatedAt"`;

const insert: Statement = {
  name: 'payment_insert',
  text: `INSERT INTO payments (id, cart_id, provider, currency, amount_minor, quote_hash, terms, idempotency_key, request_hash, deadline,
                               created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11, $11)`,
};

/** Writes a payment that begins; the caller has the lock of its cart. */
export async function insertPayment(
  tx: Queryable,
  at: Date,
  payment: {
    id: string;
    cartId: string;
    provider: string;
    terms: PaymentTerms;
    idempotencyKey: string;
    requestHash: Buffer;
    deadline: Date;
  },
): Promise<void> {
  const { id, cartId, provider, terms, idempotencyKey, requestHash, deadline } = payment;
  const { currency, totalMinor, hash } = terms.quote;
  await tx.query(insert, [
    ...[id, cartId, provider, currency, totalMinor, hash],
    ...[writeTerms(terms), idempotencyKey, requestHash, deadline, at],
  ]);
}

const insertOutside: Statement = {
  name: 'payment_insert_outside',
  text: `INSERT INTO payments (id, cart_id, order_id, provider, state, currency, amount_minor, authorized_minor, captured_minor, created_at,
                               updated_at)
         SELECT $1, cart_id, id, 'manual', 'CAPTURED', currency, total_minor, total_minor, total_minor, $3, $3 FROM orders WHERE id = $2
         RETURNING amount_minor AS "amountMinor"`,
};

/** Writes that an order was paid outside of the shop; the caller has its lock. @returns the amount */
export async function insertOutsidePayment(tx: Queryable, at: Date, id: string, orderId: string): Promise<bigint> {
  const [row] = await tx.query<{ amountMinor: bigint }>(insertOutside, [id, orderId, at]);
  if (row === undefined) throw new Error(`order ${orderId} is gone under its lock`);
  return row.amountMinor;
}

// The clause that says whose the cart is comes with the owner, so that each goes by its own index.
const byKey = (column: string, suffix: string): Statement => ({
  name: `payment_by_key${suffix}`,
  text: `SELECT ${PAYMENT_COLUMNS}, p.request_hash AS "requestHash" FROM carts c JOIN payments p ON p.cart_id = c.id
          WHERE c.${column} = $1 AND p.idempotency_key = $2 ORDER BY p.created_at LIMIT 1`,
});
const byKeyOfGuest = byKey('guest_id', '');
const byKeyOfUser = byKey('user_id', '_of_user');

/** The payment that a guest or user has begun under a key, and the hash of what was asked for. */
export async function findPaymentByKey(
  source: Queryable,
  owner: CartOwner,
  key: string,
): Promise<(PaymentRow & { requestHash: Buffer }) | null> {
  const [statement, ownerId] = 'userId' in owner ? [byKeyOfUser, owner.userId] : [byKeyOfGuest, owner.guestId];
  const [row] = await source.query<PaymentRow & { requestHash: Buffer }>(statement, [ownerId, key]);
  return row ?? null;
}

const byIds: Statement = {
  name: 'payments_by_ids',
  text: `SELECT ${PAYMENT_COLUMNS} FROM payments p WHERE p.id = ANY($1::uuid[])`,
};

/** Payments by ID, in no order. */
export function findPayments(source: Queryable, ids: readonly string[]): Promise<PaymentRow[]> {
  return source.query<PaymentRow>(byIds, [ids]);
}

/** Whose a payment is: the owner of its cart, and of its order, which may have joined an account. */
export interface PaymentOwners {
  id: string;
  guestId: string | null;
  userId: string | null;
  orderGuestId: string | null;
  orderUserId: string | null;
}

const ownersOf: Statement = {
  name: 'payment_owners',
  text: `SELECT p.id, c.guest_id AS "guestId", c.user_id AS "userId", o.guest_id AS "orderGuestId", o.user_id AS "orderUserId"
           FROM payments p JOIN carts c ON c.id = p.cart_id LEFT JOIN orders o ON o.id = p.order_id WHERE p.id = ANY($1::uuid[])`,
};

/** Whose payments are. */
export function findPaymentOwners(source: Queryable, ids: readonly string[]): Promise<PaymentOwners[]> {
  return source.query<PaymentOwners>(ownersOf, [ids]);
}

const idsOf = (column: string, suffix: string): Statement => ({
  name: `payment_ids_of${suffix}`,
  text: `SELECT p.id FROM carts c JOIN payments p ON p.cart_id = c.id WHERE c.${column} = $1
         UNION SELECT p.id FROM orders o JOIN payments p ON p.order_id = o.id WHERE o.${column} = $1`,
});
const idsOfGuest = idsOf('guest_id', '_guest');
const idsOfUser = idsOf('user_id', '_user');

/** The ids of all payments of somebody's carts and orders. */
export async function findPaymentIds(source: Queryable, owner: CartOwner): Promise<string[]> {
  const [statement, ownerId] = 'userId' in owner ? [idsOfUser, owner.userId] : [idsOfGuest, owner.guestId];
  return (await source.query<{ id: string }>(statement, [ownerId])).map(({ id }) => id);
}

const ofCarts: Statement = {
  name: 'payments_of_carts',
  text: `SELECT DISTINCT ON (p.cart_id) ${PAYMENT_COLUMNS} FROM payments p WHERE p.cart_id = ANY($1::uuid[])
          ORDER BY p.cart_id, p.created_at DESC, p.id DESC`,
};

/** The last payment of each cart. */
export function findPaymentsOfCarts(source: Queryable, cartIds: readonly string[]): Promise<PaymentRow[]> {
  return source.query<PaymentRow>(ofCarts, [cartIds]);
}

const ofOrders: Statement = {
  name: 'payments_of_orders',
  text: `SELECT ${PAYMENT_COLUMNS} FROM payments p WHERE p.order_id = ANY($1::uuid[]) ORDER BY p.created_at, p.id`,
};

/** The payments of orders, oldest first. */
export function findPaymentsOfOrders(source: Queryable, orderIds: readonly string[]): Promise<PaymentRow[]> {
  return source.query<PaymentRow>(ofOrders, [orderIds]);
}

const byReference: Statement = {
  name: 'payment_by_reference',
  text: `SELECT id FROM payments WHERE provider = $1 AND reference = $2`,
};

/** The payment that a provider knows by a reference; null if it is none of the shop's. */
export async function findByReference(source: Queryable, provider: string, reference: string): Promise<string | null> {
  const [row] = await source.query<{ id: string }>(byReference, [provider, reference]);
  return row?.id ?? null;
}

const lock: Statement = { name: 'payment_lock', text: 'SELECT id FROM payments WHERE id = $1 FOR NO KEY UPDATE' };
const terms: Statement = {
  name: 'payment_terms',
  text: `SELECT terms, request_hash AS "requestHash", deadline <= clock_timestamp() AS "isOverdue" FROM payments WHERE id = $1`,
};

/** Locks a payment: after its cart, before its order. Null if there is none. */
export async function lockPayment(tx: Queryable, id: string): Promise<PaymentRow | null> {
  await tx.query(lock, [id]);
  const [row] = await findPayments(tx, [id]);
  return row ?? null;
}

const lockOf: Statement = {
  name: 'payments_lock_of_order',
  text: 'SELECT id FROM payments WHERE order_id = $1 ORDER BY id FOR NO KEY UPDATE',
};

/** Locks the payments of an order, in order of their ids. */
export async function lockPaymentsOf(tx: Queryable, orderId: string): Promise<void> {
  await tx.query(lockOf, [orderId]);
}

/** What was frozen when the payment began; null for a payment outside of the shop. */
export async function findTerms(
  tx: Queryable,
  id: string,
): Promise<{ terms: PaymentTerms; requestHash: Buffer; isOverdue: boolean } | null> {
  const [row] = await tx.query<{ terms: unknown; requestHash: Buffer; isOverdue: boolean }>(terms, [id]);
  return row === undefined || row.terms === null ? null : { ...row, terms: readTerms(row.terms) };
}

/** What a change leaves of a payment. */
export interface PaymentWrite extends Omit<PaymentBooks, 'refunds' | 'disputes' | 'amountMinor' | 'currency'> {
  id: string;
  orderId: string | null;
  reference: string | null;
  clientData: ClientData | null;
  returnReason: ReturnReason | null;
  problem: string | null;
}

const write: Statement = {
  name: 'payment_write',
  text: `UPDATE payments SET order_id = $2, reference = $3, state = $4::payment_state, authorized_minor = $5, captured_minor = $6,
                refunded_minor = $7, refund_pending_minor = $8, disputed_minor = $9, client_data = $10::jsonb, lapses_at = $11,
                failure = $12, return_reason = $13::payment_return, problem = $14, updated_at = $15, version = version + 1
          WHERE id = $1`,
};

/** Writes a change of a payment and raises its version; the caller has its lock. */
export async function writePayment(tx: Queryable, at: Date, payment: PaymentWrite): Promise<void> {
  await tx.query(write, [
    payment.id,
    payment.orderId,
    payment.reference,
    payment.state,
    payment.authorizedMinor,
    payment.capturedMinor,
    payment.refundedMinor,
    payment.refundPendingMinor,
    payment.disputedMinor,
    payment.clientData === null ? null : JSON.stringify(payment.clientData),
    payment.lapsesAt,
    payment.failure,
    payment.returnReason,
    payment.problem,
    at,
  ]);
}

const pendingRefund: Statement = {
  name: 'payment_add_pending_refund',
  text: `UPDATE payments SET refund_pending_minor = refund_pending_minor + $2, updated_at = clock_timestamp(), version = version + 1
          WHERE id = $1`,
};

/** Counts a refund that was just written; the caller has the payment's lock. */
export async function addPendingRefund(tx: Queryable, id: string, amountMinor: bigint): Promise<void> {
  await tx.query(pendingRefund, [id, amountMinor]);
}

const orderTotal: Statement = {
  name: 'payment_order_total',
  text: 'SELECT total_minor AS "totalMinor" FROM orders WHERE id = $1',
};

/** What an order costs. */
export async function findOrderTotal(tx: Queryable, orderId: string): Promise<bigint> {
  const [row] = await tx.query<{ totalMinor: bigint }>(orderTotal, [orderId]);
  if (row === undefined) throw new Error(`order ${orderId} is gone`);
  return row.totalMinor;
}

const problem: Statement = {
  name: 'payment_problem',
  text: `UPDATE payments SET problem = $2, updated_at = clock_timestamp(), version = version + 1 WHERE id = $1 AND problem IS DISTINCT FROM $2`,
};

/** Writes what staff must look at; the caller has the payment's lock. */
export async function writeProblem(tx: Queryable, id: string, text: string): Promise<void> {
  await tx.query(problem, [id, text]);
}
