import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import {
  choice,
  faultsOf,
  merchantOf,
  newSku,
  recordedOf,
  recordOf,
  variantInput,
  type Merchant,
} from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf } from '../../support/records.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let merchant: Merchant;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4', LOW_STOCK_THRESHOLD: '7' });
  staff = await newStaff(shop);
  merchant = merchantOf(staff.client);
});
afterAll(() => shop.dispose());

const changedEvent = (productId: string) => ({ type: 'product_changed', payload: { productId } });

/** When the events of a subject happened; each instant once. */
async function timesOf(subjectId: string): Promise<string[]> {
  const rows = await rowsOf<{ at: Date }>(
    shop.db,
    'SELECT DISTINCT occurred_at AS at FROM event_log WHERE subject_id = $1 ORDER BY at',
    [subjectId],
  );
  return rows.map((row) => row.at.toISOString());
}

/** A product with little said of it. */
async function newProduct(input: Partial<Parameters<Merchant['createProduct']>[0]> = {}) {
  const payload = await merchant.createProduct({ title: 'Plain honey', variants: [variantInput()], ...input });
  expect(payload.errors).toEqual([]);
  const product = known(payload.product);
  return { ...product, row: rowId(product.id) };
}

describe('productCreate', () => {
  test('makes a product with its variants, stock, event and record, all of one instant', async () => {
    await makeCategory(shop, 'Spring honey');
    const [small, large] = [newSku(), newSku()];
    const { product, errors } = await merchant.createProduct({
      title: '  Acacia honey ',
      slug: 'acacia',
      description: 'Light.\r\n\r\n\tFrom Hungary. ',
      vendor: ' Bees & Sons ',
      tags: ['light', ' runny', 'light'],
      categorySlug: 'spring-honey',
      images: [
        { url: 'https://example.com/a.jpg?size=1', altText: 'A jar' },
        { url: '/images/acacia.svg', altText: '  ' },
      ],
      status: 'DRAFT',
      variants: [
        {
          sku: ` ${large} `,
          price: '12.5',
          compareAtPrice: '15',
          selectedOptions: choice({ Size: '500 g', Box: 'none' }),
          onHand: 20,
          lowStockThreshold: 2,
        },
        { sku: small, price: '0', selectedOptions: choice({ Size: '250 g', Box: 'gift' }) },
      ],
    });
    expect(errors).toEqual([]);
    const { id, variants, createdAt, ...rest } = known(product);
    expect(rest).toEqual({
      slug: 'acacia',
      title: 'Acacia honey',
      description: 'Light.\n\n\tFrom Hungary.',
      vendor: 'Bees & Sons',
      tags: ['light', 'runny'],
      status: 'DRAFT',
      category: { slug: 'spring-honey' },
      images: [
        { url: 'https://example.com/a.jpg?size=1', altText: 'A jar' },
        { url: `${shop.url}/images/acacia.svg`, altText: null },
      ],
      options: [
        { name: 'Size', values: ['500 g', '250 g'] },
        { name: 'Box', values: ['none', 'gift'] },
      ],
      priceRange: { min: { amount: '0.00' }, max: { amount: '12.50' } },
      availableForSale: false,
      updatedAt: createdAt,
    });
    const ofProduct = { id, updatedAt: createdAt, variants: [{ sku: large }, { sku: small }] };
    const [first, second] = variants;
    expect(variants).toEqual([
      {
        id: known(first).id,
        sku: large,
        title: '500 g / none',
        selectedOptions: choice({ Size: '500 g', Box: 'none' }),
        price: { amount: '12.50' },
        compareAtPrice: { amount: '15.00' },
        available: 20,
        availableForSale: false,
        lowStockThreshold: 2,
        product: ofProduct,
      },
      {
        id: known(second).id,
        sku: small,
        title: '250 g / gift',
        selectedOptions: choice({ Size: '250 g', Box: 'gift' }),
        price: { amount: '0.00' },
        compareAtPrice: null,
        available: 0,
        availableForSale: false,
        lowStockThreshold: 7,
        product: ofProduct,
      },
    ]);

    const [productId, firstId, secondId] = [id, known(first).id, known(second).id].map((one) => rowId(one));
    expect(await eventsOf(shop, known(productId))).toEqual([changedEvent(known(productId))]);
    expect(await timesOf(known(productId))).toEqual([createdAt]);
    expect(await eventsOf(shop, known(firstId))).toEqual([
      { type: 'stock_changed', payload: { variantId: firstId, productId, available: 20, previousAvailable: 0 } },
    ]);
    expect(await timesOf(known(firstId))).toEqual([createdAt]);
    expect(await ledgerOf(shop, known(firstId))).toEqual([
      { reason: 'INITIAL', onHandDelta: 20, heldDelta: 0, onHandAfter: 20, heldAfter: 0 },
    ]);
    expect(await ledgerOf(shop, known(secondId))).toEqual([]);
    expect(await eventsOf(shop, known(secondId))).toEqual([]);

    const [entry] = await recordOf(shop, known(productId));
    expect(entry).toMatchObject({ actorId: rowId(staff.userId), subjectType: 'Product' });
    expect(known(entry).occurredAt.toISOString()).toBe(createdAt);
    expect(await recordedOf(shop, known(productId))).toEqual([
      [
        'PRODUCT_CREATED',
        [
          'title: - → Acacia honey',
          'slug: - → acacia',
          'description: - → Light.\n\n\tFrom Hungary.',
          'vendor: - → Bees & Sons',
          'tags: - → ["light","runny"]',
          'categorySlug: - → spring-honey',
          'images: - → [{"url":"https://example.com/a.jpg?size=1","altText":"A jar"},{"url":"/images/acacia.svg","altText":null}]',
          'status: - → DRAFT',
        ],
      ],
    ]);
    expect(await recordedOf(shop, known(firstId))).toEqual([
      [
        'PRODUCT_VARIANT_CREATED',
        [
          `sku: - → ${large}`,
          'price: - → 12.50',
          'compareAtPrice: - → 15.00',
          'selectedOptions: - → [{"name":"Size","value":"500 g"},{"name":"Box","value":"none"}]',
          'lowStockThreshold: - → 2',
          'onHand: - → 20',
        ],
      ],
    ]);
    expect((await recordOf(shop, known(secondId))).map((one) => [one.kind, one.subjectType])).toEqual([
      ['PRODUCT_VARIANT_CREATED', 'ProductVariant'],
    ]);
  });

  test('takes as little as a title, a SKU and a price, and sells it', async () => {
    const sku = newSku();
    const product = await newProduct({ title: 'Heather', variants: [{ sku, price: '9.99', onHand: 1 }] });
    expect(product).toMatchObject({
      slug: 'heather',
      description: '',
      vendor: null,
      tags: [],
      status: 'ACTIVE',
      category: null,
      images: [],
      options: [],
      availableForSale: true,
      variants: [{ sku, title: 'Default', selectedOptions: [], available: 1, lowStockThreshold: 7 }],
    });
  });

  test('takes null for what may be left out', async () => {
    const product = await newProduct({
      title: 'Null honey',
      slug: null,
      description: null,
      vendor: null,
      tags: null,
      categorySlug: null,
      images: null,
      status: null,
      variants: [variantInput({ compareAtPrice: null, selectedOptions: null, onHand: null, lowStockThreshold: null })],
    });
    expect(product).toMatchObject({
      slug: 'null-honey',
      status: 'ACTIVE',
      tags: [],
      images: [],
      variants: [{ compareAtPrice: null, available: 0, lowStockThreshold: 7 }],
    });
  });

  test.each([
    ['Crème brûlée – Nº 5', 'creme-brulee-no-5'],
    ["  Bear's  best / Honey!  ", 'bears-best-honey'],
    ['Größe Æther Smørrebrød Łódź', 'grosse-aether-smorrebrod-lodz'],
    ['ＦＵＬＬ ½', 'full-1-2'],
    ['x'.repeat(300), 'x'.repeat(190)],
    [`${'y'.repeat(189)} z`, 'y'.repeat(189)],
  ])('makes a slug of %s', async (title, slug) => {
    expect((await newProduct({ title })).slug).toBe(slug);
  });

  test('makes a slug that nothing has: by number, and of anything where the title has no letters', async () => {
    const slugs = [];
    for (let n = 0; n < 12; n += 1) slugs.push((await newProduct({ title: 'Twelve times' })).slug);
    const numbers = Array.from({ length: 11 }, (_, n) => `twelve-times-${n + 2}`);
    expect(slugs).toEqual(['twelve-times', ...numbers]);

    expect((await newProduct({ title: '🍯' })).slug).toBe('product');
    expect((await newProduct({ title: '!' })).slug).toBe('product-2');
    // A number in between that is free is taken.
    await merchant.updateProduct({ id: (await newProduct({ title: '?' })).id, slug: 'something-else' });
    expect((await newProduct({ title: '…' })).slug).toBe('product-3');
  });

  test('takes everything at its largest', async () => {
    const options = (n: number) => choice({ a: 'v', b: 'v', c: 'v', d: 'v', e: `${n}`.padEnd(100, '蜂') });
    const product = await newProduct({
      title: '蜂'.repeat(300),
      slug: 'z'.repeat(200),
      // No two words alike, and all of several bytes: the most that the search index has to hold.
      description: Array.from({ length: 16_666 }, (_, n) =>
        String.fromCodePoint(0x4e00 + n, 0xac00 + (n % 11_000)),
      ).join(' '),
      vendor: '蜜'.repeat(200),
      tags: Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(100, '茶')),
      images: Array.from({ length: 50 }, () => ({
        url: 'https://example.com/'.padEnd(2000, 'i'),
        altText: '像'.repeat(500),
      })),
      variants: Array.from({ length: 100 }, (_, n) =>
        variantInput({
          sku: `${n}`.padEnd(100, '号'),
          price: '21474836.47',
          compareAtPrice: '21474836.47',
          selectedOptions: options(n),
          onHand: n === 0 ? 1_000_000_000 : 0,
          lowStockThreshold: 2 ** 31 - 1,
        }),
      ),
    });
    expect([product.variants.length, product.tags.length, product.images.length]).toEqual([100, 100, 50]);
    expect(product.variants[0]).toMatchObject({ available: 1_000_000_000, price: { amount: '21474836.47' } });
    const { products } = await merchant.client.data(StaffCatalogFound, { filter: { search: '99号' } });
    expect(known(products).nodes.map((node) => node.id)).toEqual([product.id]);
  });

  test('refuses a slug that is taken, by whatever product', async () => {
    await makeProduct(shop, { slug: 'there-already', status: 'ARCHIVED' });
    const payload = await changingNothing(shop, () =>
      merchant.createProduct({ title: 'Any', slug: 'there-already', variants: [variantInput()] }),
    );
    expect(payload).toEqual({
      product: null,
      errors: [
        {
          __typename: 'GenericError',
          code: 'CONFLICT',
          message: 'The slug is already used by another product.',
          path: ['slug'],
        },
      ],
    });
  });

  test('refuses each SKU that is taken, also by an archived variant, or named twice', async () => {
    const [taken, archived] = [newSku(), newSku()];
    await newProduct({ variants: [variantInput({ sku: taken })] });
    const other = await newProduct({
      variants: [
        variantInput({ sku: archived, selectedOptions: choice({ Size: 'S' }) }),
        variantInput({ selectedOptions: choice({ Size: 'M' }) }),
      ],
    });
    await merchant.archiveVariant(known(other.variants[0]).id);
    const sized = (sku: string, Size: string) => variantInput({ sku, selectedOptions: choice({ Size }) });
    const create = (...skus: string[]) =>
      changingNothing(shop, () =>
        merchant.createProduct({ title: 'Any', variants: skus.map((sku, n) => sized(sku, `${n}`)) }),
      );
    expect(faultsOf(await create(newSku(), taken, newSku(), archived))).toEqual([
      'CONFLICT variants.1.sku',
      'CONFLICT variants.3.sku',
    ]);
    const twice = newSku();
    expect(faultsOf(await create(twice, newSku(), ` ${twice}`))).toEqual(['CONFLICT variants.2.sku']);
  });

  test.each(['no-such-category', 'No Slug', '', '\u0000'])('refuses a category that is not there: %j', async (slug) => {
    const payload = await changingNothing(shop, () =>
      merchant.createProduct({ title: 'Any', categorySlug: slug, variants: [variantInput()] }),
    );
    expect(faultsOf(payload)).toEqual(['NOT_FOUND categorySlug']);
  });
});

