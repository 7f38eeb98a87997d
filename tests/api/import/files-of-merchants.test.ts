import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { latinSlug, slugFrom } from '../../../src/modules/catalog/slug.ts';
import { newStaff } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { dumpOf, importHere, newFile, plainRow, toCsv, writeProducts } from '../../support/import.ts';
import { merchantOf, variantInput } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

/** What files of real merchants have, and what shops that are there need. */

let shop: QuietShop;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

interface Found {
  title: string;
  slug: string;
  category: string | null;
  sku: string;
  price: number;
  onHand: number;
}

const found = (slug: string) =>
  rowsOf<Found>(
    shop.db,
    `SELECT p.title, p.slug, c.slug AS category, v.sku, v.price_minor AS price, v.on_hand AS "onHand"
       FROM products p JOIN product_variants v ON v.product_id = p.id LEFT JOIN categories c ON c.id = p.category_id
      WHERE p.slug = '${slug}' ORDER BY v.position, v.id`,
  );

async function take(...rows: Record<string, string>[]) {
  return importHere(shop, await writeProducts(rows));
}

/** A second import of the same file changes nothing. */
async function takeAgain(...rows: Record<string, string>[]) {
  const before = await dumpOf(shop);
  const { counts } = await take(...rows);
  expect(counts).toMatchObject({ made: 0, changed: 0, refused: 0 });
  expect(await dumpOf(shop)).toEqual(before);
}

describe('a file that is parted otherwise than by commas', () => {
  test.each([
    ['semicolons', ';', ''],
    ['tabs', '\t', ''],
    ['semicolons, as Excel says in its first line', ';', 'sep=;\r\n'],
    ['commas, with many semicolons in a cell', ',', ''],
  ])('is read: by %s', async (what, delimiter, before) => {
    const handle = `parted-${slugFrom(what)}`;
    const row = plainRow(handle, {
      Title: 'A "good"; one,\tand\nmore',
      Tags: 'a;b;c, d',
      'Variant Inventory Qty': '3',
    });
    const path = newFile();
    const quoted = toCsv([row]).replaceAll('","', `"${delimiter}"`);
    await writeFile(path, `\uFEFF${before}${quoted}`);
    const { counts, refused } = await importHere(shop, path);
    expect([counts.made, refused]).toEqual([1, []]);
    expect(await found(handle)).toMatchObject([{ title: 'A "good"; one, and more', price: 500, onHand: 3 }]);
  });

  test('gets its faults with line and column', async () => {
    const path = newFile();
    await writeFile(path, 'sep=;\nHandle;Title;Variant Price\n"good-one";"Good; one";5.00\nbad-one;Bad;5,00\n');
    const { counts, refused } = await importHere(shop, path);
    expect(counts).toMatchObject({ made: 1, refused: 1 });
    expect(refused).toEqual([expect.stringMatching(/^4 bad-one Variant Price: "5,00" is not a price/)]);
  });
});

describe('a column that the file does not have leaves the field as it is', () => {
  test('the price, the title and the options, too', async () => {
    const sized = (value: string, quantity: string) => ({
      ...plainRow('kept', { 'Variant SKU': `KEPT-${value}` }),
      'Option1 Name': 'Size',
      'Option1 Value': value,
      'Variant Inventory Qty': quantity,
    });
    await take(sized('S', '1'), sized('M', '2'));
    const levels = (sku: string, quantity: string) => ({
      Handle: 'kept',
      'Variant SKU': sku,
      'Variant Inventory Qty': quantity,
    });
    const { counts, refused } = await take(levels('KEPT-S', '5'), levels('KEPT-M', '7'));
    expect([counts.changed, refused]).toEqual([1, []]);
    expect(await found('kept')).toMatchObject([
      { title: 'The kept', sku: 'KEPT-S', price: 500, onHand: 5 },
      { title: 'The kept', sku: 'KEPT-M', price: 500, onHand: 7 },
    ]);
  });

  test('what is new needs a price and a title', async () => {
    const { refused } = await take({ Handle: 'priceless', Title: 'Priceless', 'Variant SKU': 'PRICELESS' });
    expect(refused).toEqual(['2 priceless Variant Price: A new variant needs a price.']);
    const untitled = await take({ Handle: 'untitled', 'Variant SKU': 'UNTITLED', 'Variant Price': '5.00' });
    expect(untitled.refused).toEqual(['2 untitled Title: A new product needs a title.']);
  });

  test('an empty cell of a price is still refused', async () => {
    const { refused } = await take(plainRow('empty-price', { 'Variant Price': '' }));
    expect(refused).toEqual(['2 empty-price Variant Price: The price is missing.']);
  });
});

test('units that Shopify counts, in a file that does not say how many, are noted', async () => {
  const { counts, noted } = await take(plainRow('counted', { 'Variant Inventory Tracker': 'shopify' }));
  expect(counts.made).toBe(1);
  expect(noted).toEqual([
    "2 counted Variant Inventory Tracker: Shopify tracks this variant's units, but the file has no column of quantities: " +
      'the units in the shop remain unchanged, and a new variant starts with none.',
  ]);
  const row = plainRow('counted', { 'Variant Inventory Tracker': 'shopify', 'Variant Inventory Qty': '' });
  expect((await take(row)).noted).toEqual([expect.stringContaining('the cell is empty') as string]);
});

test('the category stands in an older header', async () => {
  await take(plainRow('older', { 'Standardized Product Type': 'Food', 'Custom Product Type': 'Raw honey' }));
  expect(await found('older')).toMatchObject([{ category: 'raw-honey' }]);
  await take(plainRow('both-types', { 'Custom Product Type': 'Of old', Type: 'Of today' }));
  expect(await found('both-types')).toMatchObject([{ category: 'of-today' }]);
});

