import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { Address } from '../addresses/address.types.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import type { AppliedPromotion, Quote, QuotedLine, TaxAmount } from '../pricing/quote.types.ts';
import type { OwnedOrder } from './order-owner.ts';

// By the cart, which stays the guest's when the order joins an account.
const byKeyOfGuest: Statement = {
  name: 'order_by_key',
  text: `SELECT o.id, o.request_hash AS "requestHash" FROM carts c JOIN orders o ON o.cart_id = c.id
          WHERE c.guest_id = $1 AND o.idempotency_key = $2`,
};
const byKeyOfUser: Statement = {
  name: 'order_by_key_of_user',
  text: 'SELECT id, request_hash AS "requestHash" FROM orders WHERE user_id = $1 AND idempotency_key = $2',
};

/** The order that a guest or user placed under an idempotency key, even if it has another owner now, and the hash of its request. */
export async function findByKey(
  tx: Queryable,
  owner: CartOwner,
  key: string,
): Promise<{ id: string; requestHash: Buffer } | null> {
  const [statement, ownerId] = 'userId' in owner ? [byKeyOfUser, owner.userId] : [byKeyOfGuest, owner.guestId];
  const [row] = await tx.query<{ id: string; requestHash: Buffer }>(statement, [ownerId, key]);
  return row ?? null;
}

export interface NewOrder {
  id: string;
  number: bigint;
  /** A guest's or a user's. */
  guestId: string | null;
  userId: string | null;
  cartId: string;
  email: string;
  currency: string;
  /** What it costs, which is frozen with it. */
  quote: Quote;
  shippingAddress: Address | null;
  idempotencyKey: string;
  requestHash: Buffer;
  lines: {
    id: string;
    variantId: string;
    title: string;
    sku: string;
    quantity: number;
    unitPriceMinor: number;
    quoted: QuotedLine;
  }[];
}

const insert: Statement = {
  name: 'order_insert',
  text: `
WITH placed AS (
  INSERT INTO orders (id, number, guest_id, user_id, cart_id, email, currency, subtotal_minor, total_minor,
                      shipping_name, shipping_line1, shipping_line2, shipping_city, shipping_region,
                      shipping_postal_code, shipping_country_code, idempotency_key, request_hash, discount_minor,
                      shipping_minor, tax_minor, prices_include_tax, discount_codes, shipping_method_id,
                      shipping_method_title, quote_hash, placed_at, updated_at, payment_status)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
          $25, $26, $27, $27, (CASE WHEN $9::bigint = 0 THEN 'PAID' ELSE 'PENDING' END)::payment_status)
  RETURNING id
), history AS (
  INSERT INTO order_status_changes (order_id, from_status, to_status, occurred_at)
  SELECT id, NULL, 'PLACED', $27 FROM placed
), lines AS (
  INSERT INTO order_lines (id, order_id, variant_id, title, sku, quantity, unit_price_minor, relief_minor, discount_minor,
                           tax_minor, position)
  SELECT l.id, placed.id, variant_id, title, sku, quantity, unit_price_minor, relief_minor, discount_minor, tax_minor, ordinal - 1
    FROM placed, unnest($28::uuid[], $29::uuid[], $30::text[], $31::text[], $32::int[], $33::int[], $34::bigint[], $35::bigint[],
                        $36::bigint[])
      WITH ORDINALITY AS l(id, variant_id, title, sku, quantity, unit_price_minor, relief_minor, discount_minor, tax_minor, ordinal)
), discounts AS (
  INSERT INTO order_discounts (order_id, line_id, promotion_id, title, code, amount_minor)
  SELECT placed.id, line_id, promotion_id, title, code, amount_minor
    FROM placed, unnest($37::uuid[], $38::uuid[], $39::text[], $40::text[], $41::bigint[])
      AS d(line_id, promotion_id, title, code, amount_minor)
)
INSERT INTO order_taxes (order_id, line_id, title, rate_ppm, amount_minor)
SELECT placed.id, line_id, title, rate_ppm, amount_minor
  FROM placed, unnest($42::uuid[], $43::text[], $44::int[], $45::bigint[]) AS t(line_id, title, rate_ppm, amount_minor)`,
};

/**
 * Writes an order with its lines, everything that it costs, and the first entry of its history. An order that costs nothing is paid from
 * the start.
 */