const StaffCatalogFound = graphql(`
  query StaffCatalogFound($filter: ProductFilter, $sort: ProductSort) {
    products(filter: $filter, sort: $sort) {
      nodes {
        id
        title
      }
    }
  }
`);

describe('productUpdate', () => {
  test('changes the given fields, keeps the others, and makes an event and an entry in the record', async () => {
    await makeCategory(shop, 'Dark honey');
    await makeCategory(shop, 'Pale honey');
    const product = await newProduct({
      title: 'Chestnut',
      description: 'Dark.',
      vendor: 'Bees',
      tags: ['dark'],
      categorySlug: 'pale-honey',
      images: [{ url: 'https://example.com/a.jpg', altText: 'A jar' }],
    });
    const { product: changed, errors } = await merchant.updateProduct({
      id: product.id,
      title: ' Chestnut honey ',
      slug: 'chestnut-honey',
      description: 'Very dark.\rBitter.',
      vendor: 'More bees',
      tags: ['dark', 'bitter', 'dark'],
      categorySlug: 'dark-honey',
      images: [{ url: 'http://example.com/b.jpg' }],
      status: 'DRAFT',
    });
    expect(errors).toEqual([]);
    const { updatedAt } = known(changed);
    expect(Date.parse(updatedAt)).toBeGreaterThan(Date.parse(product.createdAt));
    const { row, ...before } = product;
    expect(changed).toEqual({
      ...before,
      title: 'Chestnut honey',
      slug: 'chestnut-honey',
      description: 'Very dark.\nBitter.',
      vendor: 'More bees',
      tags: ['dark', 'bitter'],
      category: { slug: 'dark-honey' },
      images: [{ url: 'http://example.com/b.jpg', altText: null }],
      status: 'DRAFT',
      updatedAt,
      variants: before.variants.map((variant) => ({ ...variant, product: { ...variant.product, updatedAt } })),
    });
    expect(await eventsOf(shop, row)).toEqual([changedEvent(row), changedEvent(row)]);
    expect(await timesOf(row)).toEqual([product.createdAt, updatedAt]);
    expect((await recordOf(shop, row)).map((entry) => entry.occurredAt.toISOString())).toEqual([
      product.createdAt,
      updatedAt,
    ]);
    expect((await recordedOf(shop, row))[1]).toEqual([
      'PRODUCT_UPDATED',
      [
        'title: Chestnut → Chestnut honey',
        'slug: chestnut → chestnut-honey',
        'description: Dark. → Very dark.\nBitter.',
        'vendor: Bees → More bees',
        'tags: ["dark"] → ["dark","bitter"]',
        'categorySlug: pale-honey → dark-honey',
        'images: [{"url":"https://example.com/a.jpg","altText":"A jar"}] → [{"url":"http://example.com/b.jpg","altText":null}]',
        'status: ACTIVE → DRAFT',
      ],
    ]);
  });

  test('the record cuts long texts short, and no character in half', async () => {
    const product = await newProduct({ description: `a${'🐝'.repeat(400)}` });
    const { errors } = await merchant.updateProduct({ id: product.id, description: '🐝'.repeat(400) });
    expect(errors).toEqual([]);
    const [, [, changes] = []] = await recordedOf(shop, product.row);
    expect(changes).toEqual([`description: a${'🐝'.repeat(249)}… → ${'🐝'.repeat(250)}…`]);
  });

  test('null clears what can be cleared', async () => {
    await makeCategory(shop, 'Cleared');
    const product = await newProduct({
      title: 'Full',
      description: 'Much.',
      vendor: 'Bees',
      tags: ['a'],
      categorySlug: 'cleared',
      images: [{ url: 'https://example.com/a.jpg' }],
    });
    const { product: cleared } = await merchant.updateProduct({
      id: product.id,
      description: null,
      vendor: null,
      tags: null,
      categorySlug: null,
      images: null,
    });
    expect(cleared).toMatchObject({
      title: 'Full',
      slug: product.slug,
      status: 'ACTIVE',
      description: '',
      vendor: null,
      tags: [],
      category: null,
      images: [],
    });
    expect((await recordedOf(shop, product.row))[1]).toEqual([
      'PRODUCT_UPDATED',
      [
        'description: Much. → -',
        'vendor: Bees → -',
        'tags: ["a"] → -',
        'categorySlug: cleared → -',
        'images: [{"url":"https://example.com/a.jpg","altText":null}] → -',
      ],
    ]);

    const nulls = { id: product.id, title: null, slug: null, status: null };
    const refused = await changingNothing(shop, () => merchant.updateProduct(nulls));
    expect(faultsOf(refused)).toEqual(['INVALID_INPUT title', 'INVALID_INPUT slug', 'INVALID_INPUT status']);
    expect(refused.errors[0]?.message).toBe('title cannot be cleared.');
  });

  test('that changes nothing succeeds, and leaves no trace', async () => {
    await makeCategory(shop, 'Unchanged');
    const { row: _row, ...product } = await newProduct({
      title: 'Same',
      description: 'One.\nTwo.',
      vendor: 'Bees',
      tags: ['a', 'b'],
      categorySlug: 'unchanged',
      images: [{ url: '/images/a.svg', altText: 'A' }, { url: 'https://example.com/b.jpg' }],
    });
    const { id, slug, title, status } = product;
    const same = {
      id,
      slug,
      title: ` ${title}`,
      status,
      description: 'One.\r\nTwo. ',
      vendor: 'Bees',
      tags: ['a', 'b', 'a'],
      categorySlug: 'unchanged',
      images: [
        { altText: 'A', url: '/images/a.svg' },
        { url: 'https://example.com/b.jpg', altText: ' ' },
      ],
    };
    await changingNothing(shop, async () => {
      for (const input of [{ id }, same]) {
        expect(await merchant.updateProduct(input)).toEqual({ product, errors: [] });
      }
    });
  });

  test('a title leaves the slug as it is; search and the order of titles follow', async () => {
    const product = await newProduct({ title: 'Zzyzx flower', tags: ['retitled'] });
    await newProduct({ title: 'Mmm', tags: ['retitled'] });
    const found = async (search: string) => {
      const { products } = await merchant.client.data(StaffCatalogFound, { filter: { search } });
      return known(products).nodes.map((node) => node.title);
    };
    const sorted = async () => {
      const variables = { filter: { tags: ['retitled'] }, sort: { key: 'TITLE' as const } };
      return known((await merchant.client.data(StaffCatalogFound, variables)).products).nodes.map((node) => node.title);
    };
    expect([await found('zzyzx'), await sorted()]).toEqual([['Zzyzx flower'], ['Mmm', 'Zzyzx flower']]);
    const { product: renamed } = await merchant.updateProduct({ id: product.id, title: 'Aardvark bloom' });
    expect(renamed).toMatchObject({ slug: 'zzyzx-flower' });
    expect([await found('zzyzx'), await found('aardvark'), await sorted()]).toEqual([
      [],
      ['Aardvark bloom'],
      ['Aardvark bloom', 'Mmm'],
    ]);
    await merchant.updateProduct({ id: product.id, description: 'Quixotic.', vendor: 'Xylophagous', tags: ['wombat'] });
    expect(await Promise.all(['quixotic', 'xylophagous', 'wombat'].map(found))).toEqual(
      Array.from({ length: 3 }, () => ['Aardvark bloom']),
    );
  });

  test('any status may follow any', async () => {
    const product = await newProduct();
    const statuses = ['ARCHIVED', 'ACTIVE', 'DRAFT', 'ARCHIVED', 'DRAFT', 'ACTIVE'] as const;
    for (const status of statuses) {
      const { product: changed, errors } = await merchant.updateProduct({ id: product.id, status });
      expect([changed?.status, errors]).toEqual([status, []]);
    }
    expect(await eventsOf(shop, product.row)).toHaveLength(7);
    expect((await recordedOf(shop, product.row)).slice(1, 3)).toEqual([
      ['PRODUCT_UPDATED', ['status: ACTIVE → ARCHIVED']],
      ['PRODUCT_UPDATED', ['status: ARCHIVED → ACTIVE']],
    ]);
  });

  test('refuses a slug that is taken, a category that is not there, and a product that is not there', async () => {
    const [product, other] = [await newProduct(), await newProduct()];
    const missing = Buffer.from('Product:01234567-89ab-7def-8123-456789abcdef').toString('base64');
    await changingNothing(shop, async () => {
      const faults = [];
      for (const input of [
        { id: product.id, title: 'Any', slug: other.slug },
        { id: product.id, title: 'Any', categorySlug: 'no-such-category' },
        { id: missing, title: 'Any' },
        { id: known(product.variants[0]).id, title: 'Any' },
        { id: 'nonsense', title: 'Any' },
      ]) {
        const payload = await merchant.updateProduct(input);
        expect(payload.product).toBeNull();
        faults.push(faultsOf(payload));
      }
      expect(faults).toEqual([
        ['CONFLICT slug'],
        ['NOT_FOUND categorySlug'],
        ['NOT_FOUND id'],
        ['INVALID_INPUT id'],
        ['INVALID_INPUT id'],
      ]);
    });
  });

  test('one after the other in one operation: each answer is what it left', async () => {
    const product = await newProduct({ title: 'Twice' });
    const Twice = graphql(`
      mutation StaffCatalogTwice(
        $first: ProductUpdateInput!
        $new: ProductVariantUpdateInput!
        $last: ProductUpdateInput!
      ) {
        first: productUpdate(input: $first) {
          product {
            ...StaffCatalogProduct
          }
        }
        between: productVariantUpdate(input: $new) {
          variant {
            price {
              amount
            }
            product {
              title
            }
          }
        }
        last: productUpdate(input: $last) {
          product {
            ...StaffCatalogProduct
          }
        }
      }
    `);
    const { id } = product;
    const { first, between, last } = await merchant.client.data(Twice, {
      first: { id, title: 'Once' },
      new: { id: known(product.variants[0]).id, price: '6.00' },
      last: { id, vendor: 'Bees' },
    });
    expect(first?.product).toMatchObject({ title: 'Once', priceRange: { min: { amount: '5.00' } } });
    expect(between?.variant).toEqual({ price: { amount: '6.00' }, product: { title: 'Once' } });
    expect(last?.product).toMatchObject({
      title: 'Once',
      vendor: 'Bees',
      priceRange: { min: { amount: '6.00' } },
      variants: [{ price: { amount: '6.00' }, product: { updatedAt: last?.product?.updatedAt } }],
    });
  });
});

