import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { AddressColumns } from '../addresses/address.types.ts';

export interface OrderRow extends AddressColumns {
  id: string;
  number: bigint;
  status: string;
  currency: string;
  totalMinor: bigint;
  subtotalMinor: bigint;
  discountMinor: bigint;
  shippingMinor: bigint;
  taxMinor: bigint;
  pricesIncludeTax: boolean;
  shippingMethodTitle: string | null;
  /** What promotions took off each line. Amounts are text, since JSON numbers are not exact. */
  discounts: { promotionId: string; title: string; amountMinor: string }[];
  /** The tax of each line, and of the shipping. */
  taxes: { title: string; ppm: number; amountMinor: string }[];
  placedAt: Date;
  /** The order was placed by an account whose own, confirmed address it has. */
  isConfirmed: boolean;
  lines: OrderLineRow[];
  /** When the order was read, by the database's clock. */
  readAt: Date;
}

export interface OrderLineRow {
  title: string;
  sku: string;
  quantity: number;
  unitPriceMinor: number;
  /** Text, since JSON numbers are not exact. */
  reliefMinor: string;
}

const orders: Statement = {
  name: 'letter_orders',
  text: `SELECT id, clock_timestamp() AS "readAt", number, status, currency, total_minor AS "totalMinor", subtotal_minor AS "subtotalMinor",
                discount_minor AS "discountMinor", shipping_minor AS "shippingMinor", tax_minor AS "taxMinor",
                prices_include_tax AS "pricesIncludeTax", shipping_method_title AS "shippingMethodTitle",
                coalesce((SELECT jsonb_agg(jsonb_build_object('promotionId', promotion_id, 'title', title,
                                                              'amountMinor', amount_minor::text) ORDER BY id)
                   FROM order_discounts WHERE order_id = orders.id AND line_id IS NOT NULL), '[]') AS discounts,
                coalesce((SELECT jsonb_agg(jsonb_build_object('title', title, 'ppm', rate_ppm, 'amountMinor', amount_minor::text)
                                           ORDER BY id)
                   FROM order_taxes WHERE order_id = orders.id), '[]') AS taxes, placed_at AS "placedAt", shipping_name AS name,
                shipping_line1 AS line1, shipping_line2 AS line2, shipping_city AS city, shipping_region AS region,
                shipping_postal_code AS "postalCode", shipping_country_code AS "countryCode",
                EXISTS (SELECT FROM carts c JOIN users u ON u.id = c.user_id
                         WHERE c.id = orders.cart_id AND lower(u.email) = lower(orders.email)
                           AND u.email_verified_at IS NOT NULL) AS "isConfirmed",
                coalesce((SELECT jsonb_agg(jsonb_build_object('title', title, 'sku', sku, 'quantity', quantity,
                                                              'unitPriceMinor', unit_price_minor,
                                                              'reliefMinor', relief_minor::text) ORDER BY position)
                   FROM (SELECT * FROM order_lines WHERE order_id = orders.id ORDER BY position LIMIT $2) AS l), '[]') AS lines
           FROM orders WHERE id = ANY($1::uuid[])`,
};

/** Orders with their lines, so many of each at most. Those that do not exist are left out. */
export function findOrders(source: Queryable, orderIds: readonly string[], most: number): Promise<OrderRow[]> {
  return source.query<OrderRow>(orders, [orderIds, most]);
}

const step: Statement = {
  name: 'letter_order_step',
  text: `SELECT note, occurred_at AS "occurredAt",
                to_status <> 'CANCELLED' OR EXISTS (
                  SELECT FROM staff_actions WHERE subject_id = order_id AND kind = 'ORDER_CANCELLED') AS "byStaff"
           FROM order_status_changes
          WHERE order_id = $1 AND to_status::text = $2 ORDER BY id DESC LIMIT 1`,
};

/** When an order came to a status, what was said about it, and whether that was said by staff. */
export interface Step {
  note: string | null;
  occurredAt: Date;
  byStaff: boolean;
}

