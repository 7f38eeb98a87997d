import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { categories, products } from '../../../prisma/seed/catalogue.ts';
import { seedDemo } from '../../../prisma/seed/seed.ts';
import { auditInventory } from '../../../src/modules/inventory/inventory.audit.ts';
import { rowsOf } from '../../support/books.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { openServices, type TestServices } from '../../support/services.ts';

let database: TestDatabase;
let services: TestServices;

beforeEach(async () => {
  database = await createTestDatabase();
  services = openServices(database.url);
});

afterEach(async () => {
  await services.dispose();
  await database.dispose();
});

const seed = (currency = 'USD') =>
  seedDemo({
    db: services.db,
    eventLog: services.eventLog,
    inventory: services.inventory,
    currency,
    lowStockThreshold: 3,
  });

function count(): Promise<object[]> {
  const text = `SELECT (SELECT count(*)::int FROM categories) AS categories, (SELECT count(*)::int FROM products) AS products,
                       count(*)::int AS variants, sum(on_hand)::int AS units FROM product_variants`;
  return rowsOf(services.db, text);
}

test('the demo catalogue is large enough, with some low, some sold out, and a picture of everything', () => {
  const variants = products.flatMap((product) => product.variants);
  expect(products.length).toBeGreaterThanOrEqual(30);
  expect(categories).toHaveLength(5);
  expect(variants.length).toBeGreaterThanOrEqual(70);
  expect(variants.filter((variant) => variant.onHand === 0).length).toBeGreaterThanOrEqual(5);
  expect(variants.filter((variant) => variant.onHand > 0 && variant.onHand <= 3).length).toBeGreaterThanOrEqual(5);
  expect(new Set(variants.map((variant) => variant.sku)).size).toBe(variants.length);
  const files = products.flatMap((product) => product.images.map((image) => image.file));
  expect(files.filter((file) => !existsSync(new URL(`../../../assets/images/${file}`, import.meta.url)))).toEqual([]);
  expect(products.filter((product) => product.images.length === 0)).toEqual([]);
});

test('seeding is done once, however often and by however many at once', async () => {
  const variants = products.flatMap((product) => product.variants);
  const all = {
    categories: categories.length,
    products: products.length,
    variants: variants.length,
    units: variants.reduce((sum, variant) => sum + variant.onHand, 0),
  };
  const added = await Promise.all([seed(), seed(), seed()]);
  expect(added.reduce((sum, { products: some }) => sum + some, 0)).toBe(products.length);
  expect(await count()).toEqual([all]);

  // What was sold since stays sold.
  await rowsOf(services.db, `UPDATE products SET title = 'Mine now' WHERE slug = 'acacia-honey'`);
  expect(await seed()).toEqual({ products: 0 });
  expect(await count()).toEqual([all]);
  expect(await rowsOf(services.db, `SELECT title FROM products WHERE slug = 'acacia-honey'`)).toEqual([
    { title: 'Mine now' },
  ]);
  expect(await auditInventory(services.db, null)).toEqual([]);
});

test('a product that goes by another slug now is left alone', async () => {
  await seed();
  await rowsOf(services.db, `UPDATE products SET slug = 'renamed' WHERE slug = 'hive-tool'`);
  expect(await seed()).toEqual({ products: 0 });
  expect(await rowsOf(services.db, `SELECT slug FROM products WHERE slug IN ('renamed', 'hive-tool')`)).toEqual([
    { slug: 'renamed' },
  ]);
});

/** How many rows decide what carts cost. */
function countTerms(): Promise<object[]> {
  const text = `SELECT (SELECT count(*)::int FROM shipping_zones) AS zones, (SELECT count(*)::int FROM shipping_methods) AS methods,
                       (SELECT count(*)::int FROM tax_rates) AS rates, (SELECT count(*)::int FROM promotions) AS promotions,
                       (SELECT count(*)::int FROM promotion_codes) AS codes`;
  return rowsOf(services.db, text);
}

test('an empty shop gets zones, methods, tax rates and promotions, once', async () => {
  await Promise.all([seed(), seed(), seed()]);
  const all = [{ zones: 3, methods: 5, rates: 4, promotions: 6, codes: 3 }];
  expect(await countTerms()).toEqual(all);
  expect(await rowsOf(services.db, `SELECT count(DISTINCT (scope, kind))::int AS kinds FROM promotions`)).toEqual([
    { kinds: 6 },
  ]);

  // What staff deleted does not come back, and what they changed stays.
  await rowsOf(services.db, 'DELETE FROM promotions');
  await rowsOf(services.db, `UPDATE products SET slug = 'renamed' WHERE slug = 'hive-tool'`);
  await seed();
  expect(await countTerms()).toEqual([{ zones: 3, methods: 5, rates: 4, promotions: 0, codes: 0 }]);
});

test.each([
  ['a product', `INSERT INTO products (id, slug, title) VALUES (gen_random_uuid(), 'mine', 'Mine')`],
  [
    'a zone',
    `INSERT INTO shipping_zones (id, name, countries, created_at, updated_at)
     VALUES (gen_random_uuid(), 'Mine', '{SE}', clock_timestamp(), clock_timestamp())`,
  ],
])('a shop that has %s already keeps its own terms', async (_, insert) => {
  await rowsOf(services.db, insert);
  const before = await countTerms();
  expect(await seed()).toEqual({ products: products.length });
  expect(await countTerms()).toEqual(before);
});

test('prices fit a currency without decimals', async () => {
  await seed('JPY');
  const cheapest = 'SELECT min(price_minor) AS least FROM product_variants';
  expect(await rowsOf(services.db, cheapest)).toEqual([{ least: 4 }]);
  const free = 'SELECT free_from_minor::int AS free FROM shipping_methods WHERE free_from_minor IS NOT NULL';
  expect(await rowsOf(services.db, free)).toEqual([{ free: 75 }]);
});
