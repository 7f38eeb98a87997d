import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** An entry of the CMS as it was last applied. */
export interface EntryRow {
  id: string;
  productId: string | null;
  /** 0 if unknown; then only the times show what is newer. */
  revision: number;
  changedAt: Date;
}

const COLUMNS = 'id, product_id AS "productId", revision, changed_at AS "changedAt"';

const insert: Statement = {
  name: 'contentful_entry_insert',
  text: `INSERT INTO contentful_entries (id, revision, changed_at, updated_at) VALUES ($1, 0, 'epoch', clock_timestamp())
         ON CONFLICT (id) DO NOTHING`,
};

const lock: Statement = {
  name: 'contentful_entry_lock',
  text: `SELECT ${COLUMNS} FROM contentful_entries WHERE id = $1 FOR NO KEY UPDATE`,
};

/**
 * Locks an entry against all else that would apply something of it, until the transaction ends. One that was never heard of
 * gets a row, older than anything. Comes before the locks of products and variants.
 */
export async function lockEntry(tx: Queryable, id: string): Promise<EntryRow> {
  await tx.query(insert, [id]);
  const [row] = await tx.query<EntryRow>(lock, [id]);
  if (row === undefined) throw new Error(`entry ${id} is gone right after it was written`);
  return row;
}

const update: Statement = {
  name: 'contentful_entry_update',
  text: `UPDATE contentful_entries SET product_id = $2, revision = $3, changed_at = $4, updated_at = clock_timestamp() WHERE id = $1`,
};

/** Writes what was applied; the caller has the lock. @throws a violation of `contentful_entries_product_id_key` */
export async function updateEntry(tx: Queryable, { id, productId, revision, changedAt }: EntryRow): Promise<void> {
  await tx.query(update, [id, productId, revision, changedAt]);
}

const ofProduct: Statement = {
  name: 'contentful_entry_of_product',
  text: `SELECT ${COLUMNS} FROM contentful_entries WHERE product_id = $1`,
};

/** The entry that a product is; null where it is none. */
export async function findEntryOfProduct(tx: Queryable, productId: string): Promise<EntryRow | null> {
  const [row] = await tx.query<EntryRow>(ofProduct, [productId]);
  return row ?? null;
}

const byIds: Statement = {
  name: 'contentful_entries_by_ids',
  text: `SELECT ${COLUMNS} FROM contentful_entries WHERE id = ANY($1::text[])`,
};

/** Entries by id, in no order. */
export function findEntries(source: Queryable, ids: readonly string[]): Promise<EntryRow[]> {
  return source.query<EntryRow>(byIds, [ids]);
}

const linked: Statement = {
  name: 'contentful_entries_linked',
  text: `SELECT ${COLUMNS} FROM contentful_entries WHERE product_id IS NOT NULL AND id > $1 ORDER BY id LIMIT $2`,
};

/** Entries that are products, in the order of their ids, after one of them (at first the empty text). */
export function findLinkedEntries(source: Queryable, after: string, limit: number): Promise<EntryRow[]> {
  return source.query<EntryRow>(linked, [after, limit]);
}
