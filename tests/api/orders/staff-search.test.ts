import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillOrders } from '../../../bench/lists/fill.ts';
import { graphql } from '../../generated/gql/index.ts';
import type { OrderFilter, OrderSort } from '../../generated/gql/graphql.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { guestWithOrder } from '../../support/order-life.ts';
import { recordQueries, rowsTouched } from '../../support/plans.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

const Lookup = graphql(`
  query StaffOrderByNumber($number: String, $email: String) {
    order(number: $number, email: $email) {
      number
      email
      shippingAddress {
        city
      }
    }
  }
`);

const List = graphql(`
  query StaffOrderSearch(
    $filter: OrderFilter
    $sort: OrderSort
    $first: Int
    $after: String
    $last: Int
    $before: String
  ) {
    orders(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      totalCountPrecision
      pageInfo {
        endCursor
        hasNextPage
      }
      nodes {
        number
      }
    }
  }
`);

const BySku = graphql(`
  query VariantBySku($sku: String!) {
    productVariant(sku: $sku) {
      sku
      product {
        title
      }
    }
  }
`);

let shop: QuietShop;
let staff: Person;
const orders: Record<string, string> = {};
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  const { sku } = await makeVariant(shop, { onHand: 100, price: 1000 });
  const place = async (name: string, quantity: number, input: { email: string; to?: object }) => {
    const { order } = await guestWithOrder(shop, [{ sku, quantity }], {
      email: input.email,
      ...(input.to === undefined
        ? {}
        : {
            shippingAddress: {
              line1: '1 St',
              city: 'Town',
              postalCode: 'N1 9GU',
              countryCode: 'GB',
              name: 'Nobody',
              ...input.to,
            },
          }),
    });
    orders[name] = order.number;
  };
  await place('müller', 3, {
    email: 'k.mueller@example.com',
    to: { name: 'Käthe Müller', city: 'Łódź', postalCode: '90-001', countryCode: 'PL' },
  });
  await place('tanaka', 1, { email: 'tanaka@example.jp', to: { name: '田中太郎', line1: '東京都千代田区1-1' } });
  await place('plain', 2, { email: 'ada@example.com' });
});
afterAll(() => shop.dispose());

const list = async (filter: OrderFilter, sort: OrderSort | null = null) => {
  const { nodes, totalCount } = known((await staff.client.data(List, { filter, sort })).orders);
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ number }) => Object.keys(orders).find((name) => orders[name] === number));
};

const pageAfter = async (sort: OrderSort, after: string | null) =>
  known((await staff.client.data(List, { sort, first: 1, after })).orders);

describe('an order by its number', () => {
  test('is found by staff without an e-mail, whole', async () => {
    const number = known(orders.tanaka);
    const found = { number, email: 'tanaka@example.jp', shippingAddress: { city: 'Town' } };
    expect(await staff.client.data(Lookup, { number })).toEqual({ order: found });
    expect(await staff.client.data(Lookup, { number: ` ${number} ` })).toEqual({ order: found });
    for (const other of ['1', '', '9'.repeat(30), `${number}x`]) {
      expect(await staff.client.data(Lookup, { number: other })).toEqual({ order: null });
    }
  });

  test('is not looked up without an e-mail by anyone else', async () => {
    const customer = await newPerson(shop);
    for (const client of [shop.client(), customer.client]) {
      const answer = await client.execute(Lookup, { number: known(orders.tanaka) });
      expect([answer.data, answer.codes]).toEqual([{ order: null }, ['BAD_REQUEST']]);
    }
  });
});

describe('orders by search', () => {
  test.each([
    ['muller', ['müller']],
    ['Käthe Müll', ['müller']],
    ['lodz', ['müller']],
    ['90-001', ['müller']],
    ['k.mueller@example.com', ['müller']],
    ['田中', ['tanaka']],
    ['太郎', ['tanaka']],
    ['千代田', ['tanaka']],
    ['example', ['plain', 'tanaka', 'müller']],
    ['example.com', ['plain', 'müller']],
    ['ada tanaka', []],
    ['nobody here', []],
    ['\u0301', []],
  ])('%s', async (search, found) => {
    expect(await list({ search })).toEqual(found);
  });

  test('by the number, also with other conditions', async () => {
    const number = known(orders.plain);
    expect(await list({ search: number })).toEqual(['plain']);
    expect(await list({ search: number, email: 'tanaka@example.jp' })).toEqual([]);
    expect(await list({ search: ' ' })).toHaveLength(3);
    expect(await list({ search: `\0${number}` })).toEqual(['plain']);
  });

  test('of more than 200 characters is refused', async () => {
    expect((await staff.client.execute(List, { filter: { search: 'a'.repeat(201) } })).codes).toEqual(['BAD_REQUEST']);
  });

  test('are found by their new words when the address is edited', async () => {
    const { rows } = {
      rows: await shop.db.query({
        text: `UPDATE orders SET shipping_name = 'Zoë Zimmer' WHERE shipping_name = '田中太郎'`,
      }),
    };
    expect(rows).toEqual([]);
    expect(await list({ search: 'zoe' })).toEqual(['tanaka']);
    expect(await list({ search: '太郎' })).toEqual([]);
  });
});

