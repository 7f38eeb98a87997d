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
  INSERT INTO promotion_uses (promotion_id, order_id, customer, code, amount_minor, used_at)
  SELECT promotion_id, $1::uuid, $2, code, amount_minor, $3 FROM uses
)
UPDATE promotions p SET used = p.used + 1, spent_minor = p.spent_minor + u.amount_minor
  FROM uses u WHERE p.id = u.promotion_id
RETURNING p.id, p.used >= p.usage_limit OR p.spent_minor >= p.budget_minor AS "isUsedUp"`,
};

/** Records uses, under the promotions' locks. @returns the promotions that are used up by them */
export async function insertUses(
  tx: Queryable,
  at: Date,
  { orderId, customer: key, uses }: { orderId: string; customer: string; uses: readonly PromotionUse[] },
): Promise<string[]> {
  const rows = await tx.query<{ id: string; isUsedUp: boolean | null }>(use, [
    orderId,
    key,
    at,
    uses.map(({ promotionId }) => promotionId),
    uses.map(({ code }) => code),
    uses.map(({ amountMinor }) => amountMinor),
  ]);
  return rows.filter((row) => row.isUsedUp === true).map((row) => row.id);
}

const usesOf: Statement = {
  name: 'pricing_uses_of_order',
  text: 'SELECT promotion_id AS id FROM promotion_uses WHERE order_id = $1 AND returned_at IS NULL',
};

/** The promotions that an order uses. */
export async function findUsesOf(tx: Queryable, orderId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(usesOf, [orderId]);
  return rows.map((row) => row.id);
}

const giveBack: Statement = {
  name: 'pricing_give_back',
  text: `
WITH returned AS (
  UPDATE promotion_uses SET returned_at = $2 WHERE order_id = $1 AND returned_at IS NULL RETURNING promotion_id, amount_minor
)
UPDATE promotions p SET used = p.used - 1, spent_minor = p.spent_minor - r.amount_minor
  FROM returned r WHERE p.id = r.promotion_id
RETURNING p.id, p.used + 1 >= p.usage_limit OR p.spent_minor + r.amount_minor >= p.budget_minor AS "wasUsedUp"`,
};

/** Gives the uses of an order back, under the promotions' locks; a second time it does nothing. @returns those that were used up */
export async function returnUses(tx: Queryable, at: Date, orderId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string; wasUsedUp: boolean | null }>(giveBack, [orderId, at]);
  return rows.filter((row) => row.wasUsedUp === true).map((row) => row.id);
}
