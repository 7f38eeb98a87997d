import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/*
 * The row of a chain is its lock and its truth. Who begins one takes the row's lock even where the chain is there already: a
 * chain that just ends (its row deleted, not yet committed) is waited for and then begun anew, so that no restock is lost.
 * ON CONFLICT DO NOTHING would not do: it does not wait for a transaction that has locked the row and is about to delete it.
 */
const start: Statement = {
  name: 'stock_alert_chains_start',
  text: `
INSERT INTO stock_alert_chains AS c (variant_id, started_at, next_batch_at)
SELECT v.id, clock_timestamp(), clock_timestamp()
  FROM (SELECT id FROM product_variants WHERE id = ANY($1::uuid[])
        UNION SELECT id FROM product_variants WHERE product_id = ANY($2::uuid[])) AS meant
  JOIN product_variants v ON v.id = meant.id
  JOIN products p ON p.id = v.product_id
 WHERE p.status = 'ACTIVE' AND v.archived_at IS NULL AND v.available > 0
   AND EXISTS (SELECT FROM stock_alerts a WHERE a.variant_id = v.id AND a.status = 'WAITING')
 ORDER BY v.id
ON CONFLICT (variant_id) DO UPDATE SET next_batch_at = c.next_batch_at RETURNING variant_id AS "variantId"`,
};

/** Variants, and products all of whose variants are meant. */
export interface ChainSubjects {
  variantIds: readonly string[];
  productIds: readonly string[];
}

/**
 * Begins the chains of variants that can be bought now and for which somebody waits.
 * @returns the variants that have a chain now
 */
export async function startChains(tx: Queryable, { variantIds, productIds }: ChainSubjects): Promise<string[]> {
  const rows = await tx.query<{ variantId: string }>(start, [variantIds, productIds]);
  return rows.map((row) => row.variantId);
}

/** A chain as its row has it. */
export interface Chain {
  nextBatchAt: Date;
  /** Alerts of the current batch that are still to be sent; 0: the next alert starts a batch. */
  batchLeft: number;
}

const lock: Statement = {
  name: 'stock_alert_chain_lock',
  text: `SELECT next_batch_at AS "nextBatchAt", batch_left AS "batchLeft" FROM stock_alert_chains
          WHERE variant_id = $1 FOR UPDATE SKIP LOCKED`,
};

/** Locks a chain; null where there is none, or where somebody is at it already. */
export async function lockChain(tx: Queryable, variantId: string): Promise<Chain | null> {
  const [row] = await tx.query<Chain>(lock, [variantId]);
  return row ?? null;
}

const setNext: Statement = {
  name: 'stock_alert_chain_set_next',
  text: 'UPDATE stock_alert_chains SET next_batch_at = $2, batch_left = $3 WHERE variant_id = $1',
};

/** Says when a chain goes on, and with what; the caller has its lock. */
export async function setChain(tx: Queryable, variantId: string, { nextBatchAt, batchLeft }: Chain): Promise<void> {
  await tx.query(setNext, [variantId, nextBatchAt, batchLeft]);
}

const end: Statement = { name: 'stock_alert_chain_end', text: 'DELETE FROM stock_alert_chains WHERE variant_id = $1' };

/** Ends a chain; the caller has its lock. */
export async function endChain(tx: Queryable, variantId: string): Promise<void> {
  await tx.query(end, [variantId]);
}

const due: Statement = {
  name: 'stock_alert_chain_due',
  text: `SELECT variant_id AS "variantId" FROM stock_alert_chains WHERE next_batch_at <= clock_timestamp()
          ORDER BY next_batch_at LIMIT $1`,
};

/** The variants of chains that are due, the longest first. */
export async function findDueChains(source: Queryable, limit: number): Promise<string[]> {
  const rows = await source.query<{ variantId: string }>(due, [limit]);
  return rows.map((row) => row.variantId);
}

/** An alert that was just marked as sent. */
export interface Notified {
  id: string;
  email: string;
  /** The account that signed up, if it was one. */
  ownerId: string | null;
  /** ID of the account if the address is its own: an alert for another address is not an email of the account. */
  accountId: string | null;
}

// The statement waits for a row that is being canceled; LIMIT counts what is left after that.
const notify: Statement = {
  name: 'stock_alert_notify',
  text: `
WITH turn AS MATERIALIZED (
  SELECT id FROM stock_alerts WHERE variant_id = $1 AND status = 'WAITING' AND id <> ALL($4::uuid[])
   ORDER BY number LIMIT $2 FOR NO KEY UPDATE
), notified AS (
  UPDATE stock_alerts a SET status = 'NOTIFIED', notified_at = $3 FROM turn WHERE a.id = turn.id
  RETURNING a.id, a.number, a.user_id, a.email
)
SELECT t.id, t.email, owner.id AS "ownerId", CASE WHEN lower(owner.email) = lower(t.email) THEN owner.id END AS "accountId"
  FROM notified t LEFT JOIN users owner ON owner.id = t.user_id ORDER BY t.number`,
};

/** Alerts that are sent next. */
export interface Next {
  variantId: string;
  limit: number;
  /** IDs of alerts to skip. */
  without: readonly string[];
}

/** Marks the next waiting alerts of a variant as sent and returns them, in the order of their creation. */
export function markNotified(tx: Queryable, at: Date, { variantId, limit, without }: Next): Promise<Notified[]> {
  return tx.query<Notified>(notify, [variantId, limit, at, without]);
}

const first: Statement = {
  name: 'stock_alert_first',
  text: `SELECT id FROM stock_alerts WHERE variant_id = $1 AND status = 'WAITING' AND id <> ALL($2::uuid[])
          ORDER BY number LIMIT 1`,
};

/** The alert that is sent next; null if there is none. */
export async function findFirst(
  source: Queryable,
  variantId: string,
  without: readonly string[],
): Promise<string | null> {
  const [row] = await source.query<{ id: string }>(first, [variantId, without]);
  return row?.id ?? null;
}

const anybody: Statement = {
  name: 'stock_alert_anybody',
  text: `SELECT FROM stock_alerts WHERE variant_id = $1 AND status = 'WAITING' LIMIT 1`,
};

/** Whether anybody waits for a variant. */
export async function isAnybodyWaiting(tx: Queryable, variantId: string): Promise<boolean> {
  return (await tx.query(anybody, [variantId])).length > 0;
}
