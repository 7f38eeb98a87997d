import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillOrders, fillProducts } from '../../../bench/lists/fill.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { guestWithOrder } from '../../support/order-life.ts';
import { recordQueries, rowsTouched } from '../../support/plans.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { shopperOf } from '../../support/shopper.ts';
import { recordStatements } from '../../support/statements.ts';

// Sums and counts over orders, carts and stock.

const Report = graphql(`
  query SalesReportTest($from: DateTime!, $to: DateTime, $zone: String, $first: Int, $after: String) {
    salesReport(from: $from, to: $to, timeZone: $zone) {
      asOf(for: "SalesReportTest")
      sales {
        orderCount
        total {
          amount
          currencyCode
        }
      }
      byDay {
        startsAt
        sales {
          orderCount
          total {
            amount
          }
        }
      }
      products(first: $first, after: $after) {
        totalCount
        pageInfo {
          endCursor
          hasNextPage
        }
        nodes {
          product {
            title
          }
          orderCount
          unitCount
          total {
            amount
          }
        }
      }
      carts {
        cartCount
        convertedCount
      }
    }
  }
`);

const ByHour = graphql(`
  query SalesByHourTest($from: DateTime!, $to: DateTime, $zone: String) {
    salesReport(from: $from, to: $to, timeZone: $zone) {
      byHour {
        startsAt
        sales {
          orderCount
        }
      }
    }
  }
`);

const ByMinute = graphql(`
  query SalesByMinuteTest($from: DateTime!, $to: DateTime) {
    salesReport(from: $from, to: $to) {
      byMinute {
        startsAt
        sales {
          orderCount
        }
      }
    }
  }
`);

const Activity = graphql(`
  query ShopActivityTest($first: Int, $after: String) {
    shopActivity {
      stock {
        heldUnits
        soldOutCount
        lowCount
      }
      orderCounts {
        status
        count
        isExact
      }
      liveCarts(first: $first, after: $after) {
        totalCount
        pageInfo {
          endCursor
          hasNextPage
        }
        nodes {
          unitCount
          expiresAt
          total {
            amount
          }
        }
      }
    }
  }
`);

const Variants = graphql(`
  query ProductVariantsTest($filter: ProductVariantFilter, $first: Int, $after: String, $last: Int, $before: String) {
    productVariants(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo {
        startCursor
        endCursor
        hasNextPage
      }
      nodes {
        sku
        available
        stockAlertCount
        product {
          title
        }
      }
    }
  }
`);

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  await makeProduct(shop, {
    title: 'Käthe honey',
    variants: [
      { sku: 'H-LOW', onHand: 6, price: 1000 },
      { sku: 'H-MANY', onHand: 100, price: 2500 },
    ],
  });
  await makeProduct(shop, {
    title: 'Wax',
    variants: [
      { sku: 'W-GONE', onHand: 0, price: 300 },
      { sku: 'W-LOW', onHand: 30, price: 300 },
    ],
  });
  await makeProduct(shop, { title: 'Old', status: 'ARCHIVED', variants: [{ sku: 'OLD', onHand: 0 }] });
  await shop.db.query({
    text: `UPDATE product_variants SET low_stock_threshold = CASE sku WHEN 'W-LOW' THEN 50 ELSE 5 END`,
  });
  const places = [
    { at: '2026-03-28T22:30:00Z', lines: [{ sku: 'H-MANY', quantity: 2 }] },
    { at: '2026-03-28T23:30:00Z', lines: [{ sku: 'H-MANY', quantity: 1 }] },
    {
      at: '2026-03-29T00:30:00Z',
      lines: [
        { sku: 'H-MANY', quantity: 1 },
        { sku: 'H-LOW', quantity: 1 },
      ],
    },
    { at: '2026-03-29T22:00:00Z', lines: [{ sku: 'W-LOW', quantity: 10 }] },
    { at: '2026-03-29T10:00:00Z', lines: [{ sku: 'H-MANY', quantity: 20 }], cancelled: true },
  ];
  for (const { at, lines, cancelled } of places) {
    const { order } = await guestWithOrder(shop, lines, {});
    await shop.db.query({ text: 'UPDATE orders SET placed_at = $1 WHERE number = $2' }, [at, order.number]);
    if (cancelled === true) {
      await staff.client.data('mutation ($id: ID!) { orderCancel(input: { id: $id }) { errors { code } } }', {
        id: order.id,
      });
    }
  }
});
afterAll(() => shop.dispose());

