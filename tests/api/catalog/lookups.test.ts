import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { LookupCategoriesQueryVariables } from '../../generated/gql/graphql.ts';
import { archiveVariant, globalId, makeCategory, makeProduct, setStatus } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, type Shopper } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const ProductLookup = graphql(`
  query LookupProduct($id: ID, $slug: String) {
    product(id: $id, slug: $slug) {
      id
      slug
      title
      description
      vendor
      tags
      status
      category {
        id
        slug
        name
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
        selectedOptions {
          name
          value
        }
        price {
          amount
          currencyCode
        }
        compareAtPrice {
          amount
          currencyCode
        }
        available
        availableForSale
        lowStockThreshold
        product {
          id
        }
      }
      priceRange {
        min {
          amount
          currencyCode
        }
        max {
          amount
          currencyCode
        }
      }
      availableForSale
      createdAt
      updatedAt
    }
  }
`);

const CategoryLookup = graphql(`
  query LookupCategory($id: ID, $slug: String, $first: Int, $after: String, $last: Int, $before: String) {
    category(id: $id, slug: $slug) {
      id
      slug
      name
      products(first: $first, after: $after, last: $last, before: $before) {
        totalCount
        edges {
          cursor
        }
        nodes {
          title
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  }
`);

const NodeLookup = graphql(`
  query LookupNode($id: ID!) {
    node(id: $id) {
      __typename
      id
    }
  }
`);

const NodesLookup = graphql(`
  query LookupNodes($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
    }
  }
`);

const lookUp = async (by: { id?: string; slug?: string }) => (await shop.client().data(ProductLookup, by)).product;

/** What nodes finds: the type of each, null where it finds nothing. */
async function typesOf(ids: string[], { client }: Pick<Shopper, 'client'> = { client: shop.client() }) {
  const { nodes } = await client.data(NodesLookup, { ids });
  for (const [index, node] of nodes.entries()) {
    if (node !== null) expect(node.id).toBe(ids[index]);
    // `node` finds what `nodes` finds.
    expect((await client.data(NodeLookup, { id: known(ids[index]) })).node).toEqual(node);
  }
  return nodes.map((node) => node?.__typename ?? null);
}

describe('a product', () => {
  test('is returned with all its fields, by its ID and by its slug', async () => {
    const category = await makeCategory(shop, 'Whole honey');
    const made = await makeProduct(shop, {
      title: 'Heather Honey',
      slug: 'heather-honey',
      description: 'Dark, strong.',
      vendor: 'Moor & More',
      tags: ['raw', 'dark'],
      categorySlug: 'whole-honey',
      images: [
        { url: '/images/moorland-heather-honey.svg', altText: 'A jar' },
        { url: 'https://cdn.example/side.png', altText: null },
      ],
      variants: [
        {
          sku: 'HTH-500',
          price: 1290,
          compareAt: 1500,
          onHand: 0,
          options: [
            { name: 'Size', value: '500 g' },
            { name: 'Lid', value: 'Gold' },
          ],
        },
        {
          sku: 'HTH-250',
          price: 799,
          onHand: 4,
          options: [
            { name: 'Size', value: '250 g' },
            { name: 'Lid', value: 'Gold' },
          ],
        },
        {
          sku: 'HTH-250-S',
          price: 850,
          onHand: 0,
          options: [
            { name: 'Size', value: '250 g' },
            { name: 'Lid', value: 'Silver' },
          ],
        },
      ],
    });
    const product = known(await lookUp({ slug: 'heather-honey' }));
    const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
    const variant = (index: number, size: string, lid: string) => ({
      id: made.variants[index]?.globalId,
      sku: made.variants[index]?.sku,
      title: `${size} / ${lid}`,
      selectedOptions: [
        { name: 'Size', value: size },
        { name: 'Lid', value: lid },
      ],
      lowStockThreshold: 3,
      product: { id: made.globalId },
    });
    expect(product).toEqual({
      id: made.globalId,
      slug: 'heather-honey',
      title: 'Heather Honey',
      description: 'Dark, strong.',
      vendor: 'Moor & More',
      tags: ['raw', 'dark'],
      status: 'ACTIVE',
      category: { id: category.globalId, slug: 'whole-honey', name: 'Whole honey' },
      images: [
        { url: `${shop.url}/images/moorland-heather-honey.svg`, altText: 'A jar' },
        { url: 'https://cdn.example/side.png', altText: null },
      ],
      options: [
        { name: 'Size', values: ['500 g', '250 g'] },
        { name: 'Lid', values: ['Gold', 'Silver'] },
      ],
      variants: [
        {
          ...variant(0, '500 g', 'Gold'),
          price: usd('12.90'),
          compareAtPrice: usd('15.00'),
          available: 0,
          availableForSale: false,
        },
        {
          ...variant(1, '250 g', 'Gold'),
          price: usd('7.99'),
          compareAtPrice: null,
          available: 4,
          availableForSale: true,
        },
        {
          ...variant(2, '250 g', 'Silver'),
          price: usd('8.50'),
          compareAtPrice: null,
          available: 0,
          availableForSale: false,
        },
      ],
      priceRange: { min: usd('7.99'), max: usd('12.90') },
      availableForSale: true,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    });
    expect(await lookUp({ id: made.globalId })).toEqual(product);
    // The shop serves the picture where it says that it is.
    const picture = await fetch(known(product.images[0]).url);
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    await picture.body?.cancel();
  });

  test('with nothing to choose and nothing to say is as plain', async () => {
    const { slug } = await makeProduct(shop, { title: 'Plain', variants: [{ price: 5, onHand: 0 }] });
    expect(await lookUp({ slug })).toMatchObject({
      description: '',
      vendor: null,
      tags: [],
      category: null,
      images: [],
      options: [],
      variants: [{ title: 'Default', selectedOptions: [], price: { amount: '0.05' } }],
      priceRange: { min: { amount: '0.05' }, max: { amount: '0.05' } },
      availableForSale: false,
    });
  });

  test('is for sale as long as a unit of it is free', async () => {
    const { slug, variants } = await makeProduct(shop, { variants: [{ onHand: 2 }] });
    const { add } = await enter(shop);
    await add({ sku: known(variants[0]).sku, quantity: 2 });
    expect(await lookUp({ slug })).toMatchObject({
      availableForSale: false,
      variants: [{ available: 0, availableForSale: false }],
    });
  });

  test('that is not there is null', async () => {
    expect(await lookUp({ slug: 'none-such' })).toBeNull();
    expect(await lookUp({ id: globalId('Product', uuid()) })).toBeNull();
  });
});

