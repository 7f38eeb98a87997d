import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importProducts } from '../../../src/commands/import.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { holdVariants } from '../../support/barriers.ts';
import { callCommand } from '../../support/command.ts';
import { makeProduct } from '../../support/fixtures.ts';
import {
  dumpOf,
  importHere,
  newFile,
  plainRow,
  type ImportOutcome,
  runImport,
  startImport,
  writeProducts,
} from '../../support/import.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { newDataDir } from '../../support/shop-process.ts';
import { recordedOf } from '../../support/merchant.ts';
import { eventsOf, ledgerOf } from '../../support/records.ts';
import { enter } from '../../support/shopper.ts';
import { known } from '../../support/known.ts';
import { until } from '../../support/until.ts';

/** What becomes of what is there: levels, fields, SKUs, archived things; and files that are none. */

let shop: QuietShop;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

interface Row {
  id: string;
  productId: string;
  sku: string;
  onHand: number;
  held: number;
  price: number;
  compareAt: number | null;
  archived: boolean;
  status: string;
  title: string;
  vendor: string | null;
  updatedAt: Date;
}

/** The variants of a product, as they are stored. */
function variantsOf(slug: string): Promise<Row[]> {
  return rowsOf<Row>(
    shop.db,
    `SELECT v.id, v.product_id AS "productId", v.sku, v.on_hand AS "onHand", v.held, v.price_minor AS price,
            v.compare_at_minor AS "compareAt", v.archived_at IS NOT NULL AS archived, p.status::text, p.title, p.vendor,
            p.updated_at AS "updatedAt"
       FROM product_variants v JOIN products p ON p.id = v.product_id WHERE p.slug = $1 ORDER BY v.position`,
    [slug],
  );
}

async function only(slug: string): Promise<Row> {
  const [row, ...rest] = await variantsOf(slug);
  if (row === undefined || rest.length > 0) throw new Error(`${slug} has ${rest.length + 1} variants`);
  return row;
}

/** Imports rows that are all sound. */
async function take(...rows: Record<string, string>[]): Promise<ImportOutcome> {
  const outcome = await importHere(shop, await writeProducts(rows));
  expect(outcome.refused).toEqual([]);
  return outcome;
}

const withQuantity = (handle: string, quantity: string) => plainRow(handle, { 'Variant Inventory Qty': quantity });