describe('a SKU that is repeated', () => {
  const sized = (handle: string, value: string, sku: string) => ({
    ...plainRow(handle, { 'Variant SKU': sku }),
    'Option1 Name': 'Size',
    'Option1 Value': value,
  });

  test('stays with the first that has it, and the others get one of their own, the same each time', async () => {
    const rows = [sized('rep-a', 'S', 'REP'), sized('rep-a', 'M', 'REP'), sized('rep-b', 'S', 'REP')];
    const { counts, refused, noted } = await take(...rows);
    expect([counts.made, refused]).toEqual([2, []]);
    const made = [await found('rep-a'), await found('rep-b')].flat().map(({ sku }) => sku);
    expect(made).toEqual([
      'REP',
      expect.stringMatching(/^REP-A-M-[\dA-F]{8}$/),
      expect.stringMatching(/^REP-B-S-[\dA-F]{8}$/),
    ]);
    expect(noted).toEqual([
      `3 rep-a Variant SKU: The row in line 2 has the same SKU. This variant gets the SKU ${made[1]}.`,
      `4 rep-b Variant SKU: The row in line 2, of another product, has the same SKU. This variant gets the SKU ${made[2]}.`,
    ]);
    await takeAgain(...rows);
    // In another order, the products keep what they have.
    const before = await dumpOf(shop);
    const turned = await take(...rows.slice(2), ...rows.slice(0, 2));
    expect(turned.counts).toMatchObject({ made: 0, changed: 0, refused: 0 });
    expect(await dumpOf(shop)).toEqual(before);
  });

  test('by a product of another file is noted, and neither is refused', async () => {
    await take(plainRow('owner'));
    const { counts, noted } = await take(plainRow('thief', { 'Variant SKU': 'OWNER' }));
    expect(counts).toMatchObject({ made: 1, refused: 0 });
    const [thief] = await found('thief');
    expect(thief?.sku).toMatch(/^THIEF-[\dA-F]{8}$/);
    expect(noted).toEqual([
      `2 thief -: The owner already uses the SKU OWNER, so this variant gets the SKU ${thief?.sku}.`,
    ]);
    await takeAgain(plainRow('thief', { 'Variant SKU': 'OWNER' }));
  });
});

test('a product of one variant without options gets more of them by a later file', async () => {
  await take(plainRow('grown', { 'Variant Inventory Qty': '4' }));
  const sized = (value: string, sku: string) => ({
    ...plainRow('grown', { 'Variant SKU': sku }),
    'Option1 Name': 'Size',
    'Option1 Value': value,
  });
  const { counts, refused } = await take(sized('S', 'GROWN'), sized('M', 'GROWN-M'));
  expect([counts.changed, refused]).toEqual([1, []]);
  expect(await found('grown')).toMatchObject([
    { sku: 'GROWN', onHand: 4 },
    { sku: 'GROWN-M', onHand: 0 },
  ]);
  await takeAgain(sized('S', 'GROWN'), sized('M', 'GROWN-M'));
});

describe('a slug', () => {
  test.each([
    ['№5', 'no5'],
    ['Żółty miód', 'zolty-miod'],
    ['Мёд из Ђурђева', 'myod-iz-djurdjeva'],
    ['蜂蜜', 'feng-mi'],
    ['عسل السدر', 'aasl-lsdr'],
    ['はちみつ 500㎖', 'hatimitu-500ml'],
    ['Ελιά', 'elia'],
    ['ქართული', 'kartuli'],
    ['꿀', 'ggul'],
    ['Straße & Crème brûlée', 'strasse-creme-brulee'],
    ["Bee's Honey™", 'bees-honeytm'],
  ])('is made of a title in any script: %s', async (title, slug) => {
    expect(slugFrom(title)).toBe(slug);
  });

  test('of a product that staff make is in Latin letters, and a name that is taken gets a number', async () => {
    const merchant = merchantOf((await newStaff(shop)).client);
    const make = async () =>
      (await merchant.createProduct({ title: 'عسل السدر', variants: [variantInput()] })).product?.slug;
    expect([await make(), await make()]).toEqual(['aasl-lsdr', 'aasl-lsdr-2']);
  });

  test('of a product and a category that an earlier version imported stays, and finds them again', async () => {
    const row = plainRow('мёд-липовый', { 'Variant SKU': 'LIME', Type: 'Мёд', 'Variant Price': '5.00' });
    const { noted } = await take(row);
    const slug = /The slug in the shop is (myod-[a-z-]+-[\da-f]{8})\./.exec(noted.join('\n'))?.[1] ?? noted.join();
    const [product] = await found(slug);
    expect(product).toMatchObject({ category: 'myod', sku: 'LIME' });
    // As the earlier version had named them.
    expect(latinSlug('Мёд')).toBe('');
    const fingerprint = slug.slice(-8);
    await rowsOf(shop.db, `UPDATE products SET slug = 'product-${fingerprint}' WHERE slug = '${slug}'`);
    await rowsOf(shop.db, `UPDATE categories SET slug = 'category-e4551c6f' WHERE slug = 'myod'`);
    const { counts } = await take({ ...row, 'Variant Price': '6.00' });
    expect(counts).toMatchObject({ made: 0, changed: 1, refused: 0 });
    expect(await found(`product-${fingerprint}`)).toMatchObject([{ sku: 'LIME', price: 600 }]);
  });
});
