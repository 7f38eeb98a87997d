import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { listenersOf } from '../../support/listeners.ts';
import { rowsOf } from '../../support/books.ts';
import type { Client } from '../../support/client.ts';
import { globalId, makeVariant, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { settled } from '../../support/settled.ts';
import { enter, shopperOf } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { openSocket } from '../../support/socket.ts';
import { newKey, stockKeeperOf } from '../../support/staff-stock.ts';
import { changingNothing } from '../../support/state.ts';
import { until } from '../../support/until.ts';

/*
 * What is for staff is refused to everybody else in its place alone, wherever a variant turns up; the rest of the answer
 * stands. (Documents as text: what they ask for is not of one type.)
 */

let shop: TestShop & World;
let honey: Awaited<ReturnType<typeof makeVariant>>;
let staff: Person;
let movementId: string;
const callers: Record<string, { client: Client; lineId: string; orderId: string; accessToken?: string }> = {};
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
  honey = await makeVariant(shop, { onHand: 100 });
  staff = await newStaff(shop);
  const customer = await newPerson(shop);
  for (const [name, shopper] of [
    ['a guest', await enter(shop)],
    ['a customer', shopperOf(customer.client)],
  ] as const) {
    await shopper.add({ sku: honey.sku, quantity: 1 });
    const { order } = await shopper.checkout({ idempotencyKey: 'denied', email: 'denied@example.com' });
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 1 });
    callers[name] = { client: shopper.client, lineId: known(cart?.lines[0]).id, orderId: known(order).id };
  }
  known(callers['a customer']).accessToken = customer.accessToken;
  const [row] = await rowsOf<{ id: string }>(shop.db, 'SELECT id::text FROM stock_movements ORDER BY id LIMIT 1');
  movementId = globalId('StockMovement', known(row).id);
});
afterAll(() => shop.dispose());

const STAFFS = 'onHand held stockMovements(first: 1) { totalCount nodes { id } }';
const VARIANT = `sku available ${STAFFS}`;

