import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillProducts } from '../../../bench/lists/fill.ts';
import { graphql } from '../../generated/gql/index.ts';
import type { CatalogManyQueryVariables, ProductFilter, ProductSort } from '../../generated/gql/graphql.ts';
import { newStaff } from '../../support/accounts.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { executedCtes, recordQueries, rowsTouched } from '../../support/plans.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

// What a list costs does not grow with the catalogue: counted in rows that PostgreSQL looks at.

const PRODUCTS = 20_000;

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  const client = await shop.db.connect();
  try {
    await fillProducts(client, PRODUCTS);
    // One with the word in its title, and older than all that have it in their description.
    await makeProduct(shop, { title: 'Tenth of all', createdAt: new Date('2020-01-01') });
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
});
afterAll(() => shop.dispose());

const Many = graphql(`
  query CatalogMany(
    $filter: ProductFilter
    $sort: ProductSort
    $first: Int
    $after: String
    $last: Int
    $before: String
  ) {
    products(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      totalCountPrecision
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
      nodes {
        slug
        title
      }
    }
  }
`);

async function list(variables: CatalogManyQueryVariables, staff = false) {
  const client = staff ? (await newStaff(shop)).client : shop.client();
  return known((await client.data(Many, variables)).products);
}

describe('the rows that a list looks at are few', () => {
  const cases: {
    of: string;
    filter?: ProductFilter;
    sort?: ProductSort;
    count: number;
    more?: boolean;
    staff?: boolean;
  }[] = [
    { of: 'everything', count: 1000, more: true },
    { of: 'a word that all have', filter: { search: 'common' }, count: 1000, more: true },
    { of: 'a word that all have, unfinished', filter: { search: 'comm' }, count: 1000, more: true },
    { of: 'two words that all have', filter: { search: 'common jar' }, count: 1000, more: true },
    {
      of: 'a word that all have, by price',
      filter: { search: 'common' },
      sort: { key: 'PRICE' },
      count: 1000,
      more: true,
    },
    { of: 'a word that one in ten has', filter: { search: 'tenth' }, count: 1000, more: true },
    { of: 'a word that one in a hundred has', filter: { search: 'hundredth' }, count: 180 },
    { of: 'a word that few have', filter: { search: 'rare' }, count: 20 },
    { of: 'a word that few have, by title', filter: { search: 'rare' }, sort: { key: 'TITLE' }, count: 20 },
    { of: 'a word that none has', filter: { search: 'absent' }, count: 0 },
    { of: 'stop words', filter: { search: 'it is the' }, count: 0 },
    { of: 'a common word and one that none has', filter: { search: 'common absent' }, count: 0 },
    { of: 'a tag that all have', filter: { tags: ['everyone'] }, count: 1000, more: true },
    { of: 'a tag that few have', filter: { tags: ['rare'] }, count: 20 },
    { of: 'a tag that none has', filter: { tags: ['nobody'] }, count: 0 },
    { of: 'a tag that none has, by title', filter: { tags: ['nobody'] }, sort: { key: 'TITLE' }, count: 0 },
    { of: 'what is in stock', filter: { inStock: true }, count: 1000, more: true },
    { of: 'what is sold out', filter: { inStock: false }, count: 10 },
    { of: 'what is sold out, by price', filter: { inStock: false }, sort: { key: 'PRICE' }, count: 10 },
    { of: 'a price that none has', filter: { minPrice: '5000' }, count: 0 },
    { of: 'a narrow range of prices', filter: { minPrice: '20.00', maxPrice: '20.01' }, count: 6 },
    { of: 'a wide range of prices', filter: { minPrice: '20', maxPrice: '90' }, count: 1000, more: true },
    { of: 'prices from far up, by price', filter: { minPrice: '99' }, sort: { key: 'PRICE' }, count: 334 },
    {
      of: 'prices up to far down, dearest first',
      filter: { maxPrice: '10.50' },
      sort: { key: 'PRICE', reverse: true },
      count: 113,
    },
    { of: 'a large category', filter: { categorySlug: 'filled-3' }, count: 1000 },
    { of: 'a small category, by title', filter: { categorySlug: 'filled-few' }, sort: { key: 'TITLE' }, count: 4 },
    { of: 'a status that few have', filter: { status: 'DRAFT' }, count: 20, staff: true },
    {
      of: 'a status that few have, by price',
      filter: { status: 'DRAFT' },
      sort: { key: 'PRICE' },
      count: 20,
      staff: true,
    },
  ];

  test.each(cases)('for $of', async ({ filter = {}, sort = null, count, more = false, staff = false }) => {
    let found: Awaited<ReturnType<typeof list>> | undefined;
    const queries = await recordQueries(async () => {
      found = await list({ filter, sort }, staff);
    });
    expect(found).toMatchObject({ totalCount: count, totalCountPrecision: more ? 'AT_LEAST' : 'EXACT' });
    expect(found?.nodes).toHaveLength(Math.min(count, 20));
    const ofProducts = queries.filter(({ text }) => text.includes('products p'));
    expect(ofProducts.length).toBeGreaterThanOrEqual(2);
    // A count may read a small table from its start instead of an index: what it finds is limited, not a share of the table.
    const pages = ofProducts.filter(({ text }) => !text.startsWith('SELECT count(*)'));
    expect(await rowsTouched(shop.db, pages)).toBeLessThan(15_000);
    expect(ofProducts.length - pages.length).toBeLessThanOrEqual(1);
  });

  test.each([
    { of: 'a range of prices', filter: { minPrice: '20', maxPrice: '30' }, more: true },
    { of: 'a wide range of prices', filter: { minPrice: '20' }, more: true },
    { of: 'a range of few products', filter: { minPrice: '20', maxPrice: '20.50' }, more: false },
    { of: 'a range that all are in', filter: { minPrice: '0' }, more: true },
    {
      of: 'a range of prices of a category',
      filter: { minPrice: '20', maxPrice: '60', categorySlug: 'filled-3' },
      more: false,
    },
    { of: 'a range of prices in stock', filter: { minPrice: '20', maxPrice: '30', inStock: true }, more: true },
  ])('for the count and the page of $of, together', async ({ filter, more }) => {
    let found: Awaited<ReturnType<typeof list>> | undefined;
    const queries = await recordQueries(async () => {
      found = await list({ filter });
    });
    expect(found?.totalCountPrecision).toBe(more ? 'AT_LEAST' : 'EXACT');
    // Of each of the thousand that are counted: the variant, whether its product has an earlier one, and the product.
    expect(await rowsTouched(shop.db, queries)).toBeLessThan(6000);
  });

  test('for a rare word beside the beginning of one that all have: the index is asked for the rare word alone', async () => {
    let found: Awaited<ReturnType<typeof list>> | undefined;
    const queries = await recordQueries(async () => {
      found = await list({ filter: { search: 'rare comm' } });
    });
    expect(found).toMatchObject({ totalCount: 20, totalCountPrecision: 'EXACT' });
    const counts = queries.filter(({ text }) => text.includes('by_finished'));
    expect(counts).toHaveLength(1);
    const ctes = await executedCtes(shop.db, known(counts[0]));
    expect(ctes).toContain('by_finished');
    expect(ctes).not.toContain('by_all');
    // Not again for the page: that is made from what was found.
    const asked = queries.filter(({ text }) => text.includes('@@'));
    expect(await rowsTouched(shop.db, asked)).toBeLessThan(2500);
  });

  test('for a common word: the newest products are read, and no index of words', async () => {
    for (const search of ['common', 'tenth']) {
      const queries = await recordQueries(() => list({ filter: { search } }));
      const count = queries.find(({ text }) => text.includes('by_finished'));
      const ctes = await executedCtes(shop.db, known(count));
      expect([search, ctes.includes('by_all'), ctes.includes('by_finished')]).toEqual([search, false, false]);
    }
  });
});

