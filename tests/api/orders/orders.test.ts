import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { OrderFilter, OrderLifeListQueryVariables } from '../../generated/gql/graphql.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { rowsOf } from '../../support/books.ts';
import type { Document } from '../../support/client.ts';
import { makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { bringTo, buy, guestWithOrder, orderLifeOf } from '../../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { changingNothing } from '../../support/state.ts';
import { recordStatements } from '../../support/statements.ts';

const List = graphql(`
  query OrderLifeList($filter: OrderFilter, $first: Int, $after: String, $last: Int, $before: String) {
    orders(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      nodes {
        number
      }
      edges {
        cursor
        node {
          number
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
      totalCount
    }
  }
`);

describe('every order, for staff', () => {
  let shop: QuietShop;
  let staff: Person;
  /** Numbers, newest first, and what is known of the orders. */
  let numbers: string[];
  const DAY = (day: number) => `2026-03-0${day}T12:00:00.000Z`;

  beforeAll(async () => {
    shop = await openQuietShop({ BCRYPT_COST: '4' });
    staff = await newStaff(shop);
    const { sku } = await makeVariant(shop, { onHand: 1000 });
    const lines = [{ sku, quantity: 1 }];
    const ada = await newPerson(shop, { email: 'ada@example.com' });
    const made = [
      { ...(await guestWithOrder(shop, lines, { email: 'Ada@Example.com' })).order, at: DAY(1) },
      { ...(await buy(ada.client, lines)), at: DAY(2) },
      // Three at the very same instant: the latest ID first.
      { ...(await guestWithOrder(shop, lines, { email: 'eve@example.com' })).order, at: DAY(3) },
      { ...(await guestWithOrder(shop, lines, { email: 'eve@example.com' })).order, at: DAY(3) },
      { ...(await guestWithOrder(shop, lines, { email: 'bob@example.com' })).order, at: DAY(3) },
      { ...(await guestWithOrder(shop, lines, { email: 'ada@example.com.au' })).order, at: DAY(4) },
      { ...(await buy(ada.client, lines)), at: DAY(5) },
    ];
    for (const { id, at } of made) {
      await rowsOf(shop.db, 'UPDATE orders SET placed_at = $2 WHERE id = $1', [rowId(id), at]);
    }
    numbers = made
      .toSorted((a, b) => b.at.localeCompare(a.at) || (rowId(a.id) < rowId(b.id) ? 1 : -1))
      .map((order) => order.number);
    const [, , third, , fifth, , seventh] = made.map((order) => order.id);
    await bringTo(staff, known(third), 'FULFILLED');
    await bringTo(staff, known(fifth), 'CANCELLED');
    await bringTo(staff, known(seventh), 'DELIVERED');
  });
  afterAll(() => shop.dispose());

  const list = async (variables: OrderLifeListQueryVariables = {}) =>
    known((await staff.client.data(List, variables)).orders);
  const found = async (filter: OrderFilter) => {
    const { nodes, totalCount } = await list({ filter });
    expect(totalCount).toBe(nodes.length);
    return nodes.map((node) => numbers.indexOf(node.number));
  };

  test('newest first, paged forward and backward', async () => {
    const all = await list();
    expect(all.nodes.map((node) => node.number)).toEqual(numbers);
    expect(all.edges.map((edge) => edge.node.number)).toEqual(numbers);
    expect(all.totalCount).toBe(7);
    expect(all.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: all.edges[0]?.cursor,
      endCursor: all.edges[6]?.cursor,
    });
    for (let at = 0; at < 7; at += 1) {
      const cursor = known(all.edges[at]).cursor;
      const after = await list({ first: 3, after: cursor });
      expect(after.nodes.map((node) => node.number)).toEqual(numbers.slice(at + 1, at + 4));
      expect(after.pageInfo).toMatchObject({ hasNextPage: at + 4 < 7, hasPreviousPage: true });
      const before = await list({ last: 3, before: cursor });
      expect(before.nodes.map((node) => node.number)).toEqual(numbers.slice(Math.max(at - 3, 0), at));
      expect(before.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: at > 3 });
    }
    expect((await list({ last: 2 })).nodes.map((node) => node.number)).toEqual(numbers.slice(5));
    expect(await list({ first: 0 })).toMatchObject({ nodes: [], edges: [], totalCount: 7 });
  });

  test('with a cursor of its own list alone', async () => {
    const { edges } = await list({ first: 1 });
    const cursor = known(edges[0]).cursor;
    const Orders = `query ($id: ID!, $after: String) { node(id: $id) { ... on User { orders(after: $after) { nodes { number } } } } }`;
    const answer = await staff.client.execute(Orders, { id: staff.userId, after: cursor });
    expect(answer.codes).toEqual(['BAD_REQUEST']);
    expect((await staff.client.execute(List, { after: 'nonsense' })).codes).toEqual(['BAD_REQUEST']);
    expect((await staff.client.execute(List, { first: 101 })).codes).toEqual(['BAD_REQUEST']);
    // Also where nothing can be found.
    expect((await staff.client.execute(List, { filter: { email: '?' }, first: 101 })).codes).toEqual(['BAD_REQUEST']);
  });

  test('by status', async () => {
    expect(await found({ status: 'DELIVERED' })).toEqual([0]);
    expect(await found({ status: 'FULFILLED' })).toHaveLength(1);
    expect(await found({ status: 'CANCELLED' })).toHaveLength(1);
    expect(await found({ status: 'PLACED' })).toHaveLength(4);
    expect(await found({ status: null })).toHaveLength(7);
  });

  test('by address: all of it, whatever its capitals', async () => {
    for (const email of ['ada@example.com', 'ADA@EXAMPLE.COM', '  Ada@example.com\u0020']) {
      expect([email, await found({ email })]).toEqual([email, [0, 5, 6]]);
    }
    expect(await found({ email: 'ada@example.com.au' })).toEqual([1]);
    expect(await found({ email: 'eve@example.com' })).toHaveLength(2);
    for (const email of [
      '',
      ' ',
      'ada',
      'ada@example',
      '%',
      '%@example.com',
      'a_a@example.com',
      'ada@example.com\u0000',
    ]) {
      expect([email, await found({ email })]).toEqual([email, []]);
    }
  });

  test('by when they were placed: from one instant, to before another', async () => {
    expect(await found({ placedAfter: DAY(3) })).toEqual([0, 1, 2, 3, 4]);
    expect(await found({ placedAfter: '2026-03-03T12:00:00.001Z' })).toEqual([0, 1]);
    expect(await found({ placedBefore: DAY(3) })).toEqual([5, 6]);
    expect(await found({ placedBefore: '2026-03-03T13:00:00.001+01:00' })).toEqual([2, 3, 4, 5, 6]);
    expect(await found({ placedAfter: DAY(2), placedBefore: DAY(4) })).toEqual([2, 3, 4, 5]);
    expect(await found({ placedAfter: DAY(4), placedBefore: DAY(2) })).toEqual([]);
    expect(await found({ placedAfter: '0001-01-01T00:00:00Z', placedBefore: '9999-12-31T23:59:59Z' })).toHaveLength(7);
  });

  test('by all that is given, paged within it', async () => {
    expect(await found({ email: 'ada@example.com', status: 'PLACED' })).toEqual([5, 6]);
    const filter = { email: 'ada@example.com', status: 'PLACED', placedAfter: DAY(1), placedBefore: DAY(5) } as const;
    expect(await found(filter)).toEqual([5, 6]);
    const first = await list({ filter, first: 1 });
    expect(first).toMatchObject({ totalCount: 2, nodes: [{ number: numbers[5] }], pageInfo: { hasNextPage: true } });
    const second = await list({ filter, first: 1, after: known(first.pageInfo.endCursor) });
    expect(second).toMatchObject({ nodes: [{ number: numbers[6] }], pageInfo: { hasNextPage: false } });
    const back = await list({ filter, last: 1, before: known(second.pageInfo.startCursor) });
    expect(back).toMatchObject({ nodes: [{ number: numbers[5] }], pageInfo: { hasPreviousPage: false } });
  });

  test('for nobody else; the rest of the answer stands', async () => {
    const customer = await newPerson(shop);
    const guest = await guestWithOrder(shop, [{ sku: (await makeVariant(shop)).sku, quantity: 1 }]);
    for (const [client, code] of [
      [shop.client(), 'UNAUTHENTICATED'],
      [guest.client, 'UNAUTHENTICATED'],
      [customer.client, 'FORBIDDEN'],
    ] as const) {
      const answer = await changingNothing(shop, () => client.execute('{ orders { nodes { id } } shop { name } }'));
      expect({ data: answer.data, codes: answer.codes, status: answer.status }).toEqual({
        data: { orders: null, shop: { name: 'Vitrine' } },
        codes: [code],
        status: 200,
      });
    }
    const admin = await newStaff(shop, 'ADMIN');
    expect((await admin.client.data(List, { first: 1 })).orders?.nodes).toHaveLength(1);
  });

  test('shows an order as staff see it', async () => {
    const [order] = (
      await staff.client.data<{ orders: { nodes: { id: string }[] } }>('{ orders(last: 1) { nodes { id } } }')
    ).orders.nodes;
    const Full = `{ orders(last: 1) { nodes { id number email accessToken shippingAddress { city } totalQuantity history { to } } } }`;
    const byId = await orderLifeOf(staff.client).read({ id: known(order).id });
    expect((await staff.client.data<{ orders: { nodes: object[] } }>(Full)).orders.nodes).toEqual([
      {
        id: known(order).id,
        number: numbers[6],
        email: 'Ada@Example.com',
        accessToken: null,
        shippingAddress: known(byId).shippingAddress,
        totalQuantity: 1,
        history: [{ to: 'PLACED' }],
      },
    ]);
  });
});

