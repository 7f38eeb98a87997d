import type { Queryable, Statement, Transaction } from '../../infra/postgres/database.ts';
import { BARE_CART, linesOfCarts, type CartWrite, type LockedCart } from './cart.repository.ts';

/*
 * The statements by which many commands on carts share a transaction. None of them depends on how many commands there are.
 */

/*
 * One statement, in the order in which everybody locks: owners who have no cart yet (nobody else makes one for them until the end of
 * the transaction), carts, variants. The subselects that count make each step wait for the one before, and the clock is read above the
 * last of them. Owners and carts that somebody else has are passed over; variants are waited for.
 */
const OWNERS_WITHOUT_CART = (table: string, column: string, ids: string) => `
  SELECT o.id FROM ${table} o
   WHERE o.id = ANY(${ids}::uuid[]) AND NOT EXISTS (SELECT FROM carts c WHERE c.${column} = o.id AND c.status = 'ACTIVE')
   ORDER BY o.id FOR NO KEY UPDATE SKIP LOCKED`;

const lock: Statement = {
  name: 'cart_batch_lock',
  text: `
WITH accounts AS MATERIALIZED (${OWNERS_WITHOUT_CART('users', 'user_id', '$2')}
), visitors AS MATERIALIZED (${OWNERS_WITHOUT_CART('guests', 'guest_id', '$1')}
), live AS MATERIALIZED (
  SELECT id FROM carts WHERE (guest_id = ANY($1::uuid[]) OR user_id = ANY($2::uuid[])) AND status = 'ACTIVE'
     AND (SELECT count(*) FROM accounts) + (SELECT count(*) FROM visitors) >= 0
   ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), shelf AS MATERIALIZED (
  SELECT id FROM product_variants
   WHERE id = ANY(ARRAY(SELECT unnest($3::uuid[]) UNION SELECT variant_id FROM cart_lines WHERE id = ANY($4::uuid[])))
     AND (SELECT count(*) FROM live) >= 0
   ORDER BY id FOR NO KEY UPDATE
)
SELECT clock_timestamp() AS now, locked."variantIds",
       ARRAY(SELECT id FROM live) AS "cartIds",
       ARRAY(SELECT id FROM accounts UNION ALL SELECT id FROM visitors) AS "ownerIds"
  FROM (SELECT coalesce(array_agg(id), '{}') AS "variantIds" FROM shelf) AS locked`,
};

/** What a batch of commands is about. */
export interface BatchSubjects {
  guestIds: readonly string[];
  userIds: readonly string[];
  variantIds: readonly string[];
  /** Lines whose variants are locked, too. */
  lineIds: readonly string[];
}

export interface BatchLocks {
  /** The time once all was locked. */
  now: Date;
  variantIds: string[];
  cartIds: string[];
  /** Owners for whom the transaction may make a cart. */
  ownerIds: string[];
}

/** Locks what a batch is about, except owners and carts that are locked by other transactions. */
export async function lockBatch(tx: Queryable, subjects: BatchSubjects): Promise<BatchLocks> {
  const { guestIds, userIds, variantIds, lineIds } = subjects;
  const [row] = await tx.query<BatchLocks>(lock, [guestIds, userIds, variantIds, lineIds]);
  if (row === undefined) throw new Error('the database did not return what was locked');
  return row;
}

/** A cart with what only commands need to know. */
export interface BatchCart extends LockedCart {
  /** From where units were put in last, hashed. */
  networks: string[];
  /** The cart belongs to an account whose address is confirmed. */
  isConfirmed: boolean;
}

// The lines of all carts are looked up at once: by cart, PostgreSQL goes through the table again for each as long as it is small.
const read: Statement = {
  name: 'cart_batch_read',
  text: `
WITH live AS MATERIALIZED (
  SELECT * FROM carts WHERE (guest_id = ANY($1::uuid[]) OR user_id = ANY($2::uuid[])) AND status = 'ACTIVE'
), content AS (${linesOfCarts('ARRAY(SELECT id FROM live)')})
SELECT terms.version AS "currentTerms", cart.* FROM pricing_version terms LEFT JOIN LATERAL (
  SELECT ${BARE_CART}, coalesce(content.lines, '[]') AS lines, c.networks,
         EXISTS (SELECT FROM users u WHERE u.id = c.user_id AND u.email_verified_at IS NOT NULL) AS "isConfirmed"
    FROM live c LEFT JOIN content ON content.cart_id = c.id
) AS cart ON true`,
};

