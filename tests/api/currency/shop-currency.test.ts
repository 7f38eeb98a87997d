import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { openCore } from '../../../src/app.ts';
import { currencyDeclare } from '../../../src/commands/currency-declare.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { AMOUNT_COLUMNS } from '../../../src/modules/currency/shop-currency.repository.ts';
import { formatMoney, fractionDigits } from '../../../src/modules/money.ts';
import { newStaff } from '../../support/accounts.ts';
import { callCommand } from '../../support/command.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { merchantOf, variantInput } from '../../support/merchant.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { newDataDir } from '../../support/shop-process.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { withDatabase } from '../../support/databases.ts';

let database: TestDatabase;

async function makeDatabase(): Promise<void> {
  database = await createTestDatabase();
}

/** Opens a shop on the database of the test, lets `work` use it, and closes it. */
async function during<T>(currency: string, work: (shop: TestShop) => Promise<T> | T): Promise<T> {
  const shop = await createTestShop({
    database,
    env: { SHOP_CURRENCY: currency, BCRYPT_COST: '4' },
    overrides: { quiet: true },
  });
  try {
    return await work(shop);
  } finally {
    await shop.dispose();
  }
}

/** What each start does before it takes orders. */
async function open(currency: string): Promise<string> {
  const config = loadConfig({ SHOP_CURRENCY: currency, DATABASE_URL: database.url, DATA_DIR: newDataDir() });
  const core = await openCore(config, pino({ level: 'silent' }));
  await core.dispose();
  return 'open';
}

const sql = (text: string) =>
  withDatabase(database.url, async (client) => (await client.query(text)).rows as unknown[]);
const prices = (slug: string) => `{ product(slug: "${slug}") { variants { price { amount currencyCode } } } }`;

const declare = (...args: string[]) =>
  callCommand(currencyDeclare, args, { DATABASE_URL: database.url, DATA_DIR: newDataDir() });

describe('a currency', () => {
  test.each([
    ['HUF', 2],
    ['COP', 2],
    ['IDR', 2],
    ['PKR', 2],
    ['RSD', 2],
    ['IQD', 3],
    ['UGX', 0],
    ['ISK', 0],
    ['CLF', 4],
    ['XCG', 2],
  ])('has the decimals of ISO 4217, whatever ICU says: %s has %i', async (currency, digits) => {
    expect(fractionDigits(currency)).toBe(digits);
    expect(formatMoney({ minor: 1234567n, currency })).toMatch(
      digits === 0 ? /\d{3}$/ : new RegExp(`\\.\\d{${digits}}$`),
    );
  });

  test.each(['XAU', 'XXX', 'XTS', 'DEM', 'eur'])(
    'is not %s: a metal, a test code, a withdrawn currency or lower case',
    (code) => {
      expect(() => loadConfig({ SHOP_CURRENCY: code, DATA_DIR: newDataDir() })).toThrow(
        'SHOP_CURRENCY must be an ISO 4217 code',
      );
    },
  );
});

describe('the first start', () => {
  beforeEach(makeDatabase);
  afterEach(() => database.dispose());

  test('keeps the decimals of a price on the way in and out', async () => {
    await during('HUF', async (shop) => {
      const merchant = merchantOf((await newStaff(shop)).client);
      const { product, errors } = await merchant.createProduct({
        title: 'Any',
        variants: [variantInput({ price: '1990.50' })],
      });
      expect(errors).toEqual([]);
      expect(product?.variants).toMatchObject([{ price: { amount: '1990.50' } }]);
    });
    expect(await sql('SELECT price_minor FROM product_variants')).toEqual([{ price_minor: 199_050 }]);
  });

  test('puts currency and decimals on record, and a start with another currency is refused', async () => {
    const slug = await during(
      'USD',
      async (shop) => (await makeProduct(shop.app, { variants: [{ price: 990 }] })).slug,
    );
    await expect(open('JPY')).rejects.toThrow('The amounts in this database are in USD, but SHOP_CURRENCY is JPY.');
    const found = await during('USD', (shop) => shop.client().data(prices(slug)));
    expect(found).toEqual({ product: { variants: [{ price: { amount: '9.90', currencyCode: 'USD' } }] } });
    expect(await sql('SELECT code, digits FROM shop_currency')).toEqual([{ code: 'USD', digits: 2 }]);
  });

  test('of several processes at once lets one currency win', async () => {
    const starts = await Promise.allSettled(['USD', 'EUR', 'USD', 'EUR'].map(open));
    const [row] = (await sql('SELECT code FROM shop_currency')) as { code: string }[];
    expect(starts.map(({ status }) => status)).toEqual(
      ['USD', 'EUR', 'USD', 'EUR'].map((code) => (code === row?.code ? 'fulfilled' : 'rejected')),
    );
  });

  test('is refused where another version counts with other decimals', async () => {
    await open('EUR');
    await sql('UPDATE shop_currency SET digits = 0');
    await expect(open('EUR')).rejects.toThrow('have 0 decimals of EUR, but this version of the shop uses 2');
  });
});