describe('productArchive', () => {
  test('takes a product off sale; again, it changes nothing', async () => {
    const product = await newProduct({ title: 'Over', variants: [variantInput({ onHand: 3 })] });
    const { product: archived, errors } = await merchant.archiveProduct(product.id);
    expect(errors).toEqual([]);
    expect(archived).toMatchObject({ id: product.id, status: 'ARCHIVED', availableForSale: false });
    expect(archived?.variants).toMatchObject([{ available: 3, availableForSale: false }]);
    expect(await eventsOf(shop, product.row)).toEqual([changedEvent(product.row), changedEvent(product.row)]);
    expect(await timesOf(product.row)).toEqual([product.createdAt, archived?.updatedAt]);
    expect((await recordedOf(shop, product.row))[1]).toEqual(['PRODUCT_ARCHIVED', ['status: ACTIVE → ARCHIVED']]);
    await changingNothing(shop, async () => {
      expect(await merchant.archiveProduct(product.id)).toEqual({ product: archived, errors: [] });
    });
  });

  test('refuses what is not there', async () => {
    const missing = Buffer.from('Product:01234567-89ab-7def-8123-456789abcdef').toString('base64');
    await changingNothing(shop, async () => {
      expect(faultsOf(await merchant.archiveProduct(missing))).toEqual(['NOT_FOUND id']);
      expect(faultsOf(await merchant.archiveProduct('nonsense'))).toEqual(['INVALID_INPUT id']);
    });
  });
});

test('the books agree in the end', async () => {
  expect(await findFaults(shop.db)).toEqual([]);
});
