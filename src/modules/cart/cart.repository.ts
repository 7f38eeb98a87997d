import { RetryTransaction, type Queryable, type Statement } from '../../infra/postgres/database.ts';
import type { Address } from '../addresses/address.types.ts';
import type { CartOwner, OwnerColumns } from './cart-owner.ts';
import { forOwner, ofOwner } from './owner-statement.ts';

export type CartStatus = 'ACTIVE' | 'EXPIRED' | 'CHECKED_OUT' | 'MERGED';

export interface CartLine {
  id: string;
  variantId: string;
  quantity: number;
  /** The price at which it was put in. */
  unitPriceMinor: number;
  position: number;
}

/** A cart as everyone is to see it: `status` is EXPIRED from the moment its time is over. */
export interface Cart extends OwnerColumns {
  id: string;
  status: CartStatus;
  email: string | null;
  version: number;
  holdStartedAt: Date | null;
  expiresAt: Date | null;
  lines: CartLine[];
  /** As the owner entered them, in that order. */
  discountCodes: string[];
  shippingAddress: Address | null;
  /** The owner's choice, whether or not it is available. */
  shippingMethodId: string | null;
  /** The payment in progress, which pins the cart: it cannot be edited. Null if there is none. */
  paymentId: string | null;
  /** How often payments have pinned it since its hold began. */
  pins: number;
  /** The version of the terms of prices when the cart was read, and the time by the database. */
  termsVersion: bigint;
  readAt: Date;
}

/** A cart as a writer finds it under its lock. */
export interface LockedCart extends Cart {
  /** Its row says ACTIVE: its units are held, even where its time is over. */
  holds: boolean;
}

// The one definition of a cart's status. Time is the database's.
const STATUS = `CASE WHEN c.status = 'ACTIVE' AND c.expires_at <= clock_timestamp() THEN 'EXPIRED' ELSE c.status END AS status`;

// As json, not jsonb: it is only passed on.
const LINES_OF_GROUP = `json_agg(json_build_object('id', l.id, 'variantId', l.variant_id, 'quantity', l.quantity,
                                      'unitPriceMinor', l.unit_price_minor, 'position', l.position) ORDER BY l.position, l.id)`;

const LINES = `coalesce((SELECT ${LINES_OF_GROUP} FROM cart_lines l WHERE l.cart_id = c.id), '[]') AS lines`;

/** The lines of carts: `cart_id` and `lines` of each that has any. @param ids an SQL array of their ids */
export const linesOfCarts = (ids: string): string =>
  `SELECT l.cart_id, ${LINES_OF_GROUP} AS lines FROM cart_lines l WHERE l.cart_id = ANY(${ids}) GROUP BY l.cart_id`;

/** The columns of a LockedCart, of a table that is called `c`, without lines and the version of the terms of prices. */
export const BARE_CART = `c.id, c.guest_id AS "guestId", c.user_id AS "userId", ${STATUS}, c.email, c.version, c.hold_started_at AS "holdStartedAt",
  c.expires_at AS "expiresAt", c.status = 'ACTIVE' AS holds, c.discount_codes AS "discountCodes",
  c.shipping_address AS "shippingAddress", c.shipping_method_id AS "shippingMethodId", c.payment_id AS "paymentId", c.pins,
  clock_timestamp() AS "readAt"`;

const COLUMNS = `${BARE_CART}, ${LINES}, (SELECT version FROM pricing_version) AS "termsVersion"`;

// A cart that is live no more once its lock is granted gives `locked` null; its row stays locked all the same.
const lockLive = ofOwner(
  'cart_lock_live',
  (column) => `SELECT (SELECT id FROM carts WHERE id = seen.id AND status = 'ACTIVE' FOR NO KEY UPDATE) AS locked
                 FROM carts seen WHERE ${column} = $1 AND status = 'ACTIVE'`,
);

