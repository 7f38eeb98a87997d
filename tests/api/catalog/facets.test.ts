import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillProducts } from '../../../bench/lists/fill.ts';
import { graphql } from '../../generated/gql/index.ts';
import type { ProductFilter } from '../../generated/gql/graphql.ts';
import { makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { recordQueries, rowsTouched } from '../../support/plans.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { recordStatements } from '../../support/statements.ts';

// Filters by option and low stock, and how many products each further filter would find.

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
  await makeCategory(shop, 'Facet shirts');
  await makeCategory(shop, 'Facet hats');
  const make = (title: string, fixture: Parameters<typeof makeProduct>[1]) =>
    makeProduct(shop, { title, ...fixture, tags: ['facets', ...(fixture?.tags ?? [])] });
  const choice = (size: string, colour: string) => [
    { name: 'Size', value: size },
    { name: 'Colour', value: colour },
  ];
  await make('Ant', {
    categorySlug: 'facet-shirts',
    tags: ['organic'],
    variants: [
      { options: choice('M', 'red'), price: 500, onHand: 2 },
      { options: choice('L', 'red'), price: 1500, onHand: 0 },
      { options: choice('L', 'blue'), price: 1500, onHand: 9 },
    ],
  });
  await make('Bee', { categorySlug: 'facet-shirts', variants: [{ options: choice('M', 'blue'), price: 1000 }] });
  await make('Cat', {
    categorySlug: 'facet-hats',
    tags: ['organic'],
    variants: [{ options: choice('L', 'red'), price: 2000, onHand: 0 }],
  });
  await make('Dog', { variants: [{ price: 1200, onHand: 3 }] });
  await make('Draft', { status: 'DRAFT', tags: ['organic'], variants: [{ options: choice('M', 'red') }] });
  const cat = await shop.db.query<{ id: string }>({ text: `SELECT id FROM products WHERE title = 'Cat'` });
  await shop.db.query(
    {
      text: `INSERT INTO product_variants (id, product_id, sku, selected_options, price_minor, low_stock_threshold, position, archived_at)
             VALUES (gen_random_uuid(), $1, 'ARCHIVED-HAT', $2::jsonb, 1, 3, 9, now())`,
    },
    [known(cat[0]).id, JSON.stringify(choice('S', 'green'))],
  );
});
afterAll(() => shop.dispose());

const List = graphql(`
  query FacetList($filter: ProductFilter!) {
    products(filter: $filter, first: 100) {
      totalCount
      nodes {
        title
      }
    }
  }
`);

async function list(filter: ProductFilter): Promise<string> {
  const { products } = await shop.client().data(List, { filter: { tags: ['facets'], ...filter } });
  const titles = known(products).nodes.map(({ title }) => title);
  expect(known(products).totalCount).toBe(titles.length);
  return titles.join(' ');
}

const Facets = graphql(`
  query Facets($filter: ProductFilter) {
    productFacets(filter: $filter) {
      categories {
        category {
          slug
        }
        count
        countPrecision
      }
      tags {
        tag
        count
        countPrecision
      }
      options {
        name
        values {
          value
          count
          countPrecision
        }
      }
      priceRanges {
        min {
          amount
        }
        max {
          amount
        }
        count
        countPrecision
      }
      inStock {
        count
        countPrecision
      }
      soldOut {
        count
      }
      lowStock {
        count
      }
    }
  }
`);

async function facets(filter: ProductFilter) {
  const { productFacets } = await shop.client().data(Facets, { filter });
  const { categories, tags, options, priceRanges, inStock, soldOut, lowStock } = known(productFacets);
  return {
    categories: categories.map(({ category, count }) => `${category?.slug} ${count}`),
    tags: tags.map(({ tag, count }) => `${tag} ${count}`),
    options: options.map(
      ({ name, values }) => `${name}: ${values.map(({ value, count }) => `${value} ${count}`).join(', ')}`,
    ),
    prices: priceRanges.map(({ min, max, count }) => `${min?.amount ?? ''}–${max?.amount ?? ''} ${count}`),
    stock: [inStock.count, soldOut.count, lowStock.count],
    exact: [...categories, ...tags, ...priceRanges, inStock].every(({ countPrecision }) => countPrecision === 'EXACT'),
  };
}

const of = (name: string, ...values: string[]) => ({ name, values });

