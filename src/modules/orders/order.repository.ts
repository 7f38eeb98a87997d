import type { Order as OrderRow } from '../../generated/prisma/client.ts';
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

export type { OrderRow };

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

const hasKeys: Statement = {
  name: 'order_has_keys',
  text: `SELECT a.ordinal::int - 1 AS index
           FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS a(guest_id, user_id, key, ordinal)
          WHERE EXISTS (SELECT FROM carts c JOIN orders o ON o.cart_id = c.id
                         WHERE c.guest_id = a.guest_id AND o.idempotency_key = a.key)
             OR EXISTS (SELECT FROM orders o WHERE o.user_id = a.user_id AND o.idempotency_key = a.key)`,
};

/** Which of these owners have placed an order under the key that is asked about, as `findByKey` finds it. @returns their indices */
export async function findUsedKeys(
  tx: Queryable,
  asked: readonly { owner: CartOwner; key: string }[],
): Promise<Set<number>> {
  const rows = await tx.query<{ index: number }>(hasKeys, [
    asked.map(({ owner }) => ('guestId' in owner ? owner.guestId : null)),
    asked.map(({ owner }) => ('userId' in owner ? owner.userId : null)),
    asked.map(({ key }) => key),
  ]);
  return new Set(rows.map(({ index }) => index));
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
  name: 'orders_insert',
  text: `
WITH given AS (
  SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
                       $11::bigint[], $12::bigint[], $13::bigint[], $14::boolean[], $15::uuid[], $16::text[], $17::text[], $18::text[],
                       $19::bytea[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[])
    WITH ORDINALITY AS g(id, number, guest_id, user_id, cart_id, email, currency, subtotal_minor, total_minor, discount_minor,
                         shipping_minor, tax_minor, prices_include_tax, shipping_method_id, shipping_method_title, quote_hash,
                         idempotency_key, request_hash, shipping_name, shipping_line1, shipping_line2, shipping_city, shipping_region,
                         shipping_postal_code, shipping_country_code, ordinal)
), placed AS (
  INSERT INTO orders (id, number, guest_id, user_id, cart_id, email, currency, subtotal_minor, total_minor, discount_minor,
                      shipping_minor, tax_minor, prices_include_tax, shipping_method_id, shipping_method_title, quote_hash,
                      idempotency_key, request_hash, shipping_name, shipping_line1, shipping_line2, shipping_city, shipping_region,
                      shipping_postal_code, shipping_country_code, discount_codes, placed_at, updated_at, payment_status)
  SELECT id, number, guest_id, user_id, cart_id, email, currency, subtotal_minor, total_minor, discount_minor,
         shipping_minor, tax_minor, prices_include_tax, shipping_method_id, shipping_method_title, quote_hash,
         idempotency_key, request_hash, shipping_name, shipping_line1, shipping_line2, shipping_city, shipping_region,
         shipping_postal_code, shipping_country_code,
         ARRAY(SELECT c.code FROM unnest($27::uuid[], $28::text[]) WITH ORDINALITY AS c(order_id, code, ordinal)
                WHERE c.order_id = given.id ORDER BY c.ordinal),
         $1, $1, (CASE WHEN total_minor = 0 THEN 'PAID' ELSE 'PENDING' END)::payment_status
    FROM given ORDER BY ordinal
), history AS (
  INSERT INTO order_status_changes (order_id, from_status, to_status, occurred_at)
  SELECT id, NULL, 'PLACED', $1 FROM given ORDER BY ordinal
), lines AS (
  INSERT INTO order_lines (id, order_id, variant_id, title, sku, quantity, unit_price_minor, relief_minor, discount_minor,
                           tax_minor, position)
  SELECT * FROM unnest($29::uuid[], $30::uuid[], $31::uuid[], $32::text[], $33::text[], $34::int[], $35::int[], $36::bigint[],
                       $37::bigint[], $38::bigint[], $39::int[])
), discounts AS (
  INSERT INTO order_discounts (order_id, line_id, promotion_id, title, code, amount_minor)
  SELECT * FROM unnest($40::uuid[], $41::uuid[], $42::uuid[], $43::text[], $44::text[], $45::bigint[])
)
INSERT INTO order_taxes (order_id, line_id, title, rate_ppm, amount_minor)
SELECT * FROM unnest($46::uuid[], $47::uuid[], $48::text[], $49::int[], $50::bigint[])`,
};

/** The codes that took something off. */
const appliedCodes = ({ quote }: NewOrder) =>
  quote.codes.filter(({ status }) => status === 'APPLIED').map(({ code }) => code);