/**
 * Locks the owner's cart that holds units (or is empty), overdue or not. Null where there is none: then nothing is locked.
 * @throws RetryTransaction where it was bought or expired while we waited for it: what there is now is another question
 */
export async function lockLiveCart(tx: Queryable, owner: CartOwner): Promise<string | null> {
  const [statement, id] = forOwner(lockLive, owner);
  const [row] = await tx.query<{ locked: string | null }>(statement, [id]);
  if (row === undefined) return null;
  if (row.locked === null) throw new RetryTransaction();
  return row.locked;
}

const findLive = ofOwner(
  'cart_find_live',
  (column) => `SELECT id FROM carts WHERE ${column} = $1 AND status = 'ACTIVE'`,
);

/** The same without a lock. */
export async function findLiveCart(source: Queryable, owner: CartOwner): Promise<string | null> {
  const [statement, id] = forOwner(findLive, owner);
  const [row] = await source.query<{ id: string }>(statement, [id]);
  return row?.id ?? null;
}

const idsOf = ofOwner('cart_ids', (column) => `SELECT id FROM carts WHERE ${column} = $1`);

/** The ids of all carts of an owner, past ones included. */
export async function findCartIds(source: Queryable, owner: CartOwner): Promise<string[]> {
  const [statement, ownerId] = forOwner(idsOf, owner);
  const rows = await source.query<{ id: string }>(statement, [ownerId]);
  return rows.map((row) => row.id);
}

const lockByIds: Statement = {
  name: 'cart_lock_by_ids',
  text: 'SELECT id FROM carts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE',
};

/** Locks carts by id, in order. */
export async function lockCarts(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(lockByIds, [ids]);
}

const byIds: Statement = {
  name: 'cart_by_ids',
  text: `SELECT ${COLUMNS} FROM carts c WHERE c.id = ANY($1::uuid[]) ORDER BY c.id`,
};

/** Carts with their lines. A writer reads them after it has their locks, never in the statement that locks. */
export function findCarts(source: Queryable, ids: readonly string[]): Promise<LockedCart[]> {
  return source.query<LockedCart>(byIds, [ids]);
}

const ofLines: Statement = {
  name: 'cart_of_lines',
  text: `SELECT ${COLUMNS} FROM carts c WHERE c.id IN (SELECT cart_id FROM cart_lines WHERE id = ANY($1::uuid[]))`,
};

/** The carts that lines belong to. */
export function findCartsOfLines(source: Queryable, lineIds: readonly string[]): Promise<LockedCart[]> {
  return source.query<LockedCart>(ofLines, [lineIds]);
}

const latest = ofOwner(
  'cart_latest',
  (column) =>
    `SELECT ${COLUMNS} FROM carts c WHERE c.${column} = $1 ORDER BY c.status = 'ACTIVE' DESC, c.updated_at DESC, c.id DESC LIMIT 1`,
);

/** The owner's live cart, else the one that something happened to last. */
export async function findLatestCart(source: Queryable, owner: CartOwner): Promise<LockedCart | null> {
  const [statement, id] = forOwner(latest, owner);
  const [row] = await source.query<LockedCart>(statement, [id]);
  return row ?? null;
}

const lock = ofOwner('cart_lock_owner', (_, table) => `SELECT id FROM ${table} WHERE id = $1 FOR NO KEY UPDATE`);

/** Locks the owner against everyone else who would make a cart of the owner's live; a user before a guest, both before carts. */
export async function lockOwner(tx: Queryable, owner: CartOwner): Promise<void> {
  const [statement, id] = forOwner(lock, owner);
  await tx.query(statement, [id]);
}

const insert = ofOwner(
  'cart_insert',
  (column, table) => `INSERT INTO carts (id, ${column}, created_at, updated_at)
         SELECT $1, id, clock_timestamp(), clock_timestamp() FROM ${table} WHERE id = $2 FOR NO KEY UPDATE
         ON CONFLICT (${column}) WHERE status = 'ACTIVE' DO NOTHING RETURNING id`,
);

