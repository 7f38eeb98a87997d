import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** What prices need to know of a customer. */
export interface CustomerRow {
  isTaxExempt: boolean;
  /** Under what the customer's uses of promotions are recorded: the user's ID, and addresses in lower case. */
  keys: string[];
  hasOrders: boolean;
}

// A guest who gives the address of an account counts as that account, or a limit could be passed by logging out.
const customer: Statement = {
  name: 'pricing_customer',
  text: `
WITH me AS (
  SELECT id, lower(email COLLATE "C") AS email, tax_exempt FROM users
   WHERE id = $1::uuid OR ($1::uuid IS NULL AND lower(email) = lower($2 COLLATE "C"))
)
SELECT coalesce((SELECT tax_exempt FROM me WHERE id = $1::uuid), false) AS "isTaxExempt",
       ARRAY(SELECT id::text FROM me UNION SELECT email FROM me UNION SELECT lower($2 COLLATE "C") WHERE $2 IS NOT NULL) AS keys,
       $3::boolean AND (
         EXISTS (SELECT FROM orders WHERE user_id IN (SELECT id FROM me) AND status <> 'CANCELLED')
         OR EXISTS (SELECT FROM orders WHERE lower(email) = lower($2 COLLATE "C") AND status <> 'CANCELLED')) AS "hasOrders"`,
};

/**
 * What is known of a customer.
 * @param of the account, or the address that a guest gave; both null: an unknown guest
 * @param withHistory whether earlier orders matter
 */
export async function findCustomer(
  source: Queryable,
  { userId, email }: { userId: string | null; email: string | null },
  withHistory: boolean,
): Promise<CustomerRow> {
  const [row] = await source.query<CustomerRow>(customer, [userId, email, withHistory]);
  if (row === undefined) throw new Error('a statement without FROM gave no row');
  return row;
}

/** How much of a promotion's limits is used. */
export interface UsageRow {
  id: string;
  used: number;
  spentMinor: bigint;
  usedByCustomer: number;
}

const usage: Statement = {
  name: 'pricing_usage',
  text: `SELECT p.id, p.used, p.spent_minor AS "spentMinor",
                (SELECT count(*)::int FROM promotion_uses u
                  WHERE u.promotion_id = p.id AND u.customer = ANY($2::text[]) AND u.returned_at IS NULL) AS "usedByCustomer"
           FROM promotions p WHERE p.id = ANY($1::uuid[])`,
};

/** The counters of promotions with limits, and the customer's own uses. Under their locks, what it gives is what is true. */
export async function findUsage(
  source: Queryable,
  promotionIds: readonly string[],
  customerKeys: readonly string[],
): Promise<Map<string, UsageRow>> {
  const rows = await source.query<UsageRow>(usage, [promotionIds, customerKeys]);
  return new Map(rows.map((row) => [row.id, row]));
}

const lock: Statement = {
  name: 'pricing_lock_promotions',
  text: 'SELECT id FROM promotions WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE',
};

/** Locks promotions by id, in order: after orders, before variants. */
export async function lockPromotions(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(lock, [ids]);
}

/** A promotion with limits that an order has used. */
export interface PromotionUse {
  promotionId: string;
  code: string | null;
  amountMinor: bigint;
}

// Statements that change data see none of each other's changes, so the counters after the change are computed here.
const use: Statement = {
  name: 'pricing_use_promotions',
  text: `
WITH uses AS (
  SELECT * FROM unnest($4::uuid[], $5::text[], $6::bigint[]) AS u(promotion_id, code, amount_minor)
), inserted AS (
  INSERT INTO promotion_uses (promotion_id, order_id, payment_id, customer, code, amount_minor, used_at)
  SELECT promotion_id, $1::uuid, $7::uuid, $2, code, amount_minor, $3 FROM uses
)
UPDATE promotions p SET used = p.used + 1, spent_minor = p.spent_minor + u.amount_minor
  FROM uses u WHERE p.id = u.promotion_id
RETURNING p.id, p.used >= p.usage_limit OR p.spent_minor >= p.budget_minor AS "isUsedUp"`,
};

/** What uses promotions: an order, or a payment, which reserves them for the order that it will place. */
export type UseSubject = { orderId: string } | { paymentId: string };