describe('a search that finds more than 1,000 products', () => {
  test('gives those with the word in their title first, then the newest, on every page in both directions', async () => {
    const filter = { search: 'tenth' };
    const first = await list({ filter, first: 3 });
    expect(first.nodes.map(({ title }) => title)).toEqual(['Tenth of all', 'Common jar 10', 'Common jar 20']);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await list({ filter, first: 2, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ title }) => title)).toEqual(['Common jar 30', 'Common jar 40']);
    const back = await list({ filter, last: 3, before: second.pageInfo.startCursor });
    expect(back.nodes).toEqual(first.nodes);
    expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const alone = await list({ filter, first: 1 });
    expect(alone.nodes.map(({ title }) => title)).toEqual(['Tenth of all']);
    const after = await list({ filter, first: 1, after: alone.pageInfo.endCursor });
    expect(after.nodes.map(({ title }) => title)).toEqual(['Common jar 10']);
    const end = await list({ filter, last: 1 });
    expect(end.nodes.map(({ title }) => title)).toEqual(['Common jar 19990']);
  });
});

describe('a range of prices, by price', () => {
  test('begins with products that are cheaper too, on every page in both directions', async () => {
    const make = (title: string, prices: number[]) =>
      makeProduct(shop, { title, tags: ['spans'], variants: prices.map((price) => ({ price })) });
    await make('A', [100, 900]);
    await make('B', [200, 300]);
    await make('C', [400, 700]);
    await make('D', [500]);
    await make('E', [600, 5000]);
    await make('F', [800]);
    const filter = { tags: ['spans'], minPrice: '5', maxPrice: '8' };
    const wanted = ['C', 'D', 'E', 'F'];
    for (const reverse of [false, true]) {
      const order = reverse ? wanted.toReversed() : wanted;
      const sort: ProductSort = { key: 'PRICE', reverse };
      const whole = await list({ filter, sort });
      expect(whole.nodes.map(({ title }) => title)).toEqual(order);
      expect(whole).toMatchObject({ totalCount: 4, totalCountPrecision: 'EXACT' });
      const seen: string[] = [];
      for (let after: string | null = null, more = true; more;) {
        const page: Awaited<ReturnType<typeof list>> = await list({ filter, sort, first: 1, after });
        seen.push(...page.nodes.map(({ title }) => title));
        ({ endCursor: after, hasNextPage: more } = page.pageInfo);
      }
      expect(seen).toEqual(order);
      const back: string[] = [];
      for (let before: string | null = null, more = true; more;) {
        const page: Awaited<ReturnType<typeof list>> = await list({ filter, sort, last: 1, before });
        back.unshift(...page.nodes.map(({ title }) => title));
        ({ startCursor: before, hasPreviousPage: more } = page.pageInfo);
      }
      expect(back).toEqual(order);
    }
  });
});