/** Makes an empty cart, under the owner's lock; false where the owner got one meanwhile. The caller has no cart's lock. */
export async function insertCart(tx: Queryable, id: string, owner: CartOwner): Promise<boolean> {
  const [statement, ownerId] = forOwner(insert, owner);
  return (await tx.query(statement, [id, ownerId])).length > 0;
}

/** What a change leaves of a cart. */
export interface CartWrite {
  id: string;
  status: CartStatus;
  email: string | null;
  holdStartedAt: Date | null;
  expiresAt: Date | null;
  discountCodes: readonly string[];
  shippingAddress: Address | null;
  shippingMethodId: string | null;
  pins: number;
  /** From where units were put in last, hashed; left out where it is to stay as it is. */
  networks?: readonly string[];
  lines: {
    added: readonly CartLine[];
    changed: readonly { id: string; quantity: number }[];
    removed: readonly string[];
  };
}

const write: Statement = {
  name: 'cart_write',
  text: `
WITH removed AS (
  DELETE FROM cart_lines WHERE id = ANY($7::uuid[])
), changed AS (
  UPDATE cart_lines l SET quantity = c.quantity FROM unnest($8::uuid[], $9::int[]) AS c(id, quantity) WHERE l.id = c.id
), added AS (
  INSERT INTO cart_lines (id, cart_id, variant_id, quantity, unit_price_minor, position)
  SELECT id, $1::uuid, variant_id, quantity, unit_price_minor, position
    FROM unnest($10::uuid[], $11::uuid[], $12::int[], $13::int[], $14::int[]) AS a(id, variant_id, quantity, unit_price_minor, position)
)
UPDATE carts SET status = $2::cart_status, email = $3, hold_started_at = $4, expires_at = $5, updated_at = $6, version = version + 1,
       networks = coalesce($15::text[], networks), discount_codes = $16::text[], shipping_address = $17::jsonb,
       shipping_method_id = $18, pins = $19, payment_id = CASE $2::cart_status WHEN 'ACTIVE' THEN payment_id END
 WHERE id = $1::uuid`,
};

/** Writes a change of a cart and of its lines, and raises its version; the caller holds its lock. */
export async function writeCart(tx: Queryable, at: Date, cart: CartWrite): Promise<void> {
  const { added, changed, removed } = cart.lines;
  await tx.query(write, [
    cart.id,
    cart.status,
    cart.email,
    cart.holdStartedAt,
    cart.expiresAt,
    at,
    removed,
    changed.map((line) => line.id),
    changed.map((line) => line.quantity),
    added.map((line) => line.id),
    added.map((line) => line.variantId),
    added.map((line) => line.quantity),
    added.map((line) => line.unitPriceMinor),
    added.map((line) => line.position),
    cart.networks ?? null,
    cart.discountCodes,
    cart.shippingAddress === null ? null : JSON.stringify(cart.shippingAddress),
    cart.shippingMethodId,
    cart.pins,
  ]);
}

const pin: Statement = {
  name: 'cart_pin',
  text: `UPDATE carts SET payment_id = $2, pins = pins + 1, expires_at = $3, updated_at = $4, version = version + 1 WHERE id = $1`,
};

/** Pins a cart for a payment; the caller has its lock. @param until when its units go back in any case */
export async function pinCart(
  tx: Queryable,
  at: Date,
  { cartId, paymentId, until }: { cartId: string; paymentId: string; until: Date },
): Promise<void> {
  await tx.query(pin, [cartId, paymentId, until, at]);
}

const unpin: Statement = {
  name: 'cart_unpin',
  text: `UPDATE carts SET payment_id = NULL, expires_at = $2, updated_at = $3, version = version + 1 WHERE id = $1`,
};

/** Lets a cart be edited again; the caller has its lock. */
export async function unpinCart(tx: Queryable, at: Date, cartId: string, expiresAt: Date): Promise<void> {
  await tx.query(unpin, [cartId, expiresAt, at]);
}
