import { inspect } from 'node:util';
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

/** Catalogue, levels, ledger, events, guests, users, carts, orders, alerts, mails that failed and the record of staff as they are. */
export async function stateOf({ db }: Pick<World, 'db'>): Promise<ShopState> {
  const [row] = await db.query<ShopState>(state);
  if (row === undefined) throw new Error('the database said nothing');
  return row;
}

/** Tables that a refused call leaves alone. The others follow from events, and are written to by themselves. */
const TABLES = [
  ...['product_variants', 'stock_movements', 'guests', 'carts', 'cart_lines', 'orders', 'order_lines'],
  ...['product_imports', 'categories', 'products', 'promotions', 'promotion_codes', 'order_status_changes'],
  ...['shipping_zones', 'shipping_methods', 'shipping_rates', 'tax_categories', 'tax_rates', 'staff_actions', 'users'],
  ...['stock_alerts', 'stock_alert_chains'],
];

/** Every row carries the number of the transaction that wrote it, which costs a small part of reading the row. */
const VERSION = `count(*) || ' rows, ' || coalesce(sum(xmin::text::bigint), 0)`;
const versions = {
  name: 'test_versions',
  // An event is written to once more when it gets its number.
  text: `SELECT (SELECT count(*) || ' rows' FROM event_log) AS event_log,
                (SELECT ${VERSION} FROM mails WHERE status = 'FAILED') AS "mails that failed",
                ${TABLES.map((table) => `(SELECT ${VERSION} FROM ${table}) AS ${table}`).join(', ')}`,
};

/** Does what must not change anything, and shows that no row was written, not even with the values that it had. */
export async function changingNothing<T>({ db }: Pick<World, 'db'>, work: () => Promise<T>): Promise<T> {
  const [before] = await db.query<Record<string, string>>(versions);
  const result = await work();
  const [after] = await db.query<Record<string, string>>(versions);
  if (before === undefined || after === undefined) throw new Error('the database said nothing');
  const changed = Object.keys(before).filter((table) => after[table] !== before[table]);
  if (changed.length > 0) {
    const latest = await Promise.all(
      TABLES.filter((table) => changed.includes(table)).map((table) => latestOf(db, table)),
    );
    throw new Error(`Something changed: ${changed.join(', ')}\n${latest.join('\n')}`);
  }
  return result;
}

async function latestOf(db: World['db'], table: string): Promise<string> {
  const rows = await db.query({ text: `SELECT * FROM ${table} ORDER BY xmin::text::bigint DESC LIMIT 2` });
  return `${table}, written last: ${inspect(rows, { breakLength: 120 })}`;
}
