import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { findFaults } from '../../support/books.ts';
import { dumpOf, newFile, runImport, runImportProcess } from '../../support/import.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { recordOf } from '../../support/merchant.ts';
import { known } from '../../support/known.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { newStaff } from '../../support/accounts.ts';

/*
 * A file in Shopify's format with what merchants' files have: BOM, CRLF, line breaks and commas in quotes, several rows a
 * product, options, compare-at prices, pictures, HTML that would do harm, SKUs that are missing, units sold beyond stock,
 * an empty line, columns of somebody's own, and mistakes of all kinds.
 */
const FILE = fileURLToPath(new URL('shopify-products.csv', import.meta.url));

const documents = {
  product: graphql(`
    query ImportedProduct($slug: String!) {
      product(slug: $slug) {
        id
        title
        description
        vendor
        tags
        status
        category {
          name
          slug
        }
        images {
          url
          altText
        }
        options {
          name
          values
        }
        variants {
          id
          sku
          title
          price {
            amount
          }
          compareAtPrice {
            amount
          }
          available
        }
      }
    }
  `),
};

const REFUSED = [
  'line 10 (row 7), no-price, Variant Price: "1,299.00" is not a price. Write digits with a decimal point, and nothing else.',
  'line 12 (row 9), half-good, Variant Inventory Qty: "two" is not an integer.',
  'line 13 (row 10), gift, Gift Card: The shop does not sell gift cards.',
  'line 15 (row 12), linen-tee, Handle: A product with this handle appeared in line 2. All rows of a product must be adjacent.',
  'line 19 (row 16), short-row: The row has 3 cells, but the header has 40. Perhaps quotes are missing.',
];

let shop: QuietShop;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const productOf = async (slug: string) => (await shop.client().data(documents.product, { slug })).product;

test('a dry run says what would become of a file, and writes nothing', async () => {
  const before = await dumpOf(shop);
  const { status, output } = await runImport(shop, FILE, '--dry-run');
  expect(await dumpOf(shop)).toEqual(before);
  expect(status).toBe(1);
  expect(output).toContain('4 would be made, 0 would be changed, 0 unchanged, 5 refused.');
  expect(output).toContain('Nothing was changed.');
  for (const line of REFUSED) expect(output).toContain(`  ${line}\n`);
});

test('a file of oddities comes in as far as it is sound, and its second import changes nothing', async () => {
  const report = newFile();
  const first = await runImportProcess(shop, FILE, '--report', report);
  expect(first.status).toBe(1);
  expect(first.output).toContain('Ignored unknown columns: Shelf mark.');
  expect(first.output).toContain('Done after 13 rows, 9 products: 4 made, 0 changed, 0 unchanged, 5 refused.');
  const shown = first.output
    .split('\n')
    .filter((line) => line.startsWith('  line ') && !line.includes('Inventory Qty: It'));
  expect(shown.slice(0, REFUSED.length).toSorted()).toEqual(REFUSED.map((line) => `  ${line}`).toSorted());
  const rows = (await readFile(report, 'utf8')).split('\r\n');
  expect(rows[0]).toBe('\uFEFFKind,Line,Row,Handle,Column,Reason');
  expect(rows.filter((row) => row.startsWith('refused,'))).toHaveLength(REFUSED.length);
  expect(rows).toContain('refused,12,9,"half-good","Variant Inventory Qty","""two"" is not an integer."');
  expect(rows).toContain(
    'note,6,3,"linen-tee","Variant Inventory Qty","It is sold beyond its stock (-3): it counts as 0."',
  );

  const tee = await productOf('linen-tee');
  expect(tee).toEqual({
    id: expect.any(String),
    title: 'Linen tee, "summer"',
    description:
      '<h2>Light</h2>\n<p>As a <b>feather</b>.</p>\n<p><a rel="nofollow noopener noreferrer">here</a> and ' +
      '<a href="https://example.com/care" rel="nofollow noopener noreferrer">care</a> </p>',
    vendor: 'Lin & Co',
    tags: ['summer', 'linen'],
    status: 'ACTIVE',
    category: { name: 'T-Shirts', slug: 't-shirts' },
    images: [
      { url: 'https://cdn.example.com/tee-front.jpg', altText: 'The front' },
      { url: 'https://cdn.example.com/tee-back.jpg?v=1', altText: 'The back, folded' },
      { url: 'https://cdn.example.com/tee-detail.jpg', altText: null },
    ],
    options: [
      { name: 'Colour', values: ['Sand', 'Blue'] },
      { name: 'Size', values: ['S', 'M'] },
    ],
    variants: [
      variant('LT-SAND-S', 'Sand / S', { price: '39.00', compareAt: '49.00', available: 7 }),
      variant('LINEN-TEE-SAND-M-89EEFF4F', 'Sand / M', { price: '39.00', compareAt: null, available: 0 }),
      variant('00123', 'Blue / S', { price: '41.50', compareAt: null, available: 0 }),
    ],
  });
  const teeId = rowId(tee?.id ?? '');
  expect(await recordOf(shop, teeId)).toMatchObject([{ kind: 'PRODUCT_CREATED', actorId: null }]);
  for (const slug of ['no-price', 'half-good', 'gift', 'short-row']) expect(await productOf(slug)).toBeNull();

  const staff = await newStaff(shop);
  const seen = async (slug: string) => (await staff.client.data(documents.product, { slug })).product;
  expect(await productOf('honey-jar')).toBeNull();
  expect(await seen('honey-jar')).toMatchObject({
    status: 'DRAFT',
    description: 'Sweet &amp; plain',
    options: [],
    variants: [{ title: 'Default', price: { amount: '8.50' }, available: 12 }],
  });
  expect(await seen('old-lamp')).toMatchObject({ status: 'ARCHIVED', category: null });

  // Sold meanwhile: the file does not know.
  const shopper = await enter(shop);
  const sold = tee?.variants[0]?.id ?? '';
  await shopper.add({ variantId: sold, quantity: 2 });
  known((await shopper.checkout({ idempotencyKey: 'once', email: 'eve@example.com' })).order);
  await shop.app.relay.flush();
  const before = await dumpOf(shop);
  const second = await runImport(shop, FILE);
  expect(second.status).toBe(1);
  expect(second.output).toContain('Done after 13 rows, 9 products: 0 made, 0 changed, 4 unchanged, 5 refused.');
  expect(await dumpOf(shop)).toEqual(before);
  expect(await findFaults(shop.db, { numbered: true })).toEqual([]);
});

function variant(sku: string, title: string, more: { price: string; compareAt: string | null; available: number }) {
  const { price, compareAt, available } = more;
  const compareAtPrice = compareAt === null ? null : { amount: compareAt };
  return { id: expect.any(String), sku, title, price: { amount: price }, compareAtPrice, available };
}