describe('a database of a version that kept no record', () => {
  beforeEach(makeDatabase);
  afterEach(() => database.dispose());

  const forget = () => sql('DELETE FROM shop_currency');

  async function sell(currency: string, price: number): Promise<string> {
    const { slug, orders } = await during(currency, async (shop) => {
      const product = await makeProduct(shop.app, { variants: [{ price }] });
      const client = shop.client();
      const { cartLinesAdd } = await client.data<{ cartLinesAdd: { cart: { token: string; id: string } } }>(
        `mutation { cartLinesAdd(input: { lines: [{ sku: "${product.variants[0]?.sku}", quantity: 1 }] }) { cart { id token } } }`,
      );
      const buyer = shop.client({ cartToken: cartLinesAdd.cart.token });
      const bought = await buyer.data<{ checkout: { order: object | null } }>(
        `mutation { checkout(input: { email: "a@b.example", idempotencyKey: "one",
          expectedTotal: "${price / 100}" }) { order { id } errors { message } } }`,
      );
      return { slug: product.slug, orders: bought.checkout.order };
    });
    expect(orders).not.toBeNull();
    await forget();
    return slug;
  }

  test('is known by its orders', async () => {
    const slug = await sell('USD', 990);
    await expect(open('JPY')).rejects.toThrow('This database has orders in USD, but SHOP_CURRENCY is JPY.');
    expect(await during('USD', (shop) => shop.client().data(prices(slug)))).toMatchObject({
      product: { variants: [{ price: { amount: '9.90' } }] },
    });
  });

  test('is taken for the currency of the settings where its decimals were never in doubt', async () => {
    await during('EUR', (shop) => makeProduct(shop.app));
    await forget();
    expect(await open('EUR')).toBe('open');
  });

  test('is refused where versions of Node disagreed about the decimals, until it is declared', async () => {
    const slug = await sell('HUF', 199_000);
    await sql('UPDATE product_variants SET compare_at_minor = 2990');
    // As the runtime had it that gave forints no decimals.
    await sql('UPDATE product_variants SET price_minor = 1990');
    await sql('UPDATE orders SET subtotal_minor = 1990, total_minor = 1990');
    await sql('UPDATE order_lines SET unit_price_minor = 1990');
    await expect(open('HUF')).rejects.toThrow('npm run currency:declare -- HUF DECIMALS');

    expect(await declare('HUF', '0')).toMatchObject({
      status: 0,
      output: 'The amounts in this database are in HUF; every amount was multiplied by 100.\n',
    });
    expect(await declare('HUF', '0')).toMatchObject({
      status: 0,
      output: expect.stringContaining('no amount was changed') as string,
    });
    const [order] = await sql(
      'SELECT total_minor::int, unit_price_minor FROM orders JOIN order_lines ON order_id = orders.id',
    );
    expect(order).toEqual({ total_minor: 199_000, unit_price_minor: 199_000 });
    const read = `{ products { nodes { slug priceRange { min { amount } } variants { price { amount } compareAtPrice { amount } } } } }`;
    expect(await during('HUF', (shop) => shop.client().data(read))).toEqual({
      products: {
        nodes: [
          {
            slug,
            priceRange: { min: { amount: '1990.00' } },
            variants: [{ price: { amount: '1990.00' }, compareAtPrice: { amount: '2990.00' } }],
          },
        ],
      },
    });
  });

  test('is taken as it is by a declaration of the decimals that it has', async () => {
    const slug = await sell('HUF', 199_000);
    expect(await declare('HUF', '2')).toMatchObject({
      status: 0,
      output: expect.stringContaining('no amount was changed') as string,
    });
    expect(await during('HUF', (shop) => shop.client().data(prices(slug)))).toMatchObject({
      product: { variants: [{ price: { amount: '1990.00' } }] },
    });
  });

  test('finds its decimals in the prices that staff changed', async () => {
    await during('HUF', async (shop) => {
      const merchant = merchantOf((await newStaff(shop)).client);
      const { product } = await merchant.createProduct({ title: 'Any', variants: [variantInput({ price: '1990' })] });
      await merchant.updateVariant({ id: product?.variants[0]?.id ?? '', price: '2000' });
    });
    await forget();
    expect(await open('HUF')).toBe('open');
    await forget();
    await sql('ALTER TABLE staff_actions DISABLE TRIGGER USER');
    await sql(`UPDATE staff_actions SET changes = replace(changes::text, '.00', '')::jsonb`);
    await expect(open('HUF')).rejects.toThrow('prices were written with 0.');
  });

  test('is not declared where amounts would lose decimals, and nothing changes', async () => {
    await sell('USD', 995);
    expect(await declare('JPY', '2')).toMatchObject({
      status: 1,
      output: expect.stringContaining('Some amounts have more than 0 decimals of JPY. Nothing was changed.') as string,
    });
    expect(await sql('SELECT price_minor FROM product_variants')).toEqual([{ price_minor: 995 }]);
    expect(await sql('SELECT code FROM shop_currency')).toEqual([]);
    expect(await declare('USD', 'two')).toMatchObject({
      status: 1,
      output: expect.stringContaining('Usage:') as string,
    });
  });
});

test('a declaration converts every column that holds an amount', async () => {
  await makeDatabase();
  const columns = await sql(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name LIKE '%\\_minor' AND table_name <> 'products'
        -- The books of the test provider are not the shop's.
        AND table_name NOT LIKE 'test\\_provider\\_%' ORDER BY 1`,
  );
  const converted = Object.entries(AMOUNT_COLUMNS).flatMap(([table, names]) => names.map((name) => `${table}.${name}`));
  expect(columns).toEqual(converted.toSorted().map((name) => ({ name })));
  await database.dispose();
});