test('a product with several variants in a range of prices is counted once, by any of them that is not archived', async () => {
  const product = await makeProduct(shop, {
    title: 'Many prices',
    tags: ['many-prices'],
    variants: [300, 100, 200, 250].map((price, position) => ({
      sku: `MANY-PRICES-${position}`,
      price,
      onHand: position,
    })),
  });
  expect(product.variants).toHaveLength(4);
  const count = async (filter: ProductFilter) => {
    const { totalCount, nodes } = await list({ filter: { tags: ['many-prices'], ...filter } });
    return [totalCount, nodes.length];
  };
  expect(await count({ minPrice: '1', maxPrice: '3' })).toEqual([1, 1]);
  expect(await count({ minPrice: '2' })).toEqual([1, 1]);
  expect(await count({ maxPrice: '2' })).toEqual([1, 1]);
  expect(await count({ minPrice: '2.60', maxPrice: '2.90' })).toEqual([0, 0]);
  expect(await count({ minPrice: '3', inStock: true })).toEqual([0, 0]);
  expect(await count({ minPrice: '2', inStock: true })).toEqual([1, 1]);
  await shop.db.query({ text: `UPDATE product_variants SET archived_at = now() WHERE sku = 'MANY-PRICES-0'` });
  expect(await count({ minPrice: '2.60' })).toEqual([0, 0]);
  expect(await count({ minPrice: '2' })).toEqual([1, 1]);
});

test('the counts of categories stop at 1,000', async () => {
  const Categories = graphql(`
    query CategoryCounts {
      categories(first: 100) {
        nodes {
          slug
          products(first: 1) {
            totalCount
            totalCountPrecision
          }
        }
      }
    }
  `);
  const queries = await recordQueries(async () => {
    const { categories } = await shop.client().data(Categories, {});
    const counts = new Map(known(categories).nodes.map(({ slug, products }) => [slug, products]));
    expect(counts.get('filled-few')).toEqual({ totalCount: 4, totalCountPrecision: 'EXACT' });
    expect(counts.get('filled-3')).toEqual({ totalCount: 1000, totalCountPrecision: 'EXACT' });
    await makeProduct(shop, { categorySlug: 'filled-3' });
    const again = await shop.client().data(Categories, {});
    const other = known(again.categories).nodes.find(({ slug }) => slug === 'filled-3');
    expect(known(other).products).toEqual({ totalCount: 1000, totalCountPrecision: 'AT_LEAST' });
  });
  const counting = queries.filter(({ text }) => text.includes('unnest($1::uuid[]) AS owner'));
  expect(counting).toHaveLength(2);
});

