import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { CatalogPageQueryVariables, ProductFilter, ProductSort } from '../../generated/gql/graphql.ts';
import { makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { recordStatements } from '../../support/statements.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const Page = graphql(`
  query CatalogPage(
    $filter: ProductFilter
    $sort: ProductSort
    $first: Int
    $after: String
    $last: Int
    $before: String
  ) {
    products(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          title
        }
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
`);

const Counted = graphql(`
  query CatalogCount($filter: ProductFilter, $sort: ProductSort, $first: Int) {
    products(filter: $filter, sort: $sort, first: $first) {
      totalCount
      nodes {
        title
      }
    }
  }
`);

async function pageOf(variables: CatalogPageQueryVariables) {
  return known((await shop.client().data(Page, variables)).products);
}

/** What is listed, and how many there are said to be. */
async function list(filter: ProductFilter, sort: ProductSort | null = null) {
  const { products } = await shop.client().data(Counted, { filter, sort, first: 100 });
  const titles = known(products).nodes.map((product) => product.title);
  expect(known(products).totalCount).toBe(titles.length);
  return titles;
}

describe('a filter', () => {
  beforeAll(async () => {
    await makeCategory(shop, 'Filtered honey');
    await makeCategory(shop, 'Filtered wax');
    const make = (title: string, fixture: Parameters<typeof makeProduct>[1]) =>
      makeProduct(shop, { title, ...fixture, tags: ['filtered', ...(fixture?.tags ?? [])] });
    await make('Acacia', {
      categorySlug: 'filtered-honey',
      tags: ['organic'],
      variants: [
        { price: 500, onHand: 0 },
        { price: 1500, onHand: 5 },
      ],
    });
    await make('Buckwheat', {
      categorySlug: 'filtered-honey',
      tags: ['raw'],
      variants: [{ price: 1000, onHand: 3 }],
    });
    await make('Candle', {
      categorySlug: 'filtered-wax',
      tags: ['organic', 'raw'],
      variants: [{ price: 2000, onHand: 0 }],
    });
    await make('Dipper', { variants: [{ price: 1200, onHand: 1 }] });
    const everything = { categorySlug: 'filtered-honey', tags: ['organic', 'raw'], variants: [{ price: 1200 }] };
    await make('Draft', { ...everything, status: 'DRAFT' });
    await make('Archived', { ...everything, status: 'ARCHIVED' });
  });

  const everything = ['Dipper', 'Candle', 'Buckwheat', 'Acacia'];
  const cases: { by: string; filter: ProductFilter; found: string[] }[] = [
    { by: 'nothing else', filter: {}, found: everything },
    {
      by: 'fields that are null',
      filter: {
        search: null,
        categorySlug: null,
        minPrice: null,
        maxPrice: null,
        inStock: null,
        status: null,
      },
      found: everything,
    },
    { by: 'a category', filter: { categorySlug: 'filtered-honey' }, found: ['Buckwheat', 'Acacia'] },
    { by: 'another category', filter: { categorySlug: 'filtered-wax' }, found: ['Candle'] },
    { by: 'a category that is not there', filter: { categorySlug: 'filtered' }, found: [] },
    { by: 'what is no slug', filter: { categorySlug: 'Filtered Honey' }, found: [] },
    { by: 'a tag', filter: { tags: ['filtered', 'organic'] }, found: ['Candle', 'Acacia'] },
    { by: 'several tags, all of them', filter: { tags: ['filtered', 'raw', 'organic'] }, found: ['Candle'] },
    { by: 'a tag in other letters', filter: { tags: ['filtered', 'Organic'] }, found: [] },
    { by: 'the lowest price', filter: { minPrice: '12' }, found: ['Dipper', 'Candle', 'Acacia'] },
    { by: 'a lowest price to the cent', filter: { minPrice: '12.01' }, found: ['Candle', 'Acacia'] },
    { by: 'the highest price', filter: { maxPrice: '10.00' }, found: ['Buckwheat', 'Acacia'] },
    { by: 'a highest price to the cent', filter: { maxPrice: '9.99' }, found: ['Acacia'] },
    {
      by: 'a range that lies between two variants',
      filter: { minPrice: '6', maxPrice: '14' },
      found: ['Dipper', 'Buckwheat'],
    },
    { by: 'a range of one price', filter: { minPrice: '15', maxPrice: '15' }, found: ['Acacia'] },
    { by: 'a range upside down', filter: { minPrice: '15', maxPrice: '5' }, found: [] },
    { by: 'a price beyond all', filter: { minPrice: '999999999999999999' }, found: [] },
    { by: 'a highest price beyond all', filter: { maxPrice: '999999999999999999' }, found: everything },
    { by: 'what is in stock', filter: { inStock: true }, found: ['Dipper', 'Buckwheat', 'Acacia'] },
    { by: 'what is sold out', filter: { inStock: false }, found: ['Candle'] },
    { by: 'in stock at a price: one variant is both', filter: { inStock: true, maxPrice: '9' }, found: [] },
    { by: 'the status that all have', filter: { status: 'ACTIVE' }, found: everything },
    {
      by: 'all of it at once',
      filter: {
        categorySlug: 'filtered-honey',
        tags: ['filtered', 'organic'],
        minPrice: '10',
        maxPrice: '20',
        inStock: true,
      },
      found: ['Acacia'],
    },
    {
      by: 'a search besides',
      filter: { search: 'buck', categorySlug: 'filtered-honey', inStock: true },
      found: ['Buckwheat'],
    },
    { by: 'a search elsewhere', filter: { search: 'buck', categorySlug: 'filtered-wax' }, found: [] },
  ];

  test.each(cases)('by $by', async ({ filter, found }) => {
    expect(await list({ tags: ['filtered'], ...filter })).toEqual(found);
  });

  test.each(['DRAFT', 'ARCHIVED'] as const)('by the status %s is for staff', async (status) => {
    const answer = await shop.client().execute(Counted, { filter: { status } });
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ products: null });
    expect(answer.errors).toEqual([
      {
        message: 'Only staff can list products that are not ACTIVE.',
        locations: [{ line: 2, column: 3 }],
        path: ['products'],
        extensions: { code: 'UNAUTHENTICATED' },
      },
    ]);
  });
});

describe('a search', () => {
  beforeAll(async () => {
    const make = (title: string, fixture: Parameters<typeof makeProduct>[1] = {}) =>
      makeProduct(shop, { title, ...fixture, tags: ['sought', ...(fixture.tags ?? [])] });
    await make('Organic Wildflower Honey', {
      vendor: 'Bramble & Sons',
      tags: ['gift-box'],
      description: 'Gathered in mountain meadows.',
      variants: [{ sku: 'ORG-WLD-250' }, { sku: 'ORG-WLD-500' }],
    });
    await make('Crème of Clover', { vendor: 'Ruche d’Or', variants: [{ sku: 'CRM.CLV_1' }] });
    await make('Beeswax Candles', { description: 'Burning slowly, dripless.', variants: [{ sku: 'WAX/CNDL' }] });
    await make('Café Frappé'.normalize('NFD'), { variants: [{ sku: 'CAFE' }] });
    await make('Saffron Jar', { variants: [{ sku: 'RANK-1' }] });
    await make('Jar with a ribbon', { tags: ['saffron'], variants: [{ sku: 'RANK-2' }] });
    await make('Jar in a basket', { description: 'Goes with saffron.', variants: [{ sku: 'RANK-3' }] });
    await make('Draft Wildflower', { status: 'DRAFT' });
    await make('Archived Wildflower', { status: 'ARCHIVED' });
  });

  const WILD = ['Organic Wildflower Honey'];
  const CREME = ['Crème of Clover'];
  const WAX = ['Beeswax Candles'];
  const cases: { kind: string; search: string; found: string[] }[] = [
    { kind: 'a whole word', search: 'wildflower', found: WILD },
    { kind: 'a whole word in capitals', search: 'WILDFLOWER', found: WILD },
    { kind: 'several words in any order', search: 'honey organic', found: WILD },
    { kind: 'words of which one is not there', search: 'honey candles', found: [] },
    { kind: 'the singular', search: 'candle', found: WAX },
    { kind: 'another form of the verb', search: 'burns', found: WAX },
    { kind: 'stems, both of them', search: 'gathering meadow', found: WILD },
    { kind: 'an unfinished last word', search: 'wildfl', found: WILD },
    { kind: 'a last word cut off before its stem', search: 'organi', found: WILD },
    { kind: 'a last word cut off within its stem', search: 'orga', found: WILD },
    { kind: 'a finished word, then an unfinished one', search: 'honey organi', found: WILD },
    { kind: 'an unfinished word that is not the last', search: 'organi honey', found: [] },
    { kind: 'the middle of a word', search: 'flower', found: [] },
    { kind: 'no accent where there is one', search: 'creme', found: CREME },
    { kind: 'the accent', search: 'crème', found: CREME },
    { kind: 'the accent in two characters', search: 'cre\u0300me', found: CREME },
    { kind: 'an accent where there is none', search: 'clóver', found: CREME },
    { kind: 'an unfinished word with an accent', search: 'crè', found: CREME },
    {
      kind: 'no accent where it is stored in two characters',
      search: 'frappe',
      found: ['Café Frappé'.normalize('NFD')],
    },
    { kind: 'a SKU', search: 'ORG-WLD-250', found: WILD },
    { kind: 'a SKU in small letters', search: 'org-wld-500', found: WILD },
    { kind: 'the middle of a SKU', search: 'WLD', found: WILD },
    { kind: 'the end of a SKU', search: 'wld-250', found: WILD },
    { kind: 'an unfinished SKU', search: 'ORG-WL', found: WILD },
    { kind: 'a SKU with a full stop and an underscore', search: 'crm.clv_1', found: CREME },
    { kind: 'a SKU with a slash', search: 'WAX/CNDL', found: WAX },
    { kind: 'a vendor', search: 'bramble & sons', found: WILD },
    { kind: 'a vendor with an apostrophe', search: "ruche d'or", found: CREME },
    { kind: 'a tag', search: 'gift-box', found: WILD },
    { kind: 'half of a tag', search: 'gift', found: WILD },
    { kind: 'the description', search: 'mountain', found: WILD },
    { kind: 'words of several fields', search: 'bramble meadows 250', found: WILD },
    { kind: 'a small word that stands for nothing', search: 'the honey', found: WILD },
    {
      kind: 'the best match first: title, tag, description',
      search: 'saffron',
      found: ['Saffron Jar', 'Jar with a ribbon', 'Jar in a basket'],
    },
    { kind: 'what is in no product', search: 'submarine', found: [] },
  ];

  test.each(cases)('for $kind: $search', async ({ search, found }) => {
    expect(await list({ search, tags: ['sought'] })).toEqual(found);
  });

  test('is sorted as asked for where it is', async () => {
    const filter = { search: 'saffron', tags: ['sought'] };
    const byTitle = ['Jar in a basket', 'Jar with a ribbon', 'Saffron Jar'];
    expect(await list(filter, { key: 'TITLE' })).toEqual(byTitle);
    expect(await list(filter, { key: 'TITLE', reverse: true })).toEqual(byTitle.toReversed());
  });

  test.each(['', ' ', ' \t\n '])('for nothing (%j) is none', async (search) => {
    expect(await list({ search, tags: ['sought'] })).toHaveLength(7);
  });

  test.each([
    '!!!',
    '"',
    "'",
    "''",
    ':*',
    '&|!()',
    '<->',
    '\\',
    '%',
    '\u0000',
    '🍯',
    '\ud800',
    '*',
    '- - -',
    '…',
    '\u0301',
  ])('for punctuation alone (%j) finds nothing', async (search) => {
    expect(await list({ search, tags: ['sought'] })).toEqual([]);
  });

  test.each([
    'wildflower:*',
    'honey & wildflower',
    '!honey | wildflower',
    '(wildflower',
    "'wildflower'",
    '"organic wildflower"',
    'honey\u0000wildflower',
    '🍯 wildflower',
    'wildflower <-> honey',
    '\\wildflower',
    'wildflower%',
    'honey \u0301wildflower',
  ])('for words among signs (%j) finds the words', async (search) => {
    expect(await list({ search, tags: ['sought'] })).toEqual(WILD);
  });

  test.each(['½', 'ŉ', 'ß', 'İ', 'ﬁ', '①', '蜂蜜', 'עברית', 'e'.repeat(200), 'a '.repeat(100), '1e999', '0x1F'])(
    'for something rare (%#) is answered',
    async (search) => {
      const answer = await shop.client().execute(Page, { filter: { search, tags: ['sought'] } });
      expect({ status: answer.status, errors: answer.errors }).toEqual({ status: 200, errors: undefined });
    },
  );

  test.each([201, 10_000])('of %i characters is too long', async (length) => {
    const answer = await shop.client().execute(Page, { filter: { search: 'h'.repeat(length) } });
    expect(answer.data).toEqual({ products: null });
    expect(answer.errors?.map(({ message, path, extensions }) => ({ message, path, extensions }))).toEqual([
      {
        message: '`search` may have at most 200 characters.',
        path: ['products'],
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
  });
});

describe('a list', () => {
  const sorts: { key: ProductSort['key']; order: string[] }[] = [
    { key: 'NEWEST', order: ['Zebra wax', 'Äpfel', 'banana', 'Apple'] },
    { key: 'TITLE', order: ['Äpfel', 'Apple', 'banana', 'Zebra wax'] },
    { key: 'PRICE', order: ['banana', 'Zebra wax', 'Apple', 'Äpfel'] },
  ];

  beforeAll(async () => {
    const prices = { Apple: [900, 700], banana: [800, 300], Äpfel: [2000], 'Zebra wax': [600, 5000] };
    for (const [title, amounts] of Object.entries(prices)) {
      await makeProduct(shop, { title, tags: ['sorted'], variants: amounts.map((price) => ({ price })) });
    }
  });

  test.each(sorts)('is sorted by $key, either way', async ({ key, order }) => {
    const filter = { tags: ['sorted'] };
    expect(await list(filter, { key })).toEqual(order);
    expect(await list(filter, { key, reverse: false })).toEqual(order);
    expect(await list(filter, { key, reverse: true })).toEqual(order.toReversed());
  });

  test('is sorted by the newest first by default', async () => {
    expect(await list({ tags: ['sorted'] })).toEqual(['Zebra wax', 'Äpfel', 'banana', 'Apple']);
  });

  test('has 20 items on a page by default', async () => {
    for (let n = 1; n <= 21; n += 1) await makeProduct(shop, { title: `Twenty ${n}`, tags: ['twenty'] });
    const { nodes, pageInfo } = await pageOf({ filter: { tags: ['twenty'] } });
    expect(nodes).toHaveLength(20);
    expect(pageInfo.hasNextPage).toBe(true);
  });
});

describe('paging', () => {
  // 23 products in threes and fours of one title, price and instant each: every sort has ties to break.
  const COUNT = 23;
  const PER_PAGE = 4;

  beforeAll(async () => {
    for (let n = 0; n < COUNT; n += 1) {
      await makeProduct(shop, {
        title: `Paged ${n % 7}`,
        description: n % 2 === 0 ? 'nectar' : 'nectar and more nectar',
        tags: ['paged'],
        createdAt: new Date(Date.UTC(2026, 0, 1 + (n % 6), 12, 0, 0, n % 3)),
        variants: [{ price: 100 + (n % 5) }],
      });
    }
  });

  const keys: ProductSort['key'][] = ['NEWEST', 'TITLE', 'PRICE'];
  const filters: ProductFilter[] = [{ tags: ['paged'] }, { tags: ['paged'], search: 'nectar' }];
  const orders = [null, ...keys.flatMap((key) => [false, true].map((reverse) => ({ key, reverse })))];
  const cases = filters.flatMap((filter) =>
    orders.map((sort) => ({
      filter,
      sort,
      what: `${filter.search === undefined ? 'all' : 'what is found'} ${sort === null ? 'unsorted' : `by ${sort.key}${sort.reverse ? ', reversed' : ''}`}`,
    })),
  );

  test.each(cases)('$what leads through the whole list, both ways', async ({ filter, sort }) => {
    const all = await pageOf({ filter, sort, first: 100 });
    const cursors = all.edges.map((edge) => edge.cursor);
    expect(new Set(cursors).size).toBe(COUNT);
    expect(all.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: cursors[0],
      endCursor: cursors.at(-1),
    });

    const forward: (typeof all)[] = [];
    for (let after: string | null = null, more = true; more;) {
      const page = await pageOf({ filter, sort, first: PER_PAGE, after });
      forward.push(page);
      ({ endCursor: after, hasNextPage: more } = page.pageInfo);
    }
    const backward: (typeof all)[] = [];
    for (let before: string | null = null, more = true; more;) {
      const page = await pageOf({ filter, sort, last: PER_PAGE, before });
      backward.unshift(page);
      ({ startCursor: before, hasPreviousPage: more } = page.pageInfo);
    }

    const sizes = (pages: typeof forward) => pages.map((page) => page.edges.length);
    expect(sizes(forward)).toEqual([4, 4, 4, 4, 4, 3]);
    expect(sizes(backward)).toEqual([3, 4, 4, 4, 4, 4]);
    for (const pages of [forward, backward]) {
      expect(pages.flatMap((page) => page.edges)).toEqual(all.edges);
      expect(pages.flatMap((page) => page.nodes)).toEqual(all.nodes);
      const flags = pages.map(({ pageInfo }) => [pageInfo.hasPreviousPage, pageInfo.hasNextPage]);
      expect(flags).toEqual([[false, true], ...Array.from({ length: 4 }, () => [true, true]), [true, false]]);
    }
  });

  test('a page that ends with the list says that there is no more', async () => {
    const filter = { tags: ['paged'] };
    expect((await pageOf({ filter, first: COUNT })).pageInfo).toMatchObject({
      hasNextPage: false,
      hasPreviousPage: false,
    });
    expect((await pageOf({ filter, first: COUNT - 1 })).pageInfo).toMatchObject({
      hasNextPage: true,
      hasPreviousPage: false,
    });
    expect((await pageOf({ filter, last: COUNT })).pageInfo).toMatchObject({
      hasNextPage: false,
      hasPreviousPage: false,
    });
    expect((await pageOf({ filter, last: COUNT - 1 })).pageInfo).toMatchObject({
      hasNextPage: false,
      hasPreviousPage: true,
    });
  });

  test('beyond the last item there is an empty page, and one of no size says what it leaves out', async () => {
    const filter = { tags: ['paged'] };
    const { pageInfo } = await pageOf({ filter, first: 100 });
    const nothing = { startCursor: null, endCursor: null };
    expect(await pageOf({ filter, first: 5, after: pageInfo.endCursor })).toEqual({
      edges: [],
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, ...nothing },
    });
    expect(await pageOf({ filter, last: 5, before: pageInfo.startCursor })).toEqual({
      edges: [],
      nodes: [],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, ...nothing },
    });
    expect((await pageOf({ filter, first: 0 })).pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      ...nothing,
    });
    expect((await pageOf({ filter, last: 0 })).pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: true,
      ...nothing,
    });
  });

  test('nothing is shown twice or left out where something is put in between', async () => {
    const filter = { tags: ['growing'] };
    for (const title of ['B', 'D', 'F', 'H']) await makeProduct(shop, { title, tags: ['growing'] });
    const sort: ProductSort = { key: 'TITLE' };
    const first = await pageOf({ filter, sort, first: 2 });
    await makeProduct(shop, { title: 'A', tags: ['growing'] });
    await makeProduct(shop, { title: 'E', tags: ['growing'] });
    const second = await pageOf({ filter, sort, first: 10, after: first.pageInfo.endCursor });
    expect([first, second].map((page) => page.nodes.map((node) => node.title))).toEqual([
      ['B', 'D'],
      ['E', 'F', 'H'],
    ]);
  });

  test('the total is counted only when it is asked for', async () => {
    const filter = { tags: ['paged'] };
    const counts = (statements: string[]) => statements.filter((statement) => statement.includes('count')).length;
    const client = shop.client();
    const plain = await recordStatements(() => client.data(Page, { filter, first: 3 }));
    const counted = await recordStatements(() => client.data(Counted, { filter, first: 3 }));
    expect(counted.result.products).toMatchObject({ totalCount: COUNT, nodes: [{}, {}, {}] });
    expect([plain.statements.length, counted.statements.length]).toEqual([1, 2]);
    expect(counts(plain.statements)).toBe(0);
  });

  test('a search is counted once: its order depends on how many products it finds', async () => {
    const filter = { tags: ['paged'], search: 'nectar' };
    const client = shop.client();
    const plain = await recordStatements(() => client.data(Page, { filter, first: 3 }));
    const counted = await recordStatements(() => client.data(Counted, { filter, first: 3 }));
    expect(counted.result.products).toMatchObject({ totalCount: COUNT, nodes: [{}, {}, {}] });
    expect([plain.statements.length, counted.statements.length]).toEqual([2, 2]);
  });
});