const from = '2026-03-28T22:00:00Z';
const to = '2026-03-29T22:00:00Z';

describe('salesReport', () => {
  test('counts orders by when they were placed, and no cancelled ones', async () => {
    const { salesReport } = await staff.client.data(Report, { from, to });
    const report = known(salesReport);
    expect(report.sales).toEqual({ orderCount: 3, total: { amount: '110.00', currencyCode: 'USD' } });
    expect(report.asOf).toEqual(expect.any(String));
    expect(report.byDay.map(({ startsAt, sales }) => [startsAt, sales.orderCount, sales.total.amount])).toEqual([
      ['2026-03-28T00:00:00.000Z', 2, '75.00'],
      ['2026-03-29T00:00:00.000Z', 1, '35.00'],
    ]);
  });

  test('days begin by the clock of the time zone, also when that clock is set', async () => {
    const { salesReport } = await staff.client.data(Report, { from, to, zone: 'Europe/Berlin' });
    const days = known(salesReport).byDay.map(({ startsAt, sales }) => [startsAt, sales.orderCount]);
    expect(days).toEqual([
      ['2026-03-27T23:00:00.000Z', 1],
      ['2026-03-28T23:00:00.000Z', 2],
    ]);
  });

  test('hours without sales are part of the report', async () => {
    const { salesReport } = await staff.client.data(ByHour, {
      from,
      to: '2026-03-29T01:00:00Z',
      zone: 'Europe/Berlin',
    });
    const hours = known(known(salesReport).byHour).map(({ startsAt, sales }) => [startsAt, sales.orderCount]);
    expect(hours).toEqual([
      ['2026-03-28T22:00:00.000Z', 1],
      ['2026-03-28T23:00:00.000Z', 1],
      ['2026-03-29T00:00:00.000Z', 1],
    ]);
    const empty = await staff.client.data(ByHour, { from: '2025-01-01T00:00:00Z', to: '2025-01-01T02:00:00Z' });
    expect(known(empty.salesReport).byHour?.map(({ sales }) => sales.orderCount)).toEqual([0, 0]);
  });

  test('products come with the highest sales first, page by page', async () => {
    const all = { from, to: '2026-03-30T00:00:00Z', first: 1 };
    const { salesReport: first } = await staff.client.data(Report, all);
    expect(known(first).products.nodes).toEqual([
      { product: { title: 'Käthe honey' }, orderCount: 3, unitCount: 5, total: { amount: '110.00' } },
    ]);
    expect([known(first).products.totalCount, known(first).products.pageInfo.hasNextPage]).toEqual([2, true]);
    const after = known(first).products.pageInfo.endCursor;
    const { salesReport: second } = await staff.client.data(Report, { ...all, after });
    expect(known(second).products.nodes).toEqual([
      { product: { title: 'Wax' }, orderCount: 1, unitCount: 10, total: { amount: '30.00' } },
    ]);
    expect(known(second).products.pageInfo.hasNextPage).toBe(false);
  });

  test('counts the carts of the period that became orders', async () => {
    const { salesReport: before } = await staff.client.data(Report, {
      from: new Date(Date.now() - 60_000).toISOString(),
    });
    expect(known(before).carts).toEqual({ cartCount: 5, convertedCount: 5 });
    const shopper = shopperOf(shop.client());
    await shopper.add({ sku: 'H-MANY', quantity: 1 });
    const { salesReport: after } = await staff.client.data(Report, {
      from: new Date(Date.now() - 60_000).toISOString(),
    });
    expect(known(after).carts).toEqual({ cartCount: 6, convertedCount: 5 });
    const { salesReport: long } = await staff.client.data(Report, { from, to });
    expect(known(long).carts).toEqual({ cartCount: 0, convertedCount: 0 });
  });

  test.each([
    { from: to, to: from },
    { from: '2025-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' },
    { from, to, zone: 'Nowhere/Town' },
    { from, to, zone: '+02:00' },
    { from, to, zone: '' },
  ])('refuses %o', async (variables) => {
    const answer = await staff.client.execute(Report, variables);
    expect([answer.codes, answer.data?.salesReport]).toEqual([['BAD_REQUEST'], null]);
  });

  test('counts minutes, of a few hours at most', async () => {
    const { salesReport } = await staff.client.data(ByMinute, { from, to: '2026-03-28T22:32:00Z' });
    const minutes = known(known(salesReport).byMinute).map(({ sales }) => sales.orderCount);
    expect(minutes).toEqual([...Array.from({ length: 30 }, () => 0), 1, 0]);
    const long = await staff.client.execute(ByMinute, { from, to: '2026-03-29T04:00:01Z' });
    expect([long.codes, long.data]).toEqual([['BAD_REQUEST'], { salesReport: { byMinute: null } }]);
  });

  test('refuses hours of more than 31 days in their place alone', async () => {
    const answer = await staff.client.execute(ByHour, { from: '2026-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' });
    expect([answer.codes, answer.data]).toEqual([['BAD_REQUEST'], { salesReport: { byHour: null } }]);
  });

  test('takes a statement for each part, however long the period is', async () => {
    const counts = [];
    for (const until of ['2026-03-28T23:00:00Z', '2026-04-28T00:00:00Z']) {
      counts.push((await recordStatements(() => staff.client.data(Report, { from, to: until }))).statements.length);
    }
    expect(counts[0]).toBe(counts[1]);
  });
});

