import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFaults, rowsOf } from '../../support/books.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { dumpOf, importHere, newFile, plainRow, runImport, toCsv, writeProducts } from '../../support/import.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

/** Rows that merchants' files do have, and what must not end the import of all others. */

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  await shop.dispose();
});

const sized = (handle: string, size: string, more: Record<string, string> = {}) => ({
  ...plainRow(handle),
  'Option1 Name': 'Size',
  'Option1 Value': size,
  'Variant SKU': '',
  'Variant Inventory Qty': '3',
  ...more,
});

/** Imports rows of which some are refused: those, and nothing else of the shop stays as it was. */
async function refusals(...rows: Record<string, string>[]) {
  const file = await writeProducts(rows);
  const before = await dumpOf(shop);
  const { counts, refused } = await importHere(shop, file);
  expect(await dumpOf(shop)).toEqual(before);
  expect(counts).toMatchObject({ made: 0, changed: 0, rows: rows.length });
  return refused;
}

describe('two rows of one choice', () => {
  test.each([
    ['without SKUs', '', ''],
    ['of two SKUs', 'TWO-S-1', 'TWO-S-2'],
  ])('of a product that is there are refused, %s', async (_what, one, other) => {
    const handle = `two-${one === '' ? 'none' : 'given'}`;
    await importHere(shop, await writeProducts([sized(handle, 'S', { 'Variant SKU': one }), sized(handle, 'M')]));
    expect(
      await refusals(
        sized(handle, 'S', { 'Variant SKU': one, 'Variant Inventory Qty': '5' }),
        sized(handle, 'M'),
        sized(handle, 'S', { 'Variant SKU': other, 'Variant Inventory Qty': '7' }),
      ),
    ).toEqual([`4 ${handle} Option1 Value: The row in line 2 has the same option values.`]);
  });

  test('of a new one are reported once each', async () => {
    expect(await refusals(sized('thrice', 'S'), sized('thrice', 'S'), sized('thrice', 'S'))).toEqual([
      '3 thrice Option1 Value: The row in line 2 has the same option values.',
      '4 thrice Option1 Value: The row in line 2 has the same option values.',
    ]);
  });

  test('are what is left of four options', async () => {
    const row = (fourth: string) => sized('four', 'S', { 'Option4 Name': 'Sleeve', 'Option4 Value': fourth });
    expect(await refusals(row('long'), row('short'))).toEqual([
      '3 four Option1 Value: The row in line 2 has the same option values.',
    ]);
  });
});

describe('a type', () => {
  test.each([
    ['is longer than a category can be named', 'x'.repeat(201), 'name must have at most 200 characters.'],
    ['has control characters', 'a\0b', 'name must not contain line breaks or control characters.'],
  ])('that %s refuses its product alone', async (_what, type, message) => {
    const handle = `typed-${type.length}`;
    expect(await refusals({ ...plainRow(handle), Type: type })).toEqual([`2 ${handle} Type: ${message}`]);
    const file = await writeProducts([{ ...plainRow(handle), Type: type }, plainRow(`next-to-${handle}`)]);
    expect((await importHere(shop, file)).counts).toMatchObject({ made: 1, refused: 1 });
  });
});

test('more than can be counted is refused, as of any other catalogue, and nothing of the product is changed', async () => {
  const file = (units: string, price: string) =>
    writeProducts([plainRow('much', { 'Variant Inventory Qty': units, 'Variant Price': price })]);
  await importHere(shop, await file('0', '5.00'));
  const [variant] = await rowsOf<{ id: string }>(shop.db, `SELECT id FROM product_variants WHERE sku = 'MUCH'`);
  const { id } = known(variant);
  await shop.db.transaction(async (tx) => {
    const { inventory } = shop.app.services;
    await inventory.apply(tx, await inventory.lock(tx, [id]), [{ variantId: id, reason: 'RESTOCK', onHandDelta: 1 }]);
  });
  const before = await dumpOf(shop);
  const { counts, refused } = await importHere(shop, await file('1000000000', '6.00'));
  expect(counts).toMatchObject({ changed: 0, refused: 1 });
  expect(refused).toEqual(['2 much -: There can be at most 1000000000 units on hand.']);
  expect(await dumpOf(shop)).toEqual(before);
});

// Who meets whom is left to chance: of one round in three it was seen that a product looked like another's, half made.
test.each([1, 2, 3, 4, 5])(
  'imports of one file at once make each product, variant and category once: round %i',
  async (round) => {
    const rows = Array.from({ length: 12 }, (_, i) => [
      sized(`both${round}-${i}`, 'S', { Type: `Kind ${i % 3}`, 'Variant SKU': `BOTH${round}-${i}-S` }),
      sized(`both${round}-${i}`, 'M', { 'Variant SKU': `BOTH${round}-${i}-M` }),
    ]).flat();
    const [file, backwards] = [await writeProducts(rows), await writeProducts(rows.toReversed())];
    const outcomes = await Promise.all([importHere(shop, file), importHere(shop, backwards), importHere(shop, file)]);
    expect(outcomes.flatMap(({ refused }) => refused)).toEqual([]);
    expect(outcomes.reduce((sum, { counts }) => sum + counts.made, 0)).toBe(12);
    const count = `SELECT count(DISTINCT p.id)::int AS products, count(*)::int AS variants, sum(v.on_hand)::int AS units,
                        count(DISTINCT p.category_id)::int AS categories
                   FROM products p JOIN product_variants v ON v.product_id = p.id WHERE p.slug LIKE 'both${round}-%'`;
    expect(await rowsOf(shop.db, count)).toEqual([{ products: 12, variants: 24, units: 72, categories: 3 }]);
    // The types of the two files differ: those of this one are the last.
    await importHere(shop, file);
    const before = await dumpOf(shop);
    expect((await importHere(shop, file)).counts).toMatchObject({ unchanged: 12 });
    expect(await dumpOf(shop)).toEqual(before);
  },
);