export async function insertOrder(tx: Queryable, at: Date, order: NewOrder): Promise<void> {
  const { shippingAddress: address, lines, quote } = order;
  const discounts = discountsOf(order);
  const taxes = taxesOf(order);
  await tx.query(insert, [
    order.id,
    order.number,
    order.guestId,
    order.userId,
    order.cartId,
    order.email,
    order.currency,
    quote.subtotalMinor,
    quote.totalMinor,
    address?.name ?? null,
    address?.line1 ?? null,
    address?.line2 ?? null,
    address?.city ?? null,
    address?.region ?? null,
    address?.postalCode ?? null,
    address?.countryCode ?? null,
    order.idempotencyKey,
    order.requestHash,
    quote.discountMinor,
    quote.shippingMinor,
    quote.taxMinor,
    quote.pricesIncludeTax,
    quote.codes.filter(({ status }) => status === 'APPLIED').map(({ code }) => code),
    quote.shippingMethod?.methodId ?? null,
    quote.shippingMethod?.title ?? null,
    quote.hash,
    at,
    lines.map((line) => line.id),
    lines.map((line) => line.variantId),
    lines.map((line) => line.title),
    lines.map((line) => line.sku),
    lines.map((line) => line.quantity),
    lines.map((line) => line.unitPriceMinor),
    lines.map((line) => line.quoted.reliefMinor),
    lines.map((line) => line.quoted.discountMinor),
    lines.map((line) => line.quoted.taxMinor),
    discounts.map((discount) => discount.lineId),
    discounts.map((discount) => discount.promotionId),
    discounts.map((discount) => discount.title),
    discounts.map((discount) => discount.code),
    discounts.map((discount) => discount.amountMinor),
    taxes.map((tax) => tax.lineId),
    taxes.map((tax) => tax.title),
    taxes.map((tax) => tax.ppm),
    taxes.map((tax) => tax.amountMinor),
  ]);
}

/** What each promotion took off each line, and off the shipping. */
function discountsOf({ lines, quote }: NewOrder): (AppliedPromotion & { lineId: string | null })[] {
  // In the order of the quote, in which they are then read again.
  const ofLines = quote.discounts.flatMap((discount) =>
    lines.flatMap(({ id, quoted }) =>
      quoted.discounts.flatMap(({ promotionId, amountMinor }) =>
        promotionId === discount.promotionId ? [{ ...discount, amountMinor, lineId: id }] : [],
      ),
    ),
  );
  return [...ofLines, ...quote.shippingDiscounts.map((discount) => ({ ...discount, lineId: null }))];
}

/** The tax on each line, and on the shipping. */
function taxesOf({ lines, quote }: NewOrder): (TaxAmount & { lineId: string | null })[] {
  const ofLines = lines.flatMap(({ id, quoted: { tax } }) => (tax === null ? [] : [{ ...tax, lineId: id }]));
  return [...ofLines, ...quote.shippingTaxes.map((tax) => ({ ...tax, lineId: null }))];
}

const byNumber: Statement = { name: 'order_by_number', text: 'SELECT id FROM orders WHERE number = $1' };

/** Any order, by its number. Only staff may look it up by that alone. */
export async function findByNumber(source: Queryable, number: bigint): Promise<string | null> {
  const [row] = await source.query<{ id: string }>(byNumber, [number]);
  return row?.id ?? null;
}

const byNumberAndEmail: Statement = {
  name: 'order_by_number_and_email',
  text: 'SELECT id FROM orders WHERE number = $1 AND lower(email) = lower($2 COLLATE "C") AND guest_id IS NOT NULL',
};

/** A guest's order, found by what is on its confirmation. */
export async function findByNumberAndEmail(source: Queryable, number: bigint, email: string): Promise<string | null> {
  const [row] = await source.query<{ id: string }>(byNumberAndEmail, [number, email]);
  return row?.id ?? null;
}

const owner: Statement = {
  name: 'order_owner',
  text: 'SELECT id, guest_id AS "guestId", user_id AS "userId" FROM orders WHERE id = $1',
};

/** Whose an order is, or null where there is none. */
export async function findOwner(source: Queryable, id: string): Promise<OwnedOrder | null> {
  const [row] = await source.query<OwnedOrder>(owner, [id]);
  return row ?? null;
}

const idsOfGuest: Statement = { name: 'order_ids_of_guest', text: 'SELECT id FROM orders WHERE guest_id = $1' };
const idsOfUser: Statement = { name: 'order_ids_of_user', text: 'SELECT id FROM orders WHERE user_id = $1' };

/** The ids of all orders that somebody has. */
export async function findIdsOf(source: Queryable, of: CartOwner): Promise<string[]> {
  const [statement, ownerId] = 'userId' in of ? [idsOfUser, of.userId] : [idsOfGuest, of.guestId];
  const rows = await source.query<{ id: string }>(statement, [ownerId]);
  return rows.map((row) => row.id);
}