/** The carts of owners that hold units or are empty, and the version of the terms of prices. Read them after they were locked. */
export async function readBatch(
  tx: Queryable,
  { guestIds, userIds }: Pick<BatchSubjects, 'guestIds' | 'userIds'>,
): Promise<{ carts: BatchCart[]; termsVersion: bigint }> {
  const rows = await tx.query<BatchCart & { currentTerms: bigint }>(read, [guestIds, userIds]);
  const [first] = rows;
  if (first === undefined) throw new Error('pricing_version has no row: the database is not migrated');
  const { currentTerms: termsVersion } = first;
  const carts = rows
    .filter(({ id }: { id: string | null }) => id !== null)
    .map(({ currentTerms, ...cart }) => ({ ...cart, termsVersion: currentTerms }));
  return { carts, termsVersion };
}

const write: Statement = {
  name: 'cart_batch_write',
  text: `
WITH begun AS (
  INSERT INTO carts (id, guest_id, user_id, hold_started_at, expires_at, networks, version, created_at, updated_at)
  SELECT id, guest_id, user_id, hold_started_at, expires_at, coalesce(string_to_array(networks, ','), '{}'), 2, $1, $1
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[])
      AS b(id, guest_id, user_id, hold_started_at, expires_at, networks)
), removed AS (
  DELETE FROM cart_lines WHERE id = ANY($8::uuid[])
), changed AS (
  UPDATE cart_lines l SET quantity = c.quantity FROM unnest($9::uuid[], $10::int[]) AS c(id, quantity) WHERE l.id = c.id
), added AS (
  INSERT INTO cart_lines (id, cart_id, variant_id, quantity, unit_price_minor, position)
  SELECT id, cart_id, variant_id, quantity, unit_price_minor, position
    FROM unnest($11::uuid[], $12::uuid[], $13::uuid[], $14::int[], $15::int[], $16::int[])
      AS a(id, cart_id, variant_id, quantity, unit_price_minor, position)
)
UPDATE carts c SET hold_started_at = w.hold_started_at, expires_at = w.expires_at, pins = w.pins, updated_at = $1, version = c.version + 1,
       networks = coalesce(string_to_array(w.networks, ','), c.networks)
  FROM unnest($17::uuid[], $18::timestamptz[], $19::timestamptz[], $20::text[], $21::int[])
    AS w(id, hold_started_at, expires_at, networks, pins)
 WHERE c.id = w.id`,
};

/** A change of one cart. */
export interface BatchWrite {
  cart: LockedCart;
  /** The cart is made by the change. */
  isNew: boolean;
  write: CartWrite;
}

/**
 * Writes changes of carts that are live, each raising the version of its cart by one, and commits. The caller has the locks of the
 * carts, or of the owners of new ones.
 */
export async function commitBatch(tx: Transaction, at: Date, changes: readonly BatchWrite[]): Promise<void> {
  const begun = changes.filter(({ isNew }) => isNew);
  const kept = changes.filter(({ isNew }) => !isNew);
  const added = changes.flatMap(({ cart, write: { lines } }) =>
    lines.added.map((line) => ({ ...line, cartId: cart.id })),
  );
  const changed = changes.flatMap(({ write: { lines } }) => lines.changed);
  const networksOf = ({ write: { networks } }: BatchWrite) => networks?.join(',') ?? null;
  await tx.commitWith(write, [
    at,
    begun.map(({ cart }) => cart.id),
    begun.map(({ cart }) => cart.guestId),
    begun.map(({ cart }) => cart.userId),
    begun.map((change) => change.write.holdStartedAt),
    begun.map((change) => change.write.expiresAt),
    begun.map(networksOf),
    changes.flatMap((change) => change.write.lines.removed),
    changed.map(({ id }) => id),
    changed.map(({ quantity }) => quantity),
    added.map(({ id }) => id),
    added.map(({ cartId }) => cartId),
    added.map(({ variantId }) => variantId),
    added.map(({ quantity }) => quantity),
    added.map(({ unitPriceMinor }) => unitPriceMinor),
    added.map(({ position }) => position),
    kept.map(({ cart }) => cart.id),
    kept.map((change) => change.write.holdStartedAt),
    kept.map((change) => change.write.expiresAt),
    kept.map(networksOf),
    kept.map((change) => change.write.pins),
  ]);
}