describe('shopActivity', () => {
  test('counts held units, low and sold-out variants, and orders by status', async () => {
    const { shopActivity: before } = await staff.client.data(Activity, {});
    const { stock, orderCounts } = known(before);
    expect(orderCounts).toEqual([
      { status: 'PLACED', count: 4, isExact: true },
      { status: 'FULFILLED', count: 0, isExact: true },
      { status: 'DELIVERED', count: 0, isExact: true },
      { status: 'CANCELLED', count: 1, isExact: true },
    ]);
    expect([stock.soldOutCount, stock.lowCount]).toEqual([1, 2]);
    await shopperOf(shop.client()).add({ sku: 'H-MANY', quantity: 3 });
    const { shopActivity: after } = await staff.client.data(Activity, {});
    expect(known(after).stock.heldUnits).toBe(stock.heldUnits + 3);
  });

  test('lists carts that hold units, the next to expire first, page by page', async () => {
    await shopperOf(shop.client()).add({ sku: 'H-MANY', quantity: 4 });
    const { shopActivity } = await staff.client.data(Activity, {});
    const { nodes, totalCount } = known(shopActivity).liveCarts;
    expect(nodes).toHaveLength(totalCount);
    expect(nodes.at(-1)).toMatchObject({ unitCount: 4, total: { amount: '100.00' } });
    const ends = nodes.map(({ expiresAt }) => expiresAt);
    expect(ends).toEqual(ends.toSorted());
    const paged = [];
    let after: string | null = null;
    do {
      const { shopActivity: page }: { shopActivity: typeof shopActivity } = await staff.client.data(Activity, {
        first: 1,
        after,
      });
      paged.push(...known(page).liveCarts.nodes);
      after = known(page).liveCarts.pageInfo.hasNextPage ? known(page).liveCarts.pageInfo.endCursor : null;
    } while (after !== null);
    expect(paged).toEqual(nodes);
  });
});