/** The last step by which an order came to a status; null where there was none. */
export async function findStep(source: Queryable, orderId: string, to: string): Promise<Step | null> {
  const [row] = await source.query<Step>(step, [orderId, to]);
  return row ?? null;
}

const payment: Statement = {
  name: 'letter_payment',
  text: `SELECT p.state, p.currency, p.amount_minor AS "amountMinor", p.return_reason AS "returnReason", p.captured_minor AS "capturedMinor",
                p.lapses_at AS "lapsesAt", o.number, r.amount_minor AS "refundMinor", r.reason AS "refundReason", r.actor_id IS NOT NULL AS "byStaff"
           FROM payments p LEFT JOIN orders o ON o.id = p.order_id LEFT JOIN refunds r ON r.payment_id = p.id AND r.id = $2
          WHERE p.id = $1`,
};

/** A payment as letters show it, with one of its refunds. */
export interface PaymentRow {
  state: string;
  currency: string;
  amountMinor: bigint;
  returnReason: string | null;
  capturedMinor: bigint;
  lapsesAt: Date | null;
  number: bigint | null;
  refundMinor: bigint | null;
  refundReason: string | null;
  byStaff: boolean | null;
}

/** A payment, and the refund if one is asked for; null where there is none. */
export async function findPayment(
  source: Queryable,
  paymentId: string,
  refundId: string | null,
): Promise<PaymentRow | null> {
  const [row] = await source.query<PaymentRow>(payment, [paymentId, refundId]);
  return row ?? null;
}

/** A variant that shoppers can find, as a letter shows it. */
export interface VariantRow {
  productTitle: string;
  selectedOptions: { name: string; value: string }[];
  slug: string;
  picture: string | null;
  available: number;
}

const VARIANT = `p.title AS "productTitle", v.selected_options AS "selectedOptions", p.slug,
  p.images->0->>'url' AS picture, v.available`;
const VISIBLE = `v.archived_at IS NULL AND p.status = 'ACTIVE'`;

const inCart: Statement = {
  name: 'letter_variant_in_cart',
  text: `SELECT ${VARIANT}, c.expires_at AS "expiresAt"
           FROM carts c JOIN product_variants v ON v.id = $2 JOIN products p ON p.id = v.product_id
          WHERE c.id = $1 AND c.status = 'ACTIVE' AND c.expires_at > clock_timestamp()
            AND EXISTS (SELECT FROM cart_lines l WHERE l.cart_id = c.id AND l.variant_id = v.id)`,
};
const ofAlert: Statement = {
  name: 'letter_variant_of_alert',
  text: `SELECT ${VARIANT} FROM stock_alerts a JOIN product_variants v ON v.id = a.variant_id
           JOIN products p ON p.id = v.product_id
          WHERE a.id = $1 AND a.status <> 'CANCELLED' AND ${VISIBLE}`,
};

/** What runs low in a live cart, and when the cart's time is over; null where it is not there any more. */
export async function findInCart(
  source: Queryable,
  cartId: string,
  variantId: string,
): Promise<(VariantRow & { expiresAt: Date }) | null> {
  const [row] = await source.query<VariantRow & { expiresAt: Date }>(inCart, [cartId, variantId]);
  return row ?? null;
}

/** The variant that a stock alert is for; null if the alert was canceled, or the variant no longer exists. */
export async function findOfAlert(source: Queryable, alertId: string): Promise<VariantRow | null> {
  const [row] = await source.query<VariantRow>(ofAlert, [alertId]);
  return row ?? null;
}

const user: Statement = {
  name: 'letter_user',
  text: 'SELECT name, email, email_verified_at IS NOT NULL AS "isConfirmed" FROM users WHERE id = $1',
};

export interface UserRow {
  name: string;
  email: string;
  isConfirmed: boolean;
}

/** A user as letters address one. */
export async function findUser(source: Queryable, userId: string): Promise<UserRow | null> {
  const [row] = await source.query<UserRow>(user, [userId]);
  return row ?? null;
}
