import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** What the amounts of a database mean. */
export interface ShopCurrency {
  /** ISO 4217. */
  code: string;
  /** Decimals that an amount in minor units has. */
  digits: number;
}

const find: Statement = { name: 'shop_currency', text: 'SELECT code, digits FROM shop_currency' };

/** What is on record; null before the first start. */
export async function findShopCurrency(source: Queryable): Promise<ShopCurrency | null> {
  const [row] = await source.query<ShopCurrency>(find);
  return row ?? null;
}

const lock: Statement = { name: 'shop_currency_lock', text: 'LOCK TABLE shop_currency IN SHARE ROW EXCLUSIVE MODE' };

/** Keeps every other process from recording a currency until the transaction ends. */
export async function lockShopCurrency(tx: Queryable): Promise<void> {
  await tx.query(lock);
}

const record: Statement = {
  name: 'shop_currency_record',
  text: `INSERT INTO shop_currency (code, digits, recorded_at) VALUES ($1, $2, clock_timestamp())
         ON CONFLICT (singleton) DO UPDATE SET code = EXCLUDED.code, digits = EXCLUDED.digits, recorded_at = EXCLUDED.recorded_at`,
};

/** Puts a currency on record; the caller has the lock. */
export async function recordShopCurrency(tx: Queryable, { code, digits }: ShopCurrency): Promise<void> {
  await tx.query(record, [code, digits]);
}

/** What the rows of a database show about the currency in which they were written. */
export interface CurrencyEvidence {
  hasAmounts: boolean;
  /** The currencies of its orders, at most two of them. */
  orderCurrencies: readonly string[];
  /** Numbers of decimals of the prices in the record of staff. */
  decimals: readonly number[];
}

const amounts: Statement = {
  name: 'shop_currency_amounts',
  text: `SELECT EXISTS (SELECT FROM product_variants) OR EXISTS (SELECT FROM orders) AS "hasAmounts"`,
};

// The first and the last currency: whether there are several needs no list of all.
const evidence: Statement = {
  name: 'shop_currency_evidence',
  text: `
SELECT (SELECT array_remove(ARRAY[min(currency), NULLIF(max(currency), min(currency))], NULL)::text[] FROM orders) AS "orderCurrencies",
       ARRAY(SELECT DISTINCT length(split_part(price, '.', 2))
               FROM staff_actions a, jsonb_array_elements(a.changes) AS change,
                    unnest(ARRAY[change ->> 'before', change ->> 'after']) AS price
              WHERE change ->> 'field' IN ('price', 'compareAtPrice') AND price ~ '^[0-9]+([.][0-9]+)?$' ORDER BY 1)::int[] AS decimals`,
};

/** Looks for evidence of the currency in which a database was written. */
export async function findCurrencyEvidence(tx: Queryable): Promise<CurrencyEvidence> {
  const none: CurrencyEvidence = { hasAmounts: false, orderCurrencies: [], decimals: [] };
  const [found] = await tx.query<Pick<CurrencyEvidence, 'hasAmounts'>>(amounts);
  // An empty database, as at the first start, does not need the larger statement.
  if (!found?.hasAmounts) return none;
  const [row] = await tx.query<Omit<CurrencyEvidence, 'hasAmounts'>>(evidence);
  return { ...none, ...found, ...row };
}

/** The columns that hold amounts of the shop's currency. Those of products follow from the variants', by a trigger. */
export const AMOUNT_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  product_variants: ['price_minor', 'compare_at_minor'],
  cart_lines: ['unit_price_minor'],
  orders: ['subtotal_minor', 'discount_minor', 'shipping_minor', 'tax_minor', 'total_minor'],
  order_lines: ['unit_price_minor', 'relief_minor', 'discount_minor', 'tax_minor'],
  order_discounts: ['amount_minor'],
  order_taxes: ['amount_minor'],
  promotions: ['amount_minor', 'min_subtotal_minor', 'budget_minor', 'spent_minor'],
  promotion_uses: ['amount_minor'],
  payments: [
    'amount_minor',
    'authorized_minor',
    'captured_minor',
    'refunded_minor',
    'refund_pending_minor',
    'disputed_minor',
  ],
  payment_operations: ['amount_minor'],
  refunds: ['amount_minor', 'shipping_minor'],
  refund_lines: ['amount_minor'],
  disputes: ['amount_minor'],
  money_entries: ['amount_minor'],
  shipping_methods: ['free_from_minor'],
  shipping_rates: ['price_minor'],
};

/** Bands of shipping rates by subtotal: their ends are amounts, too, while those of bands by weight are grams. */
const SUBTOTAL_BANDS = { table: 'shipping_rates', columns: ['from_value', 'to_value'], where: `basis = 'SUBTOTAL'` };

const IN_ORDER = 'order_id IN (SELECT id FROM orders WHERE currency = $1)';
const OF_PAYMENT = 'payment_id IN (SELECT id FROM payments WHERE currency = $1)';

/** Conditions that select the rows to convert: orders keep their own currency, so only those in the declared one. */
const OF_CURRENCY: Readonly<Record<string, string>> = {
  orders: 'currency = $1',
  order_lines: IN_ORDER,
  order_discounts: IN_ORDER,
  order_taxes: IN_ORDER,
  promotion_uses: IN_ORDER,
  payments: 'currency = $1',
  payment_operations: OF_PAYMENT,
  refunds: OF_PAYMENT,
  refund_lines: `refund_id IN (SELECT id FROM refunds WHERE ${OF_PAYMENT})`,
  disputes: OF_PAYMENT,
  money_entries: `(${IN_ORDER} OR order_id IS NULL AND ${OF_PAYMENT})`,
};

/**
 * Multiplies every amount in a currency by a power of ten, which may be negative.
 * @returns false, having changed nothing, where an amount would lose a decimal that is not 0
 */
export async function shiftAmounts(tx: Queryable, code: string, power: number): Promise<boolean> {
  const factor = 10 ** Math.abs(power);
  const anyRow = '$1::text IS NOT NULL';
  const parts = [
    ...Object.entries(AMOUNT_COLUMNS).map(([table, columns]) => ({
      table,
      columns,
      where: OF_CURRENCY[table] ?? anyRow,
    })),
    { ...SUBTOTAL_BANDS, where: `${anyRow} AND ${SUBTOTAL_BANDS.where}` },
  ];
  if (power < 0) {
    for (const { table, columns, where } of parts) {
      const uneven = columns.map((column) => `${column} % ${factor} <> 0`).join(' OR ');
      const rows = await tx.query({ text: `SELECT 1 FROM ${table} WHERE ${where} AND (${uneven}) LIMIT 1` }, [code]);
      if (rows.length > 0) return false;
    }
  }
  // The ledger of money is append-only, except here, where its amounts stay what they are in another unit.
  await tx.query({ text: 'ALTER TABLE money_entries DISABLE TRIGGER money_entries_append_only' });
  for (const { table, columns, where } of parts) {
    const set = columns.map((column) => `${column} = ${column} ${power < 0 ? '/' : '*'} ${factor}`).join(', ');
    await tx.query({ text: `UPDATE ${table} SET ${set} WHERE ${where}` }, [code]);
  }
  await tx.query({ text: 'ALTER TABLE money_entries ENABLE TRIGGER money_entries_append_only' });
  return true;
}
