import { inspect } from 'node:util';
import type { World } from './fixtures.ts';

/** Tables that a refused call leaves alone. The others follow from events, and are written to by themselves. */
const TABLES = [
  ...['product_variants', 'stock_movements', 'guests', 'carts', 'cart_lines', 'orders', 'order_lines'],
  ...['product_imports', 'categories', 'products', 'promotions', 'promotion_codes', 'order_status_changes'],
  ...['shipping_zones', 'shipping_methods', 'shipping_rates', 'tax_categories', 'tax_rates', 'staff_actions', 'users'],
  ...['stock_alerts', 'stock_alert_chains'],
];

/** Every row carries the number of the transaction that wrote it, so no row has to be read and compared as a whole. */
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
