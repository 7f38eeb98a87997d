import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createImportService } from '../../../src/modules/imports/import.service.ts';
import { bearer, newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { merchantOf } from '../../support/merchant.ts';
import { guestWithOrder } from '../../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${shop.url}${path}`, { headers });

/** An export by the hands of staff, as text and as records by column. */
async function exported(name: string): Promise<{ text: string; records: Record<string, string>[] }> {
  const response = await get(`/staff/export/${name}.csv`, bearer(staff.accessToken));
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
  const bytes = Buffer.from(await response.arrayBuffer());
  const records: Record<string, string>[] = parse(bytes, { columns: true, bom: true });
  return { text: bytes.toString(), records };
}

describe('the export of products', () => {
  test('neutralises formulas, and imports again without a change', async () => {
    const merchant = merchantOf(staff.client);
    await shop.app.services.tax.createCategory(null, { code: 'zero', name: 'Zero', isDefault: false });
    await merchant.createCategory({ name: 'Honey & Wax', slug: 'a-slug-of-its-own' });
    const size = (value: string) => [{ name: 'Size', value }];
    const plain = { price: '1.00', onHand: 3 };
    const answers = [
      await merchant.createProduct({
        title: '=HYPERLINK("http://evil.example")',
        slug: 'formula',
        description: 'Honey & wax\n"first" <harvest>',
        vendor: "'+bees",
        tags: ['@tag', 'b'],
        categorySlug: 'a-slug-of-its-own',
        images: [1, 2, 3].map((n) => ({ url: `https://example.com/${n}.jpg`, altText: n === 2 ? '-dash' : null })),
        status: 'DRAFT',
        variants: [
          { ...plain, sku: '-SKU-1', selectedOptions: size('=1+1'), weightGrams: 250, compareAtPrice: '2.50' },
          { ...plain, sku: 'SKU-2', selectedOptions: size('-2'), weightGrams: 0, requiresShipping: false },
        ],
      }),
      await merchant.createProduct({ title: 'Plain', variants: [{ ...plain, sku: '00123' }] }),
    ];
    for (const { errors } of answers) expect(errors).toEqual([]);
    await shop.db.query({
      text: "UPDATE product_variants SET tax_category_id = (SELECT id FROM tax_categories) WHERE sku = 'SKU-2'",
    });
    const { text, records } = await exported('products');
    const state = () =>
      shop.db.query({
        text: 'SELECT to_jsonb(p) AS product, to_jsonb(v) AS variant FROM products p JOIN product_variants v ON v.product_id = p.id ORDER BY v.id',
      });
    const before = await state();
    expect(records.filter(({ Handle }) => Handle === 'formula')).toMatchObject([
      {
        Title: '\'=HYPERLINK("http://evil.example")',
        Vendor: "''+bees",
        Type: 'a-slug-of-its-own',
        'Option1 Name': 'Size',
        'Option1 Value': "'=1+1",
        'Variant SKU': "'-SKU-1",
        'Variant Grams': '250',
        'Variant Price': '1.00',
        'Variant Compare At Price': '2.50',
        'Variant Requires Shipping': 'TRUE',
        'Variant Taxable': 'TRUE',
        'Variant Tax Code': '',
        Status: 'draft',
      },
      {
        'Variant SKU': 'SKU-2',
        'Variant Grams': '0',
        'Variant Requires Shipping': 'FALSE',
        'Variant Tax Code': 'zero',
      },
      { 'Variant SKU': '', 'Image Src': 'https://example.com/3.jpg', 'Image Position': '3' },
    ]);

    const path = join(await mkdtemp(join(inject('postgres').runFolder, 'export-')), 'products.csv');
    await writeFile(path, text);
    const findings: unknown[] = [];
    const take = (finding: unknown) => {
      findings.push(finding);
    };
    const listener = { began: () => {}, progressed: () => {}, refused: take, noted: take };
    const counts = await createImportService(shop.app.services).run({ path, dryRun: false, listener });
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({ products: 2, unchanged: 2, made: 0, changed: 0, refused: 0 });
    expect(await state()).toEqual(before);
  });
});

describe('the export of orders', () => {
  test('has a row for each line, with all amounts as decimals', async () => {
    const { sku } = await makeVariant(shop, { onHand: 10, price: 1050 });
    const { order } = await guestWithOrder(shop, [{ sku, quantity: 2 }], { email: 'ada@example.com' });
    const { records } = await exported('orders');
    expect(records.filter((record) => record.Order === order.number)).toMatchObject([
      {
        Status: 'PLACED',
        Email: 'ada@example.com',
        Currency: 'USD',
        SKU: sku,
        Quantity: '2',
        'Unit price': '10.50',
        'Discount of line': '0.00',
        'Tax of line': '0.00',
        'Total of line': '21.00',
        'Subtotal of order': '21.00',
        'Shipping of order': '0.00',
        'Total of order': '21.00',
      },
    ]);
  });
});

describe('exports', () => {
  test('are for staff alone, and for no page of another origin', async () => {
    const customer = await newPerson(shop);
    const path = '/staff/export/products.csv';
    const status = async (headers: Record<string, string>) => (await get(path, headers)).status;
    const own = bearer(staff.accessToken);
    expect(await status({})).toBe(401);
    expect(await status(bearer(customer.accessToken))).toBe(403);
    expect(await status({ ...own, origin: 'https://evil.example' })).toBe(403);
    expect(await status({ ...own, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status(own)).toBe(200);
    expect((await get('/staff/export/users.csv', own)).status).toBe(404);
    expect((await fetch(`${shop.url}${path}`, { method: 'POST', headers: own })).status).toBe(405);
  });
});