/** Records uses, under the promotions' locks. @returns the promotions that are used up by them */
export async function insertUses(
  tx: Queryable,
  at: Date,
  { subject, customer: key, uses }: { subject: UseSubject; customer: string; uses: readonly PromotionUse[] },
): Promise<string[]> {
  const rows = await tx.query<{ id: string; isUsedUp: boolean | null }>(use, [
    'orderId' in subject ? subject.orderId : null,
    key,
    at,
    uses.map(({ promotionId }) => promotionId),
    uses.map(({ code }) => code),
    uses.map(({ amountMinor }) => amountMinor),
    'paymentId' in subject ? subject.paymentId : null,
  ]);
  return rows.filter((row) => row.isUsedUp === true).map((row) => row.id);
}

/** The uses of an order, or what a payment has reserved and no order has taken over. */
const ofSubject = { order: 'order_id = $1', payment: 'payment_id = $1 AND order_id IS NULL' };

const usesOf = (subject: keyof typeof ofSubject): Statement => ({
  name: `pricing_uses_of_${subject}`,
  text: `SELECT promotion_id AS id FROM promotion_uses WHERE ${ofSubject[subject]}`,
});
const usesOfOrder = usesOf('order');
const usesOfPayment = usesOf('payment');

/** The promotions that an order uses, or that a payment has reserved, whether or not it has given them back. */
export async function findUsesOf(tx: Queryable, subject: UseSubject): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    ...('orderId' in subject
      ? ([usesOfOrder, [subject.orderId]] as const)
      : ([usesOfPayment, [subject.paymentId]] as const)),
  );
  return rows.map((row) => row.id);
}

// The order of a payment that had failed before stands whether or not its promotions have been used up meanwhile; then their limits hold,
// and the use is not counted.
const takeOver: Statement = {
  name: 'pricing_take_over_uses',
  text: `
WITH reserved AS (
  SELECT id, promotion_id, amount_minor, returned_at FROM promotion_uses WHERE payment_id = $1 AND order_id IS NULL
), counted AS (
  UPDATE promotions p SET used = p.used + 1, spent_minor = p.spent_minor + r.amount_minor
    FROM reserved r
   WHERE r.promotion_id = p.id AND r.returned_at IS NOT NULL
     AND (p.usage_limit IS NULL OR p.used < p.usage_limit)
     AND (p.budget_minor IS NULL OR p.spent_minor + r.amount_minor <= p.budget_minor)
  RETURNING p.id, p.used >= p.usage_limit OR p.spent_minor >= p.budget_minor AS "isUsedUp"
), taken AS (
  UPDATE promotion_uses u SET order_id = $2, returned_at = NULL
    FROM reserved r WHERE u.id = r.id AND (r.returned_at IS NULL OR r.promotion_id IN (SELECT id FROM counted))
)
SELECT id, "isUsedUp" FROM counted`,
};

/**
 * Makes what a payment has reserved the uses of an order, under the promotions' locks. What the payment has given back since is counted
 * once more.
 * @returns the promotions that are used up by that
 */
export async function takeOverUses(tx: Queryable, paymentId: string, orderId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string; isUsedUp: boolean | null }>(takeOver, [paymentId, orderId]);
  return rows.filter((row) => row.isUsedUp === true).map((row) => row.id);
}

const giveBackOf = (subject: keyof typeof ofSubject): Statement => ({
  name: `pricing_give_back_of_${subject}`,
  text: `
WITH returned AS (
  UPDATE promotion_uses SET returned_at = $2 WHERE ${ofSubject[subject]} AND returned_at IS NULL RETURNING promotion_id, amount_minor
)
UPDATE promotions p SET used = p.used - 1, spent_minor = p.spent_minor - r.amount_minor
  FROM returned r WHERE p.id = r.promotion_id
RETURNING p.id, p.used + 1 >= p.usage_limit OR p.spent_minor + r.amount_minor >= p.budget_minor AS "wasUsedUp"`,
});
const giveBackOfOrder = giveBackOf('order');
const giveBackOfPayment = giveBackOf('payment');

/**
 * Gives the uses of an order back, or what a payment has reserved, under the promotions' locks; a second time it does nothing.
 * @returns those that were used up
 */
export async function returnUses(tx: Queryable, at: Date, subject: UseSubject): Promise<string[]> {
  const [statement, id] =
    'orderId' in subject ? [giveBackOfOrder, subject.orderId] : [giveBackOfPayment, subject.paymentId];
  const rows = await tx.query<{ id: string; wasUsedUp: boolean | null }>(statement, [id, at]);
  return rows.filter((row) => row.wasUsedUp === true).map((row) => row.id);
}