/** The row of an order that was placed at this instant. */
export function toRow(order: NewOrder, at: Date): OrderRow {
  const { id, number, guestId, userId, cartId, email, currency, shippingAddress: address, quote } = order;
  const { subtotalMinor, discountMinor, shippingMinor, taxMinor, pricesIncludeTax, totalMinor } = quote;
  return {
    ...{ id, number, guestId, userId, cartId, email, currency },
    status: 'PLACED',
    paymentStatus: totalMinor === 0n ? 'PAID' : 'PENDING',
    ...{ subtotalMinor, discountMinor, shippingMinor, taxMinor, pricesIncludeTax, totalMinor },
    discountCodes: appliedCodes(order),
    shippingMethodId: quote.shippingMethod?.methodId ?? null,
    shippingMethodTitle: quote.shippingMethod?.title ?? null,
    quoteHash: quote.hash,
    shippingName: address?.name ?? null,
    shippingLine1: address?.line1 ?? null,
    shippingLine2: address?.line2 ?? null,
    shippingCity: address?.city ?? null,
    shippingRegion: address?.region ?? null,
    shippingPostalCode: address?.postalCode ?? null,
    shippingCountryCode: address?.countryCode ?? null,
    idempotencyKey: order.idempotencyKey,
    requestHash: new Uint8Array(order.requestHash),
    placedAt: at,
    updatedAt: at,
  };
}

/**
 * Writes orders with their lines, everything that they cost, and the first entries of their histories. An order that costs nothing is
 * paid from the start.
 */
export async function insertOrders(tx: Queryable, at: Date, orders: readonly NewOrder[]): Promise<void> {
  const codes = orders.flatMap((order) => appliedCodes(order).map((code) => ({ orderId: order.id, code })));
  const lines = orders.flatMap((order) =>
    order.lines.map((line, position) => ({ ...line, orderId: order.id, position })),
  );
  const discounts = orders.flatMap((order) =>
    discountsOf(order).map((discount) => ({ ...discount, orderId: order.id })),
  );
  const taxes = orders.flatMap((order) => taxesOf(order).map((tax) => ({ ...tax, orderId: order.id })));
  await tx.query(insert, [
    at,
    orders.map((order) => order.id),
    orders.map((order) => order.number),
    orders.map((order) => order.guestId),
    orders.map((order) => order.userId),
    orders.map((order) => order.cartId),
    orders.map((order) => order.email),
    orders.map((order) => order.currency),
    orders.map(({ quote }) => quote.subtotalMinor),
    orders.map(({ quote }) => quote.totalMinor),
    orders.map(({ quote }) => quote.discountMinor),
    orders.map(({ quote }) => quote.shippingMinor),
    orders.map(({ quote }) => quote.taxMinor),
    orders.map(({ quote }) => quote.pricesIncludeTax),
    orders.map(({ quote }) => quote.shippingMethod?.methodId ?? null),
    orders.map(({ quote }) => quote.shippingMethod?.title ?? null),
    orders.map(({ quote }) => quote.hash),
    orders.map((order) => order.idempotencyKey),
    orders.map((order) => order.requestHash),
    orders.map(({ shippingAddress }) => shippingAddress?.name ?? null),
    orders.map(({ shippingAddress }) => shippingAddress?.line1 ?? null),
    orders.map(({ shippingAddress }) => shippingAddress?.line2 ?? null),
    orders.map(({ shippingAddress }) => shippingAddress?.city ?? null),
    orders.map(({ shippingAddress }) => shippingAddress?.region ?? null),
    orders.map(({ shippingAddress }) => shippingAddress?.postalCode ?? null),
    orders.map(({ shippingAddress }) => shippingAddress?.countryCode ?? null),
    codes.map(({ orderId }) => orderId),
    codes.map(({ code }) => code),
    lines.map((line) => line.id),
    lines.map((line) => line.orderId),
    lines.map((line) => line.variantId),
    lines.map((line) => line.title),
    lines.map((line) => line.sku),
    lines.map((line) => line.quantity),
    lines.map((line) => line.unitPriceMinor),
    lines.map((line) => line.quoted.reliefMinor),
    lines.map((line) => line.quoted.discountMinor),
    lines.map((line) => line.quoted.taxMinor),
    lines.map((line) => line.position),
    discounts.map((discount) => discount.orderId),
    discounts.map((discount) => discount.lineId),
    discounts.map((discount) => discount.promotionId),
    discounts.map((discount) => discount.title),
    discounts.map((discount) => discount.code),
    discounts.map((discount) => discount.amountMinor),
    taxes.map((tax) => tax.orderId),
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

/** The ids of all orders of an owner. */
export async function findIdsOf(source: Queryable, of: CartOwner): Promise<string[]> {
  const [statement, ownerId] = 'userId' in of ? [idsOfUser, of.userId] : [idsOfGuest, of.guestId];
  const rows = await source.query<{ id: string }>(statement, [ownerId]);
  return rows.map((row) => row.id);
}