describe('productVariants', () => {
  const list = async (filter: object | null = null) => {
    const { nodes, totalCount } = known((await staff.client.data(Variants, { filter })).productVariants);
    expect(totalCount).toBe(nodes.length);
    return nodes.map(({ sku }) => sku);
  };

  test('lists sold-out variants first, then low ones, and none that are archived', async () => {
    expect(await list()).toEqual(['W-GONE', 'H-LOW', 'W-LOW', 'H-MANY']);
    expect(await list({ states: ['LOW', 'SOLD_OUT'] })).toEqual(['W-GONE', 'H-LOW', 'W-LOW']);
    expect(await list({ states: ['SUFFICIENT'] })).toEqual(['H-MANY']);
    expect(await list({ states: [] })).toEqual([]);
  });

  test('finds words in titles and SKUs', async () => {
    expect(await list({ search: 'kathe' })).toEqual(['H-LOW', 'H-MANY']);
    expect(await list({ search: 'w-gone' })).toEqual(['W-GONE', 'W-LOW']);
    expect(await list({ search: 'nothing' })).toEqual([]);
    const { codes } = await staff.client.execute(Variants, { filter: { search: 'a'.repeat(201) } });
    expect(codes).toEqual(['BAD_REQUEST']);
  });

  test('is paged in both directions', async () => {
    const page = async (args: object) => known((await staff.client.data(Variants, args)).productVariants);
    const first = await page({ first: 2 });
    expect(first.nodes.map(({ sku }) => sku)).toEqual(['W-GONE', 'H-LOW']);
    const second = await page({ first: 2, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ sku }) => sku)).toEqual(['W-LOW', 'H-MANY']);
    const back = await page({ last: 2, before: second.pageInfo.startCursor });
    expect(back.nodes.map(({ sku }) => sku)).toEqual(['W-GONE', 'H-LOW']);
  });

  test('takes as many statements for four variants as for one', async () => {
    const counts = [];
    for (const first of [1, 4]) {
      counts.push((await recordStatements(() => staff.client.data(Variants, { first }))).statements.length);
    }
    expect(counts[0]).toBe(counts[1]);
  });
});

test('customers and guests are refused', async () => {
  const customer = await newPerson(shop);
  for (const [client, code] of [
    [customer.client, 'FORBIDDEN'],
    [shop.client(), 'UNAUTHENTICATED'],
  ] as const) {
    expect((await client.execute(Report, { from, to })).codes).toEqual([code]);
    expect((await client.execute(Activity, {})).codes).toEqual([code]);
    expect((await client.execute(Variants, {})).codes).toEqual([code]);
  }
});

describe('of very many orders', () => {
  test('a report looks at the orders of its period alone, and the counts stop', async () => {
    const client = await shop.db.connect();
    try {
      // One a second, up to now.
      await fillOrders(client, 8000);
      await client.query('ANALYZE');
    } finally {
      await client.end();
    }
    const queries = await recordQueries(() => staff.client.data(Report, { from, to }));
    expect(queries.length).toBeGreaterThan(3);
    expect(await rowsTouched(shop.db, queries)).toBeLessThan(200);
    const { salesReport } = await staff.client.data(Report, { from, to });
    expect(known(salesReport).sales.orderCount).toBe(3);
    const { shopActivity } = await staff.client.data(Activity, {});
    expect(known(shopActivity).orderCounts[0]).toEqual({ status: 'PLACED', count: 1000, isExact: false });
    expect(await rowsTouched(shop.db, await recordQueries(() => staff.client.data(Activity, {})))).toBeLessThan(3000);
  });
});

describe('of very many variants', () => {
  test('the sold-out ones and the summary of the stock are read without the others', async () => {
    const client = await shop.db.connect();
    try {
      await fillProducts(client, 8000);
      await client.query('VACUUM ANALYZE products, product_variants');
    } finally {
      await client.end();
    }
    const queries = await recordQueries(async () => {
      const first = known((await staff.client.data(Variants, { first: 3 })).productVariants);
      expect(first.nodes.map(({ available }) => available)).toEqual([0, 0, 0]);
      const low = await staff.client.data(Variants, { first: 3, filter: { states: ['LOW'] } });
      expect(known(low.productVariants).nodes).toHaveLength(3);
    });
    const pages = queries.filter(
      ({ text }) => text.includes('product_variants v') && !text.startsWith('SELECT count(*)'),
    );
    expect(pages).toHaveLength(2);
    expect(await rowsTouched(shop.db, pages)).toBeLessThan(200);
    const summary = await recordQueries(() => staff.client.data(Activity, {}));
    expect(
      await rowsTouched(
        shop.db,
        summary.filter(({ text }) => text.includes('soldOutCount')),
      ),
    ).toBeLessThan(200);
  });
});