describe.each([
  ['a guest', 'UNAUTHENTICATED'],
  ['a customer', 'FORBIDDEN'],
])('%s', (name, code) => {
  const caller = () => known(callers[name]);
  const refused = () => ({ sku: honey.sku, available: 96, onHand: null, held: null, stockMovements: null });
  /** The three fields of one variant, refused. */
  const three = [code, code, code];

  test.each<[string, () => [query: string, data: object]]>([
    [
      'a product',
      () => [
        `query { products { nodes { variants { ${VARIANT} } } } }`,
        { products: { nodes: [{ variants: [refused()] }] } },
      ],
    ],
    [
      'node',
      () => [`query { node(id: "${honey.globalId}") { ... on ProductVariant { ${VARIANT} } } }`, { node: refused() }],
    ],
    [
      'nodes',
      () => [
        `query { nodes(ids: ["${honey.globalId}"]) { ... on ProductVariant { ${VARIANT} } } }`,
        { nodes: [refused()] },
      ],
    ],
    [
      'a line of the cart',
      () => [
        `query { cart { lines { quantity variant { ${VARIANT} } } } }`,
        { cart: { lines: [{ quantity: 1, variant: refused() }] } },
      ],
    ],
    [
      'the node of a line',
      () => [
        `query { node(id: "${caller().lineId}") { ... on CartLine { variant { ${VARIANT} } } } }`,
        { node: { variant: refused() } },
      ],
    ],
    [
      'a line of an order',
      () => [
        `query { order(id: "${caller().orderId}") { lines { variant { ${VARIANT} } } } }`,
        { order: { lines: [{ variant: refused() }] } },
      ],
    ],
  ])('sees the rest of a variant through %s', async (_where, ask) => {
    const [query, data] = ask();
    const answer = await changingNothing(shop, () => caller().client.execute(query));
    expect([answer.status, answer.codes, answer.data]).toEqual([200, three, data]);
  });

  test('sees the rest of the variant that is short', async () => {
    const answer = await changingNothing(shop, () =>
      caller().client.execute(
        `mutation { cartLinesAdd(input: { lines: [{ sku: "${honey.sku}", quantity: 98 }] }) {
           errors { code ... on InsufficientStockError { variant { ${VARIANT} } } } } }`,
      ),
    );
    expect([answer.codes, answer.data]).toEqual([
      three,
      { cartLinesAdd: { errors: [{ code: 'INSUFFICIENT_STOCK', variant: refused() }] } },
    ]);
  });

  test('sees the rest of the variant in a subscription, event after event', async () => {
    await settled(shop);
    const socket = await openSocket(shop.wsUrl);
    try {
      const { accessToken } = caller();
      await socket.init(accessToken === undefined ? {} : { accessToken });
      socket.subscribe('1', `subscription { stockChanged { available variant { sku ${STAFFS} } } }`);
      await until('the subscription stands', () => listenersOf(shop) === 1);
      for (const [delta, available] of [
        [1, 97],
        [-1, 96],
      ] as const) {
        await stockKeeperOf(staff.client).adjust({ variantId: honey.globalId, delta, reason: 'CORRECTION' });
        const { payload } = await socket.messages.take();
        expect(payload?.errors?.map((error) => error.extensions?.code)).toEqual(three);
        expect(payload?.data).toEqual({
          stockChanged: {
            available,
            variant: { sku: honey.sku, onHand: null, held: null, stockMovements: null },
          },
        });
      }
    } finally {
      await socket.close();
      await until('the subscription is let go', () => listenersOf(shop) === 0);
    }
  });

  test('finds no entry of the ledger', async () => {
    const { client } = caller();
    const query = `query ($id: ID!) { node(id: $id) { id ... on StockMovement { onHandDelta variant { id } } } nodes(ids: [$id]) { id } }`;
    expect(await client.data(query, { id: movementId })).toEqual({ node: null, nodes: [null] });
  });

  test('gets no audit', async () => {
    const answer = await caller().client.execute(
      '{ inventoryAudit { checkedVariants discrepancies { expected } } serverTime }',
    );
    expect([answer.codes, answer.data]).toEqual([[code], { inventoryAudit: null, serverTime: expect.any(String) }]);
  });

  test('changes no stock, however it is asked', async () => {
    const adjust = { variantId: honey.globalId, delta: 5, reason: 'RESTOCK', idempotencyKey: newKey() };
    const answer = await changingNothing(shop, () =>
      caller().client.execute(
        `mutation ($adjust: StockAdjustInput!, $bad: StockAdjustInput!, $set: StockSetInput!) {
           adjust: stockAdjust(input: $adjust) { variant { id } errors { code } }
           bad: stockAdjust(input: $bad) { errors { code } }
           set: stockSet(input: $set) { variant { id } errors { code } }
         }`,
        {
          adjust,
          bad: { ...adjust, delta: 0 },
          set: { variantId: honey.globalId, onHand: 1000, expectedOnHand: 98 },
        },
      ),
    );
    expect([answer.codes, answer.data]).toEqual([[code, code, code], { adjust: null, bad: null, set: null }]);
  });
});

test('staff see all of it', async () => {
  const { data, codes } = await staff.client.execute(
    `query ($variant: ID!, $movement: ID!) {
       node(id: $variant) { ... on ProductVariant { sku available onHand held stockMovements(first: 1) { totalCount } } }
       movement: node(id: $movement) { ... on StockMovement { onHandDelta } }
     }`,
    { variant: honey.globalId, movement: movementId },
  );
  expect(codes).toEqual([]);
  expect(data).toMatchObject({
    node: { sku: honey.sku, available: 96, onHand: 98, held: 2, stockMovements: { totalCount: expect.any(Number) } },
    movement: { onHandDelta: 100 },
  });
});