test('handles that are longer than addresses, and alike as far as those go, are two products', async () => {
  const long = (end: string) => plainRow(`${'long-'.repeat(45)}${end}`, { 'Variant SKU': `LONG-${end}` });
  const file = await writeProducts([long('one'), long('two')]);
  expect((await importHere(shop, file)).counts).toMatchObject({ made: 2, refused: 0 });
  expect((await importHere(shop, file)).counts).toMatchObject({ unchanged: 2 });
});

test('a product that is refused leaves no category behind', async () => {
  const [small, large] = [
    sized('owning', 'S', { 'Variant SKU': 'OWN-S' }),
    sized('owning', 'M', { 'Variant SKU': 'OWN-M' }),
  ];
  await importHere(shop, await writeProducts([small, large]));
  expect(await refusals({ ...small, 'Option1 Value': 'XL', Type: 'Stolen' }, { ...large, Type: 'Stolen' })).toEqual([
    '2 owning Option1 Value: The variant with this SKU has other options in the shop (Size: S), which were left unchanged.',
  ]);
});

test('a file of nothing but its header is imported: there was nothing in it', async () => {
  const path = newFile();
  await writeFile(path, 'Handle,Title,Variant Price\r\n');
  expect(await runImport(shop, path)).toMatchObject({
    status: 0,
    output: 'Done after 0 rows, 0 products: 0 made, 0 changed, 0 unchanged, 0 refused.\n',
  });
});

test('what staff changed since counts less than what the file says, and more than what it is silent about', async () => {
  const made = await makeProduct(shop, { slug: 'staff', variants: [{ sku: 'STAFF', price: 500, onHand: 0 }] });
  const { id } = known(made.variants[0]);
  const file = await writeProducts([plainRow('staff', { 'Variant Inventory Qty': '8', Vendor: 'Mill' })]);
  await importHere(shop, file);
  await rowsOf(shop.db, `UPDATE products SET title = 'By hand', vendor = 'By hand', tags = '{hand}' WHERE id = $1`, [
    made.id,
  ]);
  await shop.db.transaction(async (tx) => {
    const { inventory } = shop.app.services;
    await inventory.apply(tx, await inventory.lock(tx, [id]), [{ variantId: id, reason: 'DAMAGE', onHandDelta: -2 }]);
  });
  expect((await importHere(shop, file)).counts).toMatchObject({ changed: 1 });
  const state = `SELECT p.title, p.vendor, p.tags, v.on_hand FROM products p JOIN product_variants v ON v.product_id = p.id WHERE p.id = $1`;
  expect(await rowsOf(shop.db, state, [made.id])).toEqual([
    { title: 'The staff', vendor: 'Mill', tags: ['hand'], on_hand: 6 },
  ]);
});

test("a picture's text stays where the file has pictures and no column for their texts", async () => {
  const row = plainRow('texts', { 'Image Src': '/images/a.jpg' });
  await importHere(shop, await writeProducts([{ ...row, 'Image Alt Text': 'A jar' }]));
  const file = await writeProducts([row, { Handle: 'texts', 'Image Src': '/images/b.jpg' }]);
  await importHere(shop, file);
  const images = () => rowsOf(shop.db, `SELECT images FROM products WHERE slug = 'texts'`);
  expect(await images()).toEqual([
    {
      images: [
        { url: '/images/a.jpg', altText: 'A jar' },
        { url: '/images/b.jpg', altText: null },
      ],
    },
  ]);
  expect((await importHere(shop, file)).counts).toMatchObject({ unchanged: 1 });
});

test('what a file says moves no cursor of the terminal, and is written whole to the report', async () => {
  const path = newFile();
  const handle = 'red\u001b[31m\u009b2J';
  await writeFile(path, toCsv([plainRow(handle, { 'Variant Price': 'x', 'Bell\u0007 column': '' })]));
  const report = newFile();
  const { status, output } = await runImport(shop, path, '--report', report);
  expect(status).toBe(1);
  expect(output).toContain('Ignored unknown columns: Bell column.');
  expect(output).toContain('line 2, red [31m 2J, Variant Price: "x" is not a price');
  expect(output).not.toMatch(/[^\P{Cc}\n]/u);
  expect(await readFile(report, 'utf8')).toContain(`refused,2,2,"${handle}","Variant Price",`);
});

test('a report that would be written over the file is refused, and the file stays', async () => {
  const path = await writeProducts([plainRow('kept')]);
  const content = await readFile(path, 'utf8');
  const { status, output } = await runImport(shop, path, '--report', path);
  expect([status, output]).toEqual([2, 'The report cannot be written to the file that is being imported.\n']);
  expect(await readFile(path, 'utf8')).toBe(content);
});