describe('orders', () => {
  test('by payment status', async () => {
    expect(await list({ paymentStatus: 'REFUNDED' })).toEqual([]);
    expect(await list({ paymentStatus: 'PENDING', search: 'ada' })).toEqual(['plain']);
  });

  test('by total and by time, both ways round, page by page', async () => {
    const byTotal = ['müller', 'plain', 'tanaka'];
    const byTime = ['plain', 'tanaka', 'müller'];
    for (const [key, order] of [
      ['TOTAL', byTotal],
      ['PLACED_AT', byTime],
    ] as const) {
      for (const reverse of [false, true]) {
        const wanted = reverse ? order.toReversed() : [...order];
        expect(await list({}, { key, reverse })).toEqual(wanted);
        const seen: unknown[] = [];
        for (let after: string | null = null, more = true; more;) {
          const page: Awaited<ReturnType<typeof pageAfter>> = await pageAfter({ key, reverse }, after);
          const { nodes, pageInfo } = page;
          seen.push(Object.keys(orders).find((name) => orders[name] === nodes[0]?.number));
          ({ endCursor: after = null, hasNextPage: more } = pageInfo);
        }
        expect(seen).toEqual(wanted);
      }
    }
    const { orders: page } = await staff.client.data(List, { sort: { key: 'TOTAL' }, first: 1 });
    const { codes } = await staff.client.execute(List, { first: 1, after: known(page).pageInfo.endCursor });
    expect(codes).toEqual(['BAD_REQUEST']);
  });
});

describe('a variant by its SKU', () => {
  test('is found by everyone, archived ones and those of drafts by staff alone', async () => {
    const draft = await makeProduct(shop, { title: 'Draft', status: 'DRAFT', variants: [{ sku: 'DRAFT-1' }] });
    await makeProduct(shop, { title: 'Both', variants: [{ sku: 'LIVE-1' }, { sku: 'OLD-1' }] });
    await shop.db.query({ text: `UPDATE product_variants SET archived_at = now() WHERE sku = 'OLD-1'` });
    expect(draft.variants).toHaveLength(1);
    const bySku = async (client: Person['client'], sku: string) =>
      (await client.data(BySku, { sku })).productVariant?.product.title ?? null;
    for (const [sku, title] of [
      ['DRAFT-1', 'Draft'],
      ['LIVE-1', 'Both'],
      ['OLD-1', 'Both'],
    ] as const) {
      expect([sku, await bySku(staff.client, sku)]).toEqual([sku, title]);
    }
    expect(
      await Promise.all(
        ['DRAFT-1', 'OLD-1', 'LIVE-1', 'live-1', 'LIVE', '', '\0'].map((sku) => bySku(shop.client(), sku)),
      ),
    ).toEqual([null, null, 'Both', null, null, null, null]);
  });
});

describe('of very many orders', () => {
  const ORDERS = 8000;
  beforeAll(async () => {
    const client = await shop.db.connect();
    try {
      await fillOrders(client, ORDERS);
      await client.query('ANALYZE');
    } finally {
      await client.end();
    }
  });

  const cases: { by: string; filter?: OrderFilter; sort?: OrderSort; found: number }[] = [
    { by: 'nothing', found: 1001 },
    { by: 'total', sort: { key: 'TOTAL', reverse: true }, found: 1001 },
    { by: 'a status that few have', filter: { status: 'CANCELLED' }, found: 8 },
    { by: 'a payment status that none has', filter: { paymentStatus: 'REFUNDED' }, found: 0 },
    { by: 'a word that all have', filter: { search: 'buyer' }, found: 1001 },
    { by: 'a whole address', filter: { search: 'buyer-77@example.com' }, found: 1 },
    { by: 'a rare word and the beginning of one that all have', filter: { search: '77 exam' }, found: 1 },
    { by: 'a word that none has, by total', filter: { search: 'absent' }, sort: { key: 'TOTAL' }, found: 0 },
  ];
  test.each(cases)('a page by $by looks at few', async ({ filter = {}, sort = null, found }) => {
    let answer: { totalCount: number; totalCountPrecision: string } | null | undefined;
    const queries = await recordQueries(async () => {
      answer = (await staff.client.data(List, { filter, sort })).orders;
    });
    expect(answer).toMatchObject({
      totalCount: Math.min(found, 1000),
      totalCountPrecision: found > 1000 ? 'AT_LEAST' : 'EXACT',
    });
    const ofOrders = queries.filter(({ text }) => text.includes('orders o'));
    expect(ofOrders).toHaveLength(2);
    expect(await rowsTouched(shop.db, ofOrders)).toBeLessThan(4000);
  });

  test('a search of old orders begins at the newest of them', async () => {
    const [old] = await shop.db.query<{ at: Date }>({
      text: 'SELECT placed_at AS at FROM orders ORDER BY placed_at DESC OFFSET 2000 LIMIT 1',
    });
    const filter = { search: 'buyer', placedBefore: known(old).at.toISOString() };
    let answer: { totalCount: number; nodes: unknown[] } | null | undefined;
    const queries = await recordQueries(async () => {
      answer = (await staff.client.data(List, { filter })).orders;
    });
    expect([answer?.totalCount, answer?.nodes.length]).toEqual([1000, 20]);
    const ofOrders = queries.filter(({ text }) => text.includes('orders o'));
    expect(await rowsTouched(shop.db, ofOrders)).toBeLessThan(4000);
  });
});