describe('a category', () => {
  test('has its products, newest first, a page at a time', async () => {
    const category = await makeCategory(shop, 'Paged category');
    for (const title of ['A', 'B', 'C', 'D', 'E']) await makeProduct(shop, { title, categorySlug: category.slug });
    await makeProduct(shop, { title: 'F', categorySlug: category.slug, status: 'DRAFT' });
    await makeProduct(shop, { title: 'G', categorySlug: category.slug, status: 'ARCHIVED' });
    const page = async (args: { first?: number; after?: string | null; last?: number; before?: string | null }) =>
      known((await shop.client().data(CategoryLookup, { slug: category.slug, ...args })).category);
    const titles = ({ products }: Awaited<ReturnType<typeof page>>) => known(products).nodes.map(({ title }) => title);
    const flags = ({ products }: Awaited<ReturnType<typeof page>>) => {
      const { hasPreviousPage, hasNextPage } = known(products).pageInfo;
      return [hasPreviousPage, hasNextPage];
    };

    const first = await page({ first: 2 });
    expect(first).toMatchObject({ id: category.globalId, slug: 'paged-category', name: 'Paged category' });
    expect(first.products?.totalCount).toBe(5);
    const second = await page({ first: 2, after: first.products?.pageInfo.endCursor ?? null });
    const third = await page({ first: 2, after: second.products?.pageInfo.endCursor ?? null });
    expect([first, second, third].map(titles)).toEqual([['E', 'D'], ['C', 'B'], ['A']]);
    expect([first, second, third].map(flags)).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
    const last = await page({ last: 2 });
    const middle = await page({ last: 2, before: last.products?.pageInfo.startCursor ?? null });
    expect([middle, last].map(titles)).toEqual([
      ['D', 'C'],
      ['B', 'A'],
    ]);
    expect([middle, last].map(flags)).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  test('is found by its ID and by its slug', async () => {
    const { id, slug, name, globalId: gid } = await makeCategory(shop, 'Found category');
    const { client } = await enter(shop);
    const expected = { id: gid, slug, name };
    expect((await client.data(CategoryLookup, { slug })).category).toMatchObject(expected);
    expect((await client.data(CategoryLookup, { id: gid })).category).toMatchObject(expected);
    expect((await client.data(CategoryLookup, { slug: 'none-such' })).category).toBeNull();
    expect((await client.data(CategoryLookup, { id: globalId('Category', uuid()) })).category).toBeNull();
    // A product's own id is no category's, whatever it is called.
    const product = await makeProduct(shop);
    expect((await client.data(CategoryLookup, { id: globalId('Category', product.id) })).category).toBeNull();
    expect((await client.data(CategoryLookup, { id: globalId('Category', id) })).category).toMatchObject(expected);
  });
});

describe('categories', () => {
  const CategoryPage = graphql(`
    query LookupCategories($first: Int, $after: String, $last: Int, $before: String) {
      categories(first: $first, after: $after, last: $last, before: $before) {
        totalCount
        nodes {
          name
        }
        edges {
          cursor
          node {
            slug
          }
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  `);

  test('are listed by name, through all pages either way, also where names are the same', async () => {
    for (const slug of ['twin-c', 'twin-a', 'twin-b']) await makeCategory(shop, 'Twin', slug);
    await makeCategory(shop, 'Aardvark');
    const pageOf = async (variables: LookupCategoriesQueryVariables) =>
      known((await shop.client().data(CategoryPage, variables)).categories);
    const all = await pageOf({ first: 100 });
    const names = all.nodes.map((node) => node.name);
    expect(names.length).toBeGreaterThanOrEqual(4);
    expect(names).toEqual(names.toSorted());
    expect(names.filter((name) => name === 'Twin')).toHaveLength(3);
    expect(all.totalCount).toBe(names.length);

    const forward: typeof all.edges = [];
    for (let after: string | null = null, more = true; more;) {
      const page = await pageOf({ first: 2, after });
      forward.push(...page.edges);
      ({ endCursor: after, hasNextPage: more } = page.pageInfo);
    }
    const backward: typeof all.edges = [];
    for (let before: string | null = null, more = true; more;) {
      const page = await pageOf({ last: 2, before });
      backward.unshift(...page.edges);
      ({ startCursor: before, hasPreviousPage: more } = page.pageInfo);
    }
    expect(forward).toEqual(all.edges);
    expect(backward).toEqual(all.edges);
  });
});

describe('what is not ACTIVE', () => {
  test.each(['DRAFT', 'ARCHIVED'])(
    '%s: no lookup finds it, but carts and orders that hold it show it',
    async (status) => {
      const category = await makeCategory(shop, `Hidden ${status}`);
      const made = await makeProduct(shop, {
        title: `Hidden ${status.toLowerCase()}`,
        categorySlug: category.slug,
        tags: ['hidden'],
        variants: [{ sku: `HID-${status}`, price: 450, onHand: 10, options: [{ name: 'Size', value: '1 kg' }] }],
      });
      const { sku, globalId: variantId } = known(made.variants[0]);
      const buyer = await enter(shop);
      await buyer.add({ sku, quantity: 2 });
      const { order } = await buyer.checkout({ idempotencyKey: 'hidden', email: 'buyer@example.com' });
      await buyer.add({ sku, quantity: 1 });
      await setStatus(shop, made.id, status);

      // By no lookup:
      expect(await lookUp({ id: made.globalId })).toBeNull();
      expect(await lookUp({ slug: made.slug })).toBeNull();
      expect(await typesOf([made.globalId, variantId])).toEqual([null, null]);
      expect(await typesOf([made.globalId, variantId], buyer)).toEqual([null, null]);
      const Lists = graphql(`
        query LookupHiddenLists($slug: String!, $search: String!) {
          all: products(filter: { tags: ["hidden"] }, first: 100) {
            totalCount
            nodes {
              slug
            }
          }
          sought: products(filter: { search: $search }, first: 100) {
            totalCount
          }
          bySku: products(filter: { search: "HID" }, first: 100) {
            totalCount
          }
          category(slug: $slug) {
            products {
              totalCount
              nodes {
                slug
              }
            }
          }
        }
      `);
      const nothing = { totalCount: 0 };
      expect(await buyer.client.data(Lists, { slug: category.slug, search: `hidden ${status}` })).toEqual({
        all: { ...nothing, nodes: [] },
        sought: nothing,
        bySku: nothing,
        category: { products: { ...nothing, nodes: [] } },
      });
      // Nor can it be put in a cart, by whatever name.
      for (const line of [{ sku }, { variantId }]) {
        const { cart, errors } = await changingNothing(shop, () => buyer.add({ ...line, quantity: 1 }));
        expect(cart).toBeNull();
        expect(errors).toEqual([
          {
            __typename: 'GenericError',
            code: 'NOT_FOUND',
            message: 'Variant not found, or not for sale.',
            path: ['lines', '0', 'sku' in line ? 'sku' : 'variantId'],
          },
        ]);
      }

      // But where it is held:
      const Held = graphql(`
        query LookupHeld($orderId: ID!) {
          cart {
            lines {
              quantity
              unitPrice {
                amount
              }
              variant {
                ...LookupHeldVariant
              }
            }
          }
          order(id: $orderId) {
            lines {
              title
              variant {
                ...LookupHeldVariant
              }
            }
          }
        }
      `);
      graphql(`
        fragment LookupHeldVariant on ProductVariant {
          id
          sku
          title
          available
          availableForSale
          product {
            title
            status
            availableForSale
            category {
              slug
            }
            variants {
              sku
            }
          }
        }
      `);
      const shown = {
        id: variantId,
        sku,
        title: '1 kg',
        available: 7,
        availableForSale: false,
        product: {
          title: `Hidden ${status.toLowerCase()}`,
          status,
          availableForSale: false,
          category: { slug: category.slug },
          variants: [{ sku }],
        },
      };
      expect(await buyer.client.data(Held, { orderId: known(order).id })).toEqual({
        cart: { lines: [{ quantity: 1, unitPrice: { amount: '4.50' }, variant: shown }] },
        order: { lines: [{ title: `Hidden ${status.toLowerCase()} - 1 kg`, variant: shown }] },
      });
    },
  );

  test('an archived variant of an ACTIVE product is found no more, but is shown where it is held', async () => {
    const made = await makeProduct(shop, {
      variants: [
        { sku: 'OLD-1', price: 100, options: [{ name: 'Size', value: 'S' }] },
        { sku: 'NEW-1', price: 900, options: [{ name: 'Size', value: 'L' }] },
      ],
    });
    const old = known(made.variants[0]);
    const current = known(made.variants[1]);
    const buyer = await enter(shop);
    await buyer.add({ sku: 'OLD-1', quantity: 3 });
    await archiveVariant(shop, old.id);

    expect(await lookUp({ slug: made.slug })).toMatchObject({
      variants: [{ sku: 'NEW-1' }],
      options: [{ name: 'Size', values: ['L'] }],
      priceRange: { min: { amount: '9.00' }, max: { amount: '9.00' } },
    });
    expect(await typesOf([old.globalId, current.globalId])).toEqual([null, 'ProductVariant']);
    const { errors } = await changingNothing(shop, () => buyer.add({ sku: 'OLD-1', quantity: 1 }));
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', path: ['lines', '0', 'sku'] }]);
    expect((await buyer.cart())?.lines).toMatchObject([{ quantity: 3, variant: { sku: 'OLD-1' } }]);
  });
});

describe('node and nodes', () => {
  test('find everything that has an ID, in the order asked for', async () => {
    const category = await makeCategory(shop, 'Node category');
    const made = await makeProduct(shop, { categorySlug: category.slug });
    const variant = known(made.variants[0]);
    const buyer = await enter(shop);
    await buyer.add({ sku: variant.sku, quantity: 1 });
    const { order } = await buyer.checkout({ idempotencyKey: 'node', email: 'buyer@example.com' });
    const { cart } = await buyer.add({ sku: variant.sku, quantity: 1 });
    const ids = [
      known(cart).id,
      variant.globalId,
      known(cart?.lines[0]).id,
      known(order).id,
      made.globalId,
      known(order?.lines[0]).id,
      category.globalId,
    ];
    const types = ['Cart', 'ProductVariant', 'CartLine', 'Order', 'Product', 'OrderLine', 'Category'];
    expect(await typesOf(ids, buyer)).toEqual(types);
    expect(await typesOf(ids.toReversed(), buyer)).toEqual(types.toReversed());
    // Carts and orders are their owner's alone.
    const publicTypes = [null, 'ProductVariant', null, null, 'Product', null, 'Category'];
    expect(await typesOf(ids, await enter(shop))).toEqual(publicTypes);
    expect(await typesOf(ids)).toEqual(publicTypes);
  });

  test('give the same thing as often as it is asked for', async () => {
    const { globalId: id } = await makeProduct(shop);
    expect(await typesOf([id, id, id])).toEqual(['Product', 'Product', 'Product']);
  });

  test('show the fields of what is found', async () => {
    const Fields = graphql(`
      query LookupNodeFields($ids: [ID!]!) {
        nodes(ids: $ids) {
          ... on OrderLine {
            sku
            unitPrice {
              amount
              currencyCode
            }
            total {
              amount
            }
            variant {
              title
            }
          }
          ... on Order {
            totalQuantity
            lines {
              sku
            }
            history {
              to
            }
          }
          ... on CartLine {
            quantity
          }
          ... on Cart {
            totalQuantity
          }
        }
      }
    `);
    await makeProduct(shop, { variants: [{ sku: 'FIELDS', price: 250 }] });
    const buyer = await enter(shop);
    await buyer.add({ sku: 'FIELDS', quantity: 2 });
    const { order } = await buyer.checkout({ idempotencyKey: 'fields', email: 'buyer@example.com' });
    const { cart } = await buyer.add({ sku: 'FIELDS', quantity: 3 });
    const ids = [known(order?.lines[0]).id, known(order).id, known(cart?.lines[0]).id, known(cart).id];
    expect((await buyer.client.data(Fields, { ids })).nodes).toEqual([
      {
        sku: 'FIELDS',
        unitPrice: { amount: '2.50', currencyCode: 'USD' },
        total: { amount: '5.00' },
        variant: { title: 'Default' },
      },
      { totalQuantity: 2, lines: [{ sku: 'FIELDS' }], history: [{ to: 'PLACED' }] },
      { quantity: 3 },
      { totalQuantity: 3 },
    ]);
  });

  test('nodes is null where an ID is bad, and finds the rest', async () => {
    const { globalId: good, id } = await makeProduct(shop);
    const bad = [
      '',
      'garbage',
      'x'.repeat(10_000),
      globalId('Product', '5'),
      globalId('Product', ''),
      globalId('Shop', id),
    ];
    const nothing = [globalId('Product', uuid()), globalId('Category', id), globalId('Cart', id)];
    const ids = [...bad, good, ...nothing];
    const { nodes } = await shop.client().data(NodesLookup, { ids });
    expect(nodes).toEqual([...bad.map(() => null), { __typename: 'Product', id: good }, ...nothing.map(() => null)]);
    expect((await shop.client().data(NodesLookup, { ids: [] })).nodes).toEqual([]);
  });

  test('nodes takes a hundred IDs and no more', async () => {
    const { globalId: id } = await makeProduct(shop);
    const ids = Array.from({ length: 100 }, () => id);
    expect((await shop.client().data(NodesLookup, { ids })).nodes).toHaveLength(100);
    const answer = await shop.client().execute(NodesLookup, { ids: [...ids, id] });
    expect(answer.data).toBeNull();
    expect(answer.errors).toMatchObject([
      { message: '`ids` may have at most 100 IDs.', path: ['nodes'], extensions: { code: 'BAD_REQUEST' } },
    ]);
  });
});

describe('the shop', () => {
  const ShopLookup = graphql(`
    query LookupShop {
      shop {
        name
        currencyCode
      }
      serverTime
    }
  `);

  test('returns its name, its currency and the time of the database', async () => {
    const clock = { name: 'test_clock', text: 'SELECT clock_timestamp() AS at' };
    const [before] = await shop.db.query<{ at: Date }>(clock);
    const { shop: told, serverTime } = await shop.client().data(ShopLookup);
    const [after] = await shop.db.query<{ at: Date }>(clock);
    expect(told).toEqual({ name: 'Vitrine', currencyCode: 'USD' });
    expect(Date.parse(serverTime)).toBeGreaterThanOrEqual(known(before).at.getTime());
    expect(Date.parse(serverTime)).toBeLessThanOrEqual(known(after).at.getTime());
  });

  test('is called what its settings say, and has prices as its currency has them', async () => {
    const other = await openQuietShop({
      SHOP_NAME: 'Bienenkorb',
      SHOP_CURRENCY: 'JPY',
      PUBLIC_URL: 'https://shop.example',
    });
    try {
      const { slug } = await makeProduct(other, {
        images: [{ url: '/images/skep-candle.svg', altText: null }],
        variants: [{ price: 1200 }],
      });
      const headers = { host: 'shop.example' };
      const post = async (query: unknown, variables: object = {}) => {
        const body = JSON.stringify({ query, variables });
        const answer = await other.request({
          method: 'POST',
          path: '/graphql',
          headers: { ...headers, 'content-type': 'application/json' },
          body,
        });
        return answer.json();
      };
      expect(await post('{ shop { name currencyCode } }')).toEqual({
        data: { shop: { name: 'Bienenkorb', currencyCode: 'JPY' } },
      });
      const text =
        'query ($slug: String) { product(slug: $slug) { images { url } priceRange { min { amount currencyCode } } } }';
      expect(await post(text, { slug })).toEqual({
        data: {
          product: {
            images: [{ url: 'https://shop.example/images/skep-candle.svg' }],
            priceRange: { min: { amount: '1200', currencyCode: 'JPY' } },
          },
        },
      });
    } finally {
      await other.dispose();
    }
  });
});
