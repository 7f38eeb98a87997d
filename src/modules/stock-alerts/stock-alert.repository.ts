import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** Somebody waits for a variant, or did. */
export interface StockAlert {
  id: string;
  variantId: string;
  /** Whose it is; null where somebody without an account signed up. */
  userId: string | null;
  email: string;
  status: 'WAITING' | 'NOTIFIED' | 'CANCELLED';
  createdAt: Date;
  notifiedAt: Date | null;
}

/** The columns of a StockAlert, of a table that is called `a`. */
export const ALERT_COLUMNS = `a.id, a.variant_id AS "variantId", a.user_id AS "userId", a.email, a.status,
  a.created_at AS "createdAt", a.notified_at AS "notifiedAt"`;

const addressLock: Statement = {
  name: 'stock_alert_lock_address',
  text: `SELECT pg_advisory_xact_lock(hashtextextended('stock alerts of ' || lower($1 COLLATE "C"), 0))`,
};

/**
 * Lets sign-ups of one address in one after the other, until the transaction ends. What is counted are rows that others may
 * be about to insert, and there is no row of an address that could be locked. It comes before all other locks.
 */
export async function lockAddress(tx: Queryable, email: string): Promise<void> {
  await tx.query(addressLock, [email]);
}

const waiting: Statement = {
  name: 'stock_alert_waiting',
  text: `SELECT ${ALERT_COLUMNS} FROM stock_alerts a
          WHERE a.variant_id = $1 AND lower(a.email) = lower($2 COLLATE "C") AND a.status = 'WAITING' FOR NO KEY UPDATE`,
};

/** The waiting alert of an address for a variant, locked. Alerts that were sent or cancelled meanwhile are not returned. */
export async function lockWaiting(tx: Queryable, variantId: string, email: string): Promise<StockAlert | null> {
  const [row] = await tx.query<StockAlert>(waiting, [variantId, email]);
  return row ?? null;
}

const countOfAddress: Statement = {
  name: 'stock_alert_count_of_address',
  text: `SELECT count(*)::int AS count FROM stock_alerts WHERE lower(email) = lower($1 COLLATE "C") AND status = 'WAITING'`,
};

/** How much an address waits for; the caller has its lock. */
export async function countWaitingOfAddress(tx: Queryable, email: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(countOfAddress, [email]);
  return row?.count ?? 0;
}

const insert: Statement = {
  name: 'stock_alert_insert',
  text: `INSERT INTO stock_alerts AS a (id, variant_id, user_id, email, created_at) VALUES ($1, $2, $3, $4, $5)
         RETURNING ${ALERT_COLUMNS}`,
};

/** Puts somebody at the end of those who wait. Under the variant's lock, so that their numbers follow their commits. */
export async function insertAlert(
  tx: Queryable,
  at: Date,
  alert: Pick<StockAlert, 'id' | 'variantId' | 'userId' | 'email'>,
): Promise<StockAlert> {
  const { id, variantId, userId, email } = alert;
  const [row] = await tx.query<StockAlert>(insert, [id, variantId, userId, email, at]);
  if (row === undefined) throw new Error('no alert was written');
  return row;
}

const setOwner: Statement = {
  name: 'stock_alert_set_owner',
  text: `UPDATE stock_alerts a SET user_id = $2 WHERE a.id = $1 RETURNING ${ALERT_COLUMNS}`,
};

/** Gives an alert, whose lock the caller has, to a user. */
export async function setAlertOwner(tx: Queryable, id: string, userId: string): Promise<StockAlert> {
  const [row] = await tx.query<StockAlert>(setOwner, [id, userId]);
  if (row === undefined) throw new Error(`alert ${id} is gone under its lock`);
  return row;
}

const join: Statement = {
  name: 'stock_alert_join',
  text: `UPDATE stock_alerts SET user_id = $1
          WHERE lower(email) = lower($2 COLLATE "C") AND status = 'WAITING' AND user_id IS NULL`,
};

/** Gives what an address waits for, being nobody's, to a user. */
export async function joinAlerts(tx: Queryable, userId: string, email: string): Promise<void> {
  await tx.query(join, [userId, email]);
}

const cancel: Statement = {
  name: 'stock_alert_cancel',
  text: `UPDATE stock_alerts SET status = 'CANCELLED'
          WHERE id = $1 AND status = 'WAITING' AND ($2::uuid IS NULL OR user_id = $2)`,
};

/**
 * Calls an alert off, if it still waits.
 * @param userId whose it must be; null: anybody's
 */
export async function cancelAlert(source: Queryable, id: string, userId: string | null): Promise<void> {
  await source.query(cancel, [id, userId]);
}

const cancelAll: Statement = {
  name: 'stock_alert_cancel_all',
  text: `UPDATE stock_alerts SET status = 'CANCELLED' WHERE lower(email) = lower($1 COLLATE "C") AND status = 'WAITING' RETURNING id`,
};

/** Calls off all that an address waits for. */
export async function cancelAlertsOf(tx: Queryable, email: string): Promise<number> {
  return (await tx.query(cancelAll, [email])).length;
}

const byIds: Statement = {
  name: 'stock_alert_by_ids',
  text: `SELECT ${ALERT_COLUMNS} FROM stock_alerts a WHERE a.id = ANY($1::uuid[])`,
};

/** Alerts by id, in no order. */
export function findAlerts(source: Queryable, ids: readonly string[]): Promise<StockAlert[]> {
  return source.query<StockAlert>(byIds, [ids]);
}
