import { expect } from 'vitest';
import type { World } from './fixtures.ts';

/** All that a call may change, to be compared as a whole. */
export interface ShopState {
  levels: unknown[];
  movements: number;
  events: number;
  guests: number;
  carts: unknown[];
  cartLines: unknown[];
  orders: unknown[];
  orderLines: number;
  categories: unknown[];
  products: unknown[];
  promotions: unknown[];
  promotionCodes: unknown[];
  /** Shipping zones, methods and their rates, tax categories and tax rates. */
  terms: unknown[];
  orderHistory: number;
  staffActions: number;
  productImports: unknown[];
  users: unknown[];
  stockAlerts: unknown[];
  stockAlertChains: unknown[];
  /** The others come of events, and are sent, by themselves. */
  failedMails: unknown[];
}

const COLUMNS = `
    (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY id), '[]') FROM product_variants v) AS levels,
    (SELECT count(*)::int FROM stock_movements) AS movements,
    (SELECT count(*)::int FROM event_log) AS events,
    (SELECT count(*)::int FROM guests) AS guests,
    (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY id), '[]') FROM carts c) AS carts,
    (SELECT coalesce(jsonb_agg(to_jsonb(l) ORDER BY id), '[]') FROM cart_lines l) AS "cartLines",
    (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY id), '[]') FROM orders o) AS orders,
    (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY id), '[]') FROM product_imports i) AS "productImports",
    (SELECT count(*)::int FROM order_lines) AS "orderLines",
    (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY id), '[]') FROM categories c) AS categories,
    (SELECT coalesce(jsonb_agg(to_jsonb(p) - 'search' ORDER BY id), '[]') FROM products p) AS products,
    (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY id), '[]') FROM promotions p) AS promotions,
    (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY normalized), '[]') FROM promotion_codes c) AS "promotionCodes",
    (SELECT coalesce(jsonb_agg(t.row ORDER BY t.row), '[]')
       FROM (SELECT to_jsonb(z) AS row FROM shipping_zones z UNION ALL SELECT to_jsonb(m) FROM shipping_methods m
             UNION ALL SELECT to_jsonb(r) FROM shipping_rates r UNION ALL SELECT to_jsonb(c) FROM tax_categories c
             UNION ALL SELECT to_jsonb(x) FROM tax_rates x) t) AS terms,
    (SELECT count(*)::int FROM order_status_changes) AS "orderHistory",
    (SELECT count(*)::int FROM staff_actions) AS "staffActions",
    (SELECT coalesce(jsonb_agg(to_jsonb(u) ORDER BY id), '[]') FROM users u) AS users,
    (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY number), '[]') FROM stock_alerts a) AS "stockAlerts",
    (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY variant_id), '[]') FROM stock_alert_chains c) AS "stockAlertChains",
    (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY id), '[]') FROM mails m WHERE status = 'FAILED') AS "failedMails"`;

const state = { name: 'test_state', text: `SELECT ${COLUMNS}` };
const stateText = { name: 'test_state_text', text: `SELECT to_jsonb(s)::text AS state FROM (SELECT ${COLUMNS}) s` };

/** Catalogue, levels, ledger, events, guests, users, carts, orders, alerts, mails that failed and the record of staff as they are. */
export async function stateOf({ db }: Pick<World, 'db'>): Promise<ShopState> {
  const [row] = await db.query<ShopState>(state);
  if (row === undefined) throw new Error('the database said nothing');
  return row;
}

/** Does what must not change anything, and shows that it did not. */
export async function changingNothing<T>(shop: Pick<World, 'db'>, work: () => Promise<T>): Promise<T> {
  // As text: it is compared often, and taken apart only where it differs.
  const before = await stateTextOf(shop);
  const result = await work();
  const after = await stateTextOf(shop);
  if (after !== before) expect(JSON.parse(after)).toEqual(JSON.parse(before));
  return result;
}

async function stateTextOf({ db }: Pick<World, 'db'>): Promise<string> {
  const [row] = await db.query<{ state: string }>(stateText);
  if (row === undefined) throw new Error('the database said nothing');
  return row.state;
}