describe('levels', () => {
  test('count by their difference to the last file, once a first one has set them', async () => {
    const made = await makeProduct(shop, { slug: 'level', variants: [{ sku: 'LEVEL', price: 500, onHand: 3 }] });
    const { id, globalId } = known(made.variants[0]);
    // Never imported before: the value is the level.
    await take(withQuantity('level', '10'));
    expect(await only('level')).toMatchObject({ id, onHand: 10 });
    const shopper = await enter(shop);
    await shopper.add({ variantId: globalId, quantity: 4 });
    await shopper.checkout({ idempotencyKey: 'level', email: 'eve@example.com' });
    expect(await only('level')).toMatchObject({ onHand: 6 });

    await take(withQuantity('level', '12'));
    expect(await only('level')).toMatchObject({ onHand: 8, held: 0 });
    expect((await ledgerOf(shop, id)).map(({ reason, onHandDelta }) => [reason, onHandDelta])).toEqual([
      ['INITIAL', 3],
      ['SYNC', 7],
      ['HOLD', 0],
      ['SALE', -4],
      ['SYNC', 2],
    ]);
    // Nothing about the product itself changed with its level, save for its title, the first time.
    expect((await recordedOf(shop, made.id)).map(([kind]) => kind)).toEqual(['PRODUCT_UPDATED']);
    expect((await eventsOf(shop, made.id)).map(({ type }) => type)).toEqual(['product_changed']);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('never go below what carts hold, and the rest is kept', async () => {
    await take(withQuantity('held', '5'));
    const { id } = await only('held');
    const shopper = await enter(shop);
    await shopper.add({ variantId: Buffer.from(`ProductVariant:${id}`).toString('base64'), quantity: 3 });
    const file = await writeProducts([withQuantity('held', '1')]);
    expect((await importHere(shop, file)).counts.changed).toBe(1);
    expect(await only('held')).toMatchObject({ onHand: 3, held: 3 });
    const outside = await rowsOf(
      shop.db,
      'SELECT source, quantity, shortfall FROM outside_stock WHERE variant_id = $1',
      [id],
    );
    expect(outside).toEqual([{ source: 'import', quantity: 1, shortfall: 2 }]);
    const before = await dumpOf(shop);
    expect((await importHere(shop, file)).counts).toMatchObject({ made: 0, changed: 0, unchanged: 1, refused: 0 });
    expect(await dumpOf(shop)).toEqual(before);
    // What is owed is taken from what comes.
    await take(withQuantity('held', '4'));
    expect(await only('held')).toMatchObject({ onHand: 4, held: 3 });
    expect(await rowsOf(shop.db, 'SELECT shortfall FROM outside_stock WHERE variant_id = $1', [id])).toEqual([
      { shortfall: 0 },
    ]);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('are decided under the lock of the variant', async () => {
    await take(withQuantity('locked', '5'));
    const { id } = await only('locked');
    const file = await writeProducts([withQuantity('locked', '2')]);
    const barrier = await holdVariants(shop.db, id);
    const importing = importHere(shop, file);
    await until('the import waits for the variant', async () => {
      const waiting = await rowsOf(
        shop.db,
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting.length > 0;
    });
    // Somebody sells all but one of them in between.
    await barrier.query(
      `WITH sold AS (UPDATE product_variants SET on_hand = 1 WHERE id = $1 RETURNING id)
       INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, occurred_at)
       SELECT id, 'CORRECTION', -4, 0, 1, 0, clock_timestamp() FROM sold`,
      [id],
    );
    await barrier.release();
    expect((await importing).counts.changed).toBe(1);
    expect(await only('locked')).toMatchObject({ onHand: 0 });
    expect(await rowsOf(shop.db, 'SELECT shortfall FROM outside_stock WHERE variant_id = $1', [id])).toEqual([
      { shortfall: 2 },
    ]);
  });
});

describe('fields', () => {
  test('are changed where the file says something else, and left where it says nothing', async () => {
    await take(
      plainRow('field', { Vendor: 'Old & Sons', 'Variant Compare At Price': '9.00', Tags: 'a, b', Status: 'active' }),
    );
    const first = await only('field');
    const changed = plainRow('field', { Title: 'New title', 'Variant Price': '6.00', Status: 'draft' });
    await take(changed);
    const second = await only('field');
    expect(second).toMatchObject({
      title: 'New title',
      price: 600,
      compareAt: 900,
      vendor: 'Old & Sons',
      status: 'DRAFT',
    });
    expect(second.updatedAt.getTime()).toBeGreaterThan(first.updatedAt.getTime());
    expect(await recordedOf(shop, first.productId)).toEqual([
      ['PRODUCT_CREATED', expect.any(Array)],
      ['PRODUCT_UPDATED', ['title: The field → New title', 'status: ACTIVE → DRAFT']],
    ]);
    expect(await recordedOf(shop, first.id)).toEqual([['PRODUCT_VARIANT_UPDATED', ['price: 5.00 → 6.00']]]);
    expect((await eventsOf(shop, first.productId)).map(({ type }) => type)).toEqual([
      'product_changed',
      'product_changed',
    ]);

    // An empty cell clears.
    await take({ ...changed, Vendor: '', 'Variant Compare At Price': '' });
    expect(await only('field')).toMatchObject({ vendor: null, compareAt: null });
  });

  test('of a variant are found by SKU or by choice; a made-up SKU gives way to a given one', async () => {
    const row = (size: string, sku: string) => ({
      ...plainRow('sized'),
      'Option1 Name': 'Size',
      'Option1 Value': size,
      'Variant SKU': sku,
    });
    await take(row('S', ''), row('M', ''));
    const [small, medium] = await variantsOf('sized');
    expect(small?.sku).toMatch(/^SIZED-S-[0-9A-F]{8}$/);
    expect(medium?.sku).toMatch(/^SIZED-M-[0-9A-F]{8}$/);
    await take(row('S', 'SIZED-1'), row('M', ''), row('L', ''));
    const after = await variantsOf('sized');
    expect(after.map(({ id }) => id).slice(0, 2)).toEqual([small?.id, medium?.id]);
    expect(after.map(({ sku }) => sku).slice(0, 2)).toEqual(['SIZED-1', medium?.sku]);
    expect(after).toHaveLength(3);
    // A file that has none leaves the one that is there.
    await take(row('S', ''), row('M', ''), row('L', ''));
    expect(await variantsOf('sized')).toEqual(after);
  });

  test('what is archived in the shop stays so', async () => {
    await take(plainRow('gone', { Status: 'active' }));
    const { productId } = await only('gone');
    await shop.app.services.catalogWriting.archiveProduct(null, productId);
    const file = await writeProducts([plainRow('gone', { Status: 'active' })]);
    const before = await dumpOf(shop);
    expect((await importHere(shop, file)).noted).toEqual([
      '2 gone -: The product is archived in the shop and remains archived.',
    ]);
    expect(await dumpOf(shop)).toEqual(before);
  });

  test('other options and too many variants are refused, and the shop stays as it is', async () => {
    const sized = (handle: string, value: string, sku: string) => ({
      ...plainRow(handle),
      'Option1 Name': 'Size',
      'Option1 Value': value,
      'Variant SKU': sku,
    });
    await take(plainRow('owner'), sized('rules', 'S', 'RULES-S'));
    const many = Array.from({ length: 101 }, (_, i) => sized('many', String(i), `MANY-${i}`));
    const file = await writeProducts([
      sized('rules', 'M', 'RULES-S'),
      ...many,
      sized('twins', 'S', 'TWIN-1'),
      sized('twins', 'S', 'TWIN-2'),
      sized('long', 'S', 'X'.repeat(101)),
    ]);
    const before = await dumpOf(shop);
    const { counts, refused } = await importHere(shop, file);
    expect(counts).toMatchObject({ made: 0, changed: 0, refused: 4 });
    expect(await dumpOf(shop)).toEqual(before);
    expect(refused).toEqual([
      '105 twins Option1 Value: The row in line 104 has the same option values.',
      '106 long Variant SKU: sku must have at most 100 characters.',
      '2 rules Option1 Value: The variant with this SKU has other options in the shop (Size: S), which were left unchanged.',
      '3 many -: A product can have at most 100 variants.',
    ]);
  });
});

describe('a file that is none', () => {
  const sound = 'Handle,Title,Variant Price\nsound,Sound,1.00\n';

  test.each<[string, string | Buffer, string]>([
    [
      'lacks columns, and learns which',
      'Handle,Name\na,b\n',
      'The file is not a Shopify product CSV: its first row lacks "Title".',
    ],
    ['has no handles', 'Title;Variant Price\nb;1\n', 'its first row lacks "Handle" or "URL handle".'],
    [
      'has a column twice',
      'Handle,Title,Price,Variant Price\na,A,1,1\n',
      'Two columns have the same meaning: "Price" and "Variant Price".',
    ],
    ['is empty', '', 'The file is empty.'],
    ['is not in UTF-8', Buffer.from(`${sound}caf\xe9,Caf\xe9,1.00\n`, 'latin1'), 'The file is not encoded in UTF-8'],
    [
      'has a quote that is never closed: not even what is before it comes in',
      `${sound}open,"Open,1.00\nnext,Next,1.00\n`,
      'quotes do not match in the row that starts in line 3',
    ],
  ])('%s', async (_what, content, words) => {
    const path = newFile();
    await writeFile(path, content);
    const before = await dumpOf(shop);
    await expect(importHere(shop, path)).rejects.toThrow(words);
    expect(await dumpOf(shop)).toEqual(before);
  });

  test('is not at fault where there is no database: that is no refusal of rows', async () => {
    const { status, output } = await callCommand(importProducts, [await writeProducts([plainRow('away')])], {
      DATABASE_URL: 'postgresql://shop:kept-secret@127.0.0.1:1/shop',
      DATA_DIR: newDataDir(),
    });
    expect([status, output.includes('ECONNREFUSED'), output.includes('kept-secret')]).toEqual([2, true, false]);
  });

  test('is not there, or is not named', async () => {
    expect(await runImport(shop, '/nowhere.csv')).toMatchObject({
      status: 2,
      output: 'File not found: /nowhere.csv.\n',
    });
    const usage = await runImport(shop);
    expect(usage.status).toBe(2);
    expect(usage.output).toContain('Usage: npm run import -- FILE.csv');
  });
});

test('the newer headers of Shopify are the same columns', async () => {
  const row = {
    Title: 'Enamel mug',
    'URL handle': 'enamel-mug',
    Description: '<p>White</p>',
    Type: 'Mugs',
    'Published on online store': 'TRUE',
    Status: 'Active',
    SKU: 'MUG',
    'Option1 name': 'Title',
    'Option1 value': 'Default Title',
    Price: '12.00',
    'Compare-at price': '15.00',
    'Inventory tracker': 'shopify',
    'Inventory quantity': '9',
    'Continue selling when out of stock': 'DENY',
    'Product image URL': '/images/mug.jpg',
    'Image position': '1',
    'Image alt text': 'A mug',
    'Gift card': 'FALSE',
    'Color (product.metafields.shopify.color-pattern)': 'white',
  };
  await take(row);
  expect(await only('enamel-mug')).toMatchObject({
    sku: 'MUG',
    price: 1200,
    compareAt: 1500,
    onHand: 9,
    status: 'ACTIVE',
  });
});

test('Ctrl-C ends it after the products in hand, and the same command goes on', async () => {
  const rows = Array.from({ length: 12 }, (_, i) => withQuantity(`stop-${i}`, '1'));
  await take(...rows.slice(0, 1));
  const { id } = await only('stop-0');
  const changed = await writeProducts(rows.map((row) => ({ ...row, 'Variant Price': '7.00' })));
  const barrier = await holdVariants(shop.db, id);
  const { child, exited, output } = startImport(shop, [changed]);
  await until('the import waits for the variant', async () => {
    const waiting = await rowsOf(
      shop.db,
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    const [{ made } = { made: 0 }] = await rowsOf<{ made: number }>(
      shop.db,
      `SELECT count(*)::int AS made FROM products WHERE slug LIKE 'stop-%'`,
    );
    // The others are all made by then: the last to end is the one that waits.
    return waiting.length > 0 && made === 12;
  });
  child.kill('SIGINT');
  await barrier.release();
  expect(await exited).toBe(130);
  expect(output()).toContain('Stopped after 12 rows, 12 products: 11 made, 1 changed');
  expect(output()).toContain('Run the command again to continue');
  expect((await importHere(shop, changed)).counts).toMatchObject({ made: 0, changed: 0, unchanged: 12 });
});