describe('a list by options and low stock', () => {
  test.each<{ by: string; filter: ProductFilter; found: string }>([
    { by: 'a value', filter: { options: [of('Size', 'M')] }, found: 'Bee Ant' },
    { by: 'either of two values', filter: { options: [of('Size', 'M', 'L')] }, found: 'Cat Bee Ant' },
    { by: 'two options of one variant', filter: { options: [of('Size', 'M'), of('Colour', 'blue')] }, found: 'Bee' },
    { by: 'an option and a price of one variant', filter: { options: [of('Size', 'L')], maxPrice: '10' }, found: '' },
    {
      by: 'an option and stock of one variant',
      filter: { options: [of('Size', 'L'), of('Colour', 'red')], inStock: true },
      found: '',
    },
    { by: 'an option of what is sold out', filter: { options: [of('Size', 'L')], inStock: false }, found: 'Cat' },
    { by: 'a value of an archived variant', filter: { options: [of('Size', 'S')] }, found: '' },
    { by: 'a value in other letters', filter: { options: [of('Size', 'm')] }, found: '' },
    { by: 'a value of another option', filter: { options: [of('Colour', 'M')] }, found: '' },
    { by: 'signs of JSON and SQL', filter: { options: [of(`"}]'`, '\\"', '%')] }, found: '' },
    { by: 'characters that no text has', filter: { options: [of('Size', '\0', '\ud800')] }, found: '' },
    { by: 'no value at all', filter: { options: [of('Size')] }, found: '' },
    { by: 'no options at all', filter: { options: [] }, found: 'Dog Cat Bee Ant' },
    { by: 'fields that are null', filter: { options: null, lowStock: null }, found: 'Dog Cat Bee Ant' },
    { by: 'low stock', filter: { lowStock: true }, found: 'Dog Ant' },
    { by: 'no low stock', filter: { lowStock: false }, found: 'Cat Bee' },
    { by: 'low stock of an option', filter: { lowStock: true, options: [of('Colour', 'blue')] }, found: '' },
    { by: 'a word and low stock', filter: { lowStock: true, search: 'dog' }, found: 'Dog' },
  ])('finds $found by $by', async ({ filter, found }) => {
    expect(await list(filter)).toBe(found);
  });

  test('follows every change of stock, price and threshold', async () => {
    const { slug, variants } = await makeProduct(shop, { title: 'Elk', tags: ['facets'], variants: [{ onHand: 5 }] });
    const id = known(variants[0]).id;
    const change = (set: string) => shop.db.query({ text: `UPDATE product_variants SET ${set} WHERE id = $1` }, [id]);
    const isLow = async () => (await list({ lowStock: true })).includes('Elk');
    expect(await isLow()).toBe(false);
    await change('held = 2');
    expect(await isLow()).toBe(true);
    await change('low_stock_threshold = 2');
    expect(await isLow()).toBe(false);
    await change('held = 5, low_stock_threshold = 3');
    expect(await isLow()).toBe(false);
    await shop.db.query({ text: `UPDATE products SET tags = '{}' WHERE slug = $1` }, [slug]);
  });

  test.each([
    { options: Array.from({ length: 11 }, (_, n) => of(`O${n}`, 'x')), says: '`options` may have at most 10 entries.' },
    { options: [of('Size', 'M'), of('Size', 'L')], says: '`options` may name each option only once.' },
    {
      options: [of('Size', ...Array.from({ length: 51 }, String))],
      says: '`options.values` may have at most 50 entries.',
    },
  ])('refuses where $says', async ({ options, says }) => {
    const answer = await shop.client().execute(List, { filter: { options, categorySlug: 'nowhere' } });
    expect(answer.errors?.map(({ message, extensions }) => [extensions?.['code'], message])).toEqual([
      ['BAD_REQUEST', says],
    ]);
  });
});