describe('the statements of a list of orders', () => {
  let shop: QuietShop;
  let staff: Person;
  let people: Person[];
  beforeAll(async () => {
    shop = await openQuietShop({ BCRYPT_COST: '4' });
    staff = await newStaff(shop);
    const skus: string[] = [];
    for (let n = 0; n < 10; n += 1) {
      const { variants } = await makeProduct(shop, { variants: [{ onHand: 1000 }, { onHand: 1000 }] });
      skus.push(...variants.map((variant) => variant.sku));
    }
    people = [];
    for (let n = 0; n < 12; n += 1) people.push(await newPerson(shop));
    // Two orders each, of two lines, of products all over.
    for (let n = 0; n < 24; n += 1) {
      const lines = [n, n + 7].map((at) => ({ sku: known(skus[at % skus.length]), quantity: 1 }));
      await buy(known(people[n % 12]).client, lines);
    }
  });
  afterAll(() => shop.dispose());

  /** How many statements an operation takes, and what it gives. */
  async function cost<Data, Variables>(document: Document<Data, Variables>, variables: Variables) {
    const { result, statements } = await recordStatements(() => staff.client.data(document, variables));
    return { data: result, count: statements.length };
  }

  const Orders = graphql(`
    query OrderLifeCostOfOrders($first: Int!, $filter: OrderFilter) {
      orders(first: $first, filter: $filter) {
        totalCount
        nodes {
          number
          total {
            amount
          }
          customer {
            email
          }
          shippingAddress {
            city
          }
          history {
            to
          }
          lines {
            quantity
            variant {
              sku
              product {
                title
              }
            }
          }
        }
      }
    }
  `);

  test('are the same for 1, 6 and 24 orders', async () => {
    const counts: number[] = [];
    for (const first of [1, 6, 24]) {
      const { data, count } = await cost(Orders, { first });
      const { nodes, totalCount } = known(data.orders);
      expect(totalCount).toBe(24);
      expect(nodes).toHaveLength(first);
      expect(new Set(nodes.map((node) => known(node.customer).email)).size).toBe(Math.min(first, 12));
      expect(nodes.every((node) => node.lines.length === 2 && node.lines.every((line) => line.variant !== null))).toBe(
        true,
      );
      counts.push(count);
    }
    // Who asks, the page, its total, the rows with lines and history, variants, products, customers.
    expect(counts).toEqual([9, 9, 9]);
  });

  test('count nothing that is not asked for, and read nothing where nothing can be found', async () => {
    const { count } = await cost('{ orders(first: 100) { nodes { number } } }', {});
    // Who asks, the page, the rows.
    expect(count).toBe(3);
    const none = await cost(Orders, { first: 100, filter: { email: 'nobody' } });
    expect(none.data.orders).toEqual({ totalCount: 0, nodes: [] });
    expect(none.count).toBe(1);
  });

  const Users = graphql(`
    query OrderLifeCostOfUsers($ids: [ID!]!) {
      nodes(ids: $ids) {
        ... on User {
          email
          orders(first: 1) {
            totalCount
            pageInfo {
              hasNextPage
            }
            nodes {
              number
              lines {
                sku
              }
            }
          }
          all: orders {
            edges {
              node {
                number
                placedAt
                customer {
                  email
                }
              }
            }
          }
        }
      }
    }
  `);

  test('are the same for the orders of 1, 4 and 12 users', async () => {
    const counts: number[] = [];
    for (const many of [1, 4, 12]) {
      const asked = people.slice(0, many);
      const { data, count } = await cost(Users, { ids: asked.map((person) => person.userId) });
      for (const [index, node] of data.nodes.entries()) {
        if (node === null || !('all' in node)) throw new Error('it is no user');
        const person = known(asked[index]);
        const [newest, oldest] = known(node.all).edges.map((edge) => edge.node);
        expect(known(newest).placedAt > known(oldest).placedAt).toBe(true);
        expect([newest, oldest].map((order) => order?.customer?.email)).toEqual([person.email, person.email]);
        expect(node.orders).toMatchObject({
          totalCount: 2,
          pageInfo: { hasNextPage: true },
          nodes: [{ number: known(newest).number, lines: [{}, {}] }],
        });
      }
      counts.push(count);
    }
    // Who asks, the users; two sorts of pages, the rows of each, the lines, how many there are.
    expect(counts).toEqual([8, 8, 8]);
  });
});
