import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { StaffStockMovementsQueryVariables } from '../../generated/gql/graphql.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { globalId, makeVariant, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { stockKeeperOf } from '../../support/staff-stock.ts';

let shop: TestShop & World;
let staff: Person;
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

const Movements = graphql(`
  query StaffStockMovements($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    node(id: $id) {
      ... on ProductVariant {
        stockMovements(first: $first, after: $after, last: $last, before: $before) {
          totalCount
          pageInfo {
            hasNextPage
            hasPreviousPage
            startCursor
            endCursor
          }
          edges {
            cursor
            node {
              id
              onHandAfter
            }
          }
        }
      }
    }
  }
`);

const Entries = graphql(`
  query StaffStockEntries($id: ID!) {
    node(id: $id) {
      ... on ProductVariant {
        stockMovements {
          nodes {
            id
            reason
            onHandDelta
            heldDelta
            onHandAfter
            heldAfter
            note
            occurredAt
            actor {
              email
            }
            variant {
              id
            }
          }
        }
      }
    }
  }
`);

type PageArguments = Omit<StaffStockMovementsQueryVariables, 'id'>;

async function pageOf(id: string, args: PageArguments) {
  const { node } = await staff.client.data(Movements, { id, ...args });
  const page = known(node !== null && node !== undefined && 'stockMovements' in node ? node.stockMovements : null);
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
  expect([startCursor, endCursor]).toEqual([page.edges[0]?.cursor ?? null, page.edges.at(-1)?.cursor ?? null]);
  return {
    levels: page.edges.map((edge) => edge.node.onHandAfter),
    total: page.totalCount,
    start: startCursor,
    end: endCursor,
    more: [hasPreviousPage, hasNextPage],
  };
}

describe("a variant's ledger", () => {
  test('lists every change, newest first, with the member of staff who made it', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 3 });
    await shopper.update({ id: known(cart?.lines[0]).id, quantity: 2 });
    await shopper.checkout({ idempotencyKey: 'ledger', email: 'ledger@example.com' });
    await stockKeeperOf(staff.client).adjust({ variantId: honey.globalId, delta: 4, note: 'Pallet' });

    const { node } = await staff.client.data(Entries, { id: honey.globalId });
    const entries = known(node !== null && node !== undefined && 'stockMovements' in node ? node.stockMovements : null);
    const times = await rowsOf<{ id: string; occurredAt: Date }>(
      shop.db,
      `SELECT id::text, occurred_at AS "occurredAt" FROM stock_movements WHERE variant_id = $1 ORDER BY id DESC`,
      [honey.id],
    );
    const entry = (
      index: number,
      reason: string,
      deltas: [number, number],
      after: [number, number],
      by: object = {},
    ) => ({
      id: globalId('StockMovement', known(times[index]).id),
      reason,
      onHandDelta: deltas[0],
      heldDelta: deltas[1],
      onHandAfter: after[0],
      heldAfter: after[1],
      note: null,
      occurredAt: known(times[index]).occurredAt.toISOString(),
      actor: null,
      variant: { id: honey.globalId },
      ...by,
    });
    expect(entries.nodes).toEqual([
      entry(0, 'RESTOCK', [4, 0], [12, 0], { note: 'Pallet', actor: { email: staff.email } }),
      entry(1, 'SALE', [-2, -2], [8, 0]),
      entry(2, 'RELEASE', [0, -1], [10, 2]),
      entry(3, 'HOLD', [0, 3], [10, 3]),
      entry(4, 'INITIAL', [10, 0], [10, 0]),
    ]);
  });

  test('is paged from either end, with the total of that variant alone', async () => {
    const [honey, wax] = [await makeVariant(shop, { onHand: 1 }), await makeVariant(shop, { onHand: 100 })];
    const keeper = stockKeeperOf(staff.client);
    for (let n = 0; n < 6; n += 1) {
      await keeper.adjust({ variantId: honey.globalId, delta: 1 });
      await keeper.adjust({ variantId: wax.globalId, delta: 1 });
    }
    const first = await pageOf(honey.globalId, { first: 3 });
    expect(first).toMatchObject({ levels: [7, 6, 5], total: 7, more: [false, true] });
    const second = await pageOf(honey.globalId, { first: 3, after: first.end });
    expect(second).toMatchObject({ levels: [4, 3, 2], total: 7, more: [true, true] });
    const third = await pageOf(honey.globalId, { first: 3, after: second.end });
    expect(third).toMatchObject({ levels: [1], total: 7, more: [true, false] });
    expect(await pageOf(honey.globalId, { first: 3, after: third.end })).toMatchObject({ levels: [], total: 7 });

    const last = await pageOf(honey.globalId, { last: 2 });
    expect(last).toMatchObject({ levels: [2, 1], total: 7, more: [true, false] });
    const before = await pageOf(honey.globalId, { last: 4, before: last.start });
    expect(before).toMatchObject({ levels: [6, 5, 4, 3], total: 7, more: [true, true] });
    expect(await pageOf(honey.globalId, { last: 4, before: before.start })).toMatchObject({
      levels: [7],
      more: [false, true],
    });
    expect(await pageOf(honey.globalId, { first: 0 })).toMatchObject({ levels: [], total: 7 });

    // What is added while somebody pages does not move what follows.
    await keeper.adjust({ variantId: honey.globalId, delta: 1 });
    expect(await pageOf(honey.globalId, { first: 3, after: first.end })).toMatchObject({ levels: [4, 3, 2], total: 8 });
  });

  test('of a variant that never had a unit is empty', async () => {
    const honey = await makeVariant(shop, { onHand: 0 });
    expect(await pageOf(honey.globalId, {})).toMatchObject({ levels: [], total: 0, more: [false, false] });
  });

  test.each<[string, PageArguments]>([
    ['a cursor of another list', { after: Buffer.from('["user.orders","1"]').toString('base64url') }],
    ['a cursor that is none', { before: 'x', last: 1 }],
    [
      'a cursor beyond bigint',
      { after: Buffer.from('["variant.stockMovements","9999999999999999999"]').toString('base64url') },
    ],
    ['too many', { first: 101 }],
    ['both ends', { first: 1, last: 1 }],
  ])('refuses %s', async (_what, args) => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const { data, codes } = await staff.client.execute(Movements, { id: honey.globalId, ...args });
    expect([codes, data]).toEqual([['BAD_REQUEST'], { node: { stockMovements: null } }]);
  });
});

describe('an entry of the ledger', () => {
  const Entry = graphql(`
    query StaffStockEntry($id: ID!, $ids: [ID!]!) {
      node(id: $id) {
        __typename
        id
        ... on StockMovement {
          onHandDelta
          variant {
            sku
          }
        }
      }
      nodes(ids: $ids) {
        id
      }
    }
  `);

  test('is found by its ID', async () => {
    const honey = await makeVariant(shop, { onHand: 4 });
    const [row] = await rowsOf<{ id: string }>(shop.db, 'SELECT id::text FROM stock_movements WHERE variant_id = $1', [
      honey.id,
    ]);
    const id = globalId('StockMovement', known(row).id);
    const none = [
      globalId('StockMovement', '999999999999'),
      globalId('StockMovement', '0'),
      globalId('StockMovement', honey.id),
    ];
    expect(await staff.client.data(Entry, { id, ids: [none[0], id, ...none.slice(1)].map(String) })).toEqual({
      node: { __typename: 'StockMovement', id, onHandDelta: 4, variant: { sku: honey.sku } },
      nodes: [null, { id }, null, null],
    });
    expect(rowId(id)).toBe(known(row).id);
  });
});