describe('facets', () => {
  test('count what each further filter would find', async () => {
    expect(await facets({ tags: ['facets'] })).toEqual({
      categories: ['facet-shirts 2', 'facet-hats 1'],
      tags: ['facets 4', 'organic 2'],
      options: ['Colour: blue 2, red 2', 'Size: L 2, M 2'],
      prices: ['–9.99 1', '10.00–14.99 2', '15.00– 2'],
      stock: [3, 1, 2],
      exact: true,
    });
  });

  test('ignore the filter that they are about', async () => {
    const filter = {
      tags: ['facets'],
      categorySlug: 'facet-shirts',
      options: [of('Size', 'M')],
      minPrice: '8',
      inStock: true,
    };
    expect(await facets(filter)).toEqual({
      categories: ['facet-shirts 1'],
      tags: ['facets 1'],
      options: ['Size: L 1, M 1', 'Colour: blue 1'],
      prices: ['–9.99 1', '10.00– 1'],
      stock: [1, 0, 0],
      exact: true,
    });
  });

  test('count what the list with that filter has', async () => {
    const filter: ProductFilter = { tags: ['facets'], options: [of('Colour', 'red')] };
    const { productFacets } = await shop.client().data(Facets, { filter });
    const { categories, tags, options, priceRanges, inStock, soldOut, lowStock } = known(productFacets);
    const further: [number, ProductFilter][] = [
      ...categories.map(({ category, count }): [number, ProductFilter] => [
        count,
        { categorySlug: known(category).slug },
      ]),
      ...tags.map(({ tag, count }): [number, ProductFilter] => [count, { tags: ['facets', tag] }]),
      ...options.flatMap(({ name, values }) =>
        values.map(({ value, count }): [number, ProductFilter] => {
          const others = known(filter.options).filter((option) => option.name !== name);
          return [count, { options: [...others, of(name, value)] }];
        }),
      ),
      ...priceRanges.map(({ min, max, count }): [number, ProductFilter] => [
        count,
        { minPrice: min?.amount ?? null, maxPrice: max?.amount ?? null },
      ]),
      [inStock.count, { inStock: true }],
      [soldOut.count, { inStock: false }],
      [lowStock.count, { lowStock: true }],
    ];
    expect(further.length).toBeGreaterThan(10);
    for (const [count, filters] of further) {
      const { products } = await shop.client().data(List, { filter: { ...filter, ...filters } });
      expect([filters, known(products).totalCount]).toEqual([filters, count]);
    }
  });

  test.each([{ search: 'absent' }, { categorySlug: 'nowhere' }, { tags: ['facets'], minPrice: '9000' }])(
    'of nothing are empty: %o',
    async (filter) => {
      const { options, tags, stock } = await facets(filter);
      expect({ options, tags, stock }).toEqual({ options: [], tags: [], stock: [0, 0, 0] });
    },
  );

  test('are computed only where they are selected, each by one statement whatever the number of values', async () => {
    const client = shop.client();
    const filter = { tags: ['facets'] };
    const One = graphql(`
      query FacetTags($filter: ProductFilter) {
        productFacets(filter: $filter) {
          tags {
            tag
          }
        }
      }
    `);
    const one = await recordStatements(() => client.data(One, { filter }));
    expect(one.statements).toHaveLength(1);
    const all = await recordStatements(() => client.data(Facets, { filter }));
    // Categories and the categories' names, tags, options, prices, in stock, sold out, low.
    expect(all.statements).toHaveLength(8);
    const everything = await recordStatements(() => client.data(Facets, { filter: {} }));
    expect(everything.statements).toHaveLength(8);
  });

  test('of drafts are for staff', async () => {
    const answer = await shop.client().execute(Facets, { filter: { status: 'DRAFT' } });
    expect(answer.data).toEqual({ productFacets: null });
    expect(answer.errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED']);
  });
});

describe('of many products', () => {
  const PRODUCTS = 20_000;
  beforeAll(async () => {
    const client = await shop.db.connect();
    try {
      await fillProducts(client, PRODUCTS);
      await client.query('ANALYZE');
    } finally {
      await client.end();
    }
  });

  test('facets count at most 10,000 products, and are marked AT_LEAST beyond', async () => {
    let found: Awaited<ReturnType<typeof facets>> | undefined;
    const queries = await recordQueries(async () => {
      found = await facets({});
    });
    expect(found?.exact).toBe(false);
    // All that are looked at, but for those of the tests above.
    expect(Number(/^everyone (\d+)$/.exec(found?.tags[0] ?? '')?.[1])).toBeGreaterThan(9_990);
    expect(found?.prices.length).toBeLessThanOrEqual(5);
    expect(found?.stock.slice(1)).toEqual([12, 12]);
    const facet = queries.filter(({ text }) => text.includes('base AS MATERIALIZED'));
    expect(facet).toHaveLength(4);
    // Some rows of each of 10,000 products, counted in each step of the plan.
    for (const query of facet) expect(await rowsTouched(shop.db, [query])).toBeLessThan(150_000);
  });

  test.each<{ of: string; filter: ProductFilter; count: number; more?: boolean; most: number }>([
    { of: 'low stock', filter: { lowStock: true }, count: 12, most: 500 },
    { of: 'a rare value', filter: { options: [of('Size', 'XXL')] }, count: 20, most: 1000 },
    { of: 'a value that none has', filter: { options: [of('Size', 'XXXL')] }, count: 0, most: 100 },
    { of: 'a common value', filter: { options: [of('Size', 'S')] }, count: 1000, more: true, most: 15_000 },
  ])('a list of $of looks at few rows, and its facets at those found', async ({ filter, count, more, most }) => {
    const queries = await recordQueries(async () => {
      const { products } = await shop.client().data(Counted, { filter });
      expect(products).toMatchObject({ totalCount: count, totalCountPrecision: more === true ? 'AT_LEAST' : 'EXACT' });
    });
    const pages = queries.filter(({ text }) => text.includes('products p') && !text.includes('AS counted'));
    expect(pages).toHaveLength(1);
    expect(await rowsTouched(shop.db, pages)).toBeLessThan(most);
    const ofFacets = await recordQueries(() => facets({ ...filter }));
    const tags = ofFacets.find(({ text }) => text.includes('unnest(tags)'));
    expect(await rowsTouched(shop.db, [known(tags)])).toBeLessThan(more === true ? 45_000 : most);
  });
});

const Counted = graphql(`
  query FacetCounted($filter: ProductFilter) {
    products(filter: $filter) {
      totalCount
      totalCountPrecision
      nodes {
        title
      }
    }
  }
`);