describe('where prices go with age, the oldest being the dearest,', () => {
  beforeAll(async () => {
    const client = await shop.db.connect();
    try {
      for (const table of ['products', 'product_variants'])
        await client.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      await client.query(
        `UPDATE products p SET min_price_minor = price, max_price_minor = price
           FROM (SELECT id, 1000 + substr(slug, 8)::int AS price FROM products WHERE slug LIKE 'filled-%') AS aged
          WHERE aged.id = p.id AND p.slug LIKE 'filled-%' AND p.slug <> 'filled-few'`,
      );
      await client.query(
        'UPDATE product_variants v SET price_minor = p.min_price_minor FROM products p WHERE p.id = v.product_id',
      );
      for (const table of ['products', 'product_variants'])
        await client.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
      await client.query('VACUUM ANALYZE products, product_variants');
    } finally {
      await client.end();
    }
  });

  test.each([
    { of: 'few of the oldest', filter: { minPrice: '209.50' }, count: 51, first: 'Common jar 19950' },
    {
      of: 'a narrow range far down',
      filter: { minPrice: '200', maxPrice: '200.40' },
      count: 40,
      first: 'Common jar 19000',
    },
    { of: 'more of the oldest than are counted', filter: { minPrice: '180' }, count: 1000, first: 'Common jar 17000' },
    {
      of: 'a range of many, far down',
      filter: { minPrice: '180', maxPrice: '200' },
      count: 1000,
      first: 'Common jar 17000',
    },
  ])('a list of $of looks at few rows', async ({ filter, count, first }) => {
    let found: Awaited<ReturnType<typeof list>> | undefined;
    const queries = await recordQueries(async () => {
      found = await list({ filter });
    });
    expect([found?.totalCount, found?.nodes.length, found?.nodes[0]?.title]).toEqual([count, 20, first]);
    const ofProducts = queries.filter(({ text }) => text.includes('products p'));
    const pages = ofProducts.filter(({ text }) => !text.includes('AS counted'));
    expect(ofProducts.length).toBe(2);
    expect(pages.length).toBe(1);
    expect(await rowsTouched(shop.db, pages)).toBeLessThan(3000);
    expect(await rowsTouched(shop.db, ofProducts)).toBeLessThan(6000);
  });
});

describe('where the newest products are unlike the others', () => {
  beforeAll(async () => {
    const client = await shop.db.connect();
    try {
      await client.query(
        `INSERT INTO products (id, slug, title, sort_title, description, tags, status, search_title, search, created_at)
         SELECT gen_random_uuid(), 'imported-' || n, 'Book ' || n, 'book ' || n, '', '{}', 'ACTIVE', search_document(ARRAY['book']),
                setweight(search_document(ARRAY['book']), 'A'), now() + n * interval '1 millisecond'
           FROM generate_series(1, 1500) AS n`,
      );
      await client.query('VACUUM ANALYZE products');
    } finally {
      await client.end();
    }
  });

  test.each([
    { of: 'a word that all the others have', search: 'jar', count: 1000, nodes: 20 },
    { of: 'such a word, and one that none has', search: 'jar absent', count: 0, nodes: 0 },
    { of: 'a word that one in ten of them has', search: 'tenth', count: 1000, nodes: 20 },
  ])('a page of a search for $of does not look at all of them', async ({ search, count, nodes }) => {
    let found: Awaited<ReturnType<typeof list>> | undefined;
    const queries = await recordQueries(async () => {
      found = await list({ filter: { search } });
    });
    expect([found?.totalCount, found?.nodes.length]).toEqual([count, nodes]);
    // The count has to ask the index for all of them.
    const [counts, pages] = [true, false].map((isCount) =>
      queries.filter(({ text }) => text.includes('products p') && text.includes('by_all') === isCount),
    );
    expect(known(pages).length).toBeGreaterThan(0);
    expect(await rowsTouched(shop.db, known(pages))).toBeLessThan(4000);
    const ctes = await Promise.all(known(counts).map((query) => executedCtes(shop.db, query)));
    expect(ctes.flat()).not.toContain('by_finished');
  });
});
