import { v7 as uuid } from 'uuid';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { OrderAmounts } from '../orders/order.service.ts';
import type { Moved } from './fold.ts';

/*
 * The ledger of money, with two sides (double-entry bookkeeping). Debits are positive. The entries of one posting add up to zero, and
 * nothing is ever changed or deleted: what was wrong is posted again with the sign reversed.
 *
 * RECEIVABLE is what customers owe, CLEARING what providers hold for the shop. Sales, shipping, tax are credits; discounts, refunds
 * and disputes are debits against them.
 */

export type MoneyAccount =
  'RECEIVABLE' | 'CLEARING' | 'SALES' | 'DISCOUNTS' | 'SHIPPING' | 'TAX' | 'REFUNDS' | 'DISPUTES';
export type MoneyReason = 'PLACED' | 'CAPTURED' | 'REFUNDED' | 'DISPUTED' | 'CANCELLED';

/** One posting. */
export interface Posting {
  reason: MoneyReason;
  orderId: string | null;
  paymentId: string | null;
  entries: readonly { account: MoneyAccount; amountMinor: bigint }[];
}

/** What a customer owes for a new order. */
export function placedPosting({ id, ...order }: OrderAmounts & { id: string }): Posting {
  const { totalMinor, discountMinor, shippingMinor, taxMinor } = order;
  return {
    reason: 'PLACED',
    orderId: id,
    paymentId: null,
    entries: [
      { account: 'RECEIVABLE', amountMinor: totalMinor },
      { account: 'DISCOUNTS', amountMinor: discountMinor },
      { account: 'SHIPPING', amountMinor: -shippingMinor },
      { account: 'TAX', amountMinor: -taxMinor },
      { account: 'SALES', amountMinor: shippingMinor + taxMinor - totalMinor - discountMinor },
    ],
  };
}

/** A cancelled order is owed no longer. @param refundedMinor what was refunded before, and so booked as a refund already */
export function cancelledPosting(orderId: string, totalMinor: bigint, refundedMinor: bigint): Posting {
  const amountMinor = totalMinor - refundedMinor;
  return {
    reason: 'CANCELLED',
    orderId,
    paymentId: null,
    entries: [
      { account: 'REFUNDS', amountMinor },
      { account: 'RECEIVABLE', amountMinor: -amountMinor },
    ],
  };
}

/** How money moved with a payment. @param isOwed whether there is an order that is not cancelled */
export function movedPostings(
  { paymentId, orderId, isOwed }: { paymentId: string; orderId: string | null; isOwed: boolean },
  { capturedMinor, refundedMinor, disputedMinor }: Moved,
): Posting[] {
  const of = { orderId, paymentId };
  return [
    {
      ...of,
      reason: 'CAPTURED',
      entries: [
        { account: 'CLEARING', amountMinor: capturedMinor },
        { account: 'RECEIVABLE', amountMinor: -capturedMinor },
      ],
    },
    {
      ...of,
      reason: 'REFUNDED',
      // Without an order that is owed, the customer has the money to good, and gets it from there.
      entries: [
        { account: isOwed ? 'REFUNDS' : 'RECEIVABLE', amountMinor: refundedMinor },
        { account: 'CLEARING', amountMinor: -refundedMinor },
      ],
    },
    {
      ...of,
      reason: 'DISPUTED',
      entries: [
        { account: 'DISPUTES', amountMinor: disputedMinor },
        { account: 'CLEARING', amountMinor: -disputedMinor },
      ],
    },
  ];
}

const insert: Statement = {
  name: 'money_insert',
  text: `INSERT INTO money_entries (posting_id, reason, account, amount_minor, order_id, payment_id, occurred_at)
         SELECT e.posting_id, e.reason::money_reason, e.account::money_account, e.amount_minor, e.order_id, e.payment_id, $1
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::uuid[])
             AS e(posting_id, reason, account, amount_minor, order_id, payment_id)`,
};

/**
 * Writes postings. Entries of zero are left out.
 * @throws Error if a posting does not add up to zero: the caller's bug
 */
export async function post(tx: Queryable, at: Date, postings: readonly Posting[]): Promise<void> {
  const rows = postings.flatMap(({ entries, ...of }) => {
    if (entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) !== 0n)
      throw new Error('a posting is not balanced');
    const postingId = uuid();
    return entries.filter(({ amountMinor }) => amountMinor !== 0n).map((entry) => ({ ...entry, ...of, postingId }));
  });
  if (rows.length === 0) return;
  await tx.query(insert, [
    at,
    rows.map(({ postingId }) => postingId),
    rows.map(({ reason }) => reason),
    rows.map(({ account }) => account),
    rows.map(({ amountMinor }) => amountMinor),
    rows.map(({ orderId }) => orderId),
    rows.map(({ paymentId }) => paymentId),
  ]);
}

/** An entry of the ledger. */
export interface MoneyEntry {
  id: string;
  postingId: string;
  reason: MoneyReason;
  account: MoneyAccount;
  /** Debits are positive. */
  amountMinor: bigint;
  orderId: string;
  occurredAt: Date;
}

const ofOrders: Statement = {
  name: 'money_entries_of_orders',
  // By the column: ORDER BY id would mean the text that is selected.
  text: `SELECT m.id::text, posting_id AS "postingId", reason, account, amount_minor AS "amountMinor", order_id AS "orderId",
                occurred_at AS "occurredAt"
           FROM money_entries m WHERE order_id = ANY($1::uuid[]) ORDER BY m.id`,
};

/** The entries of orders, oldest first. */
export function findEntriesOfOrders(source: Queryable, orderIds: readonly string[]): Promise<MoneyEntry[]> {
  return source.query<MoneyEntry>(ofOrders, [orderIds]);
}
