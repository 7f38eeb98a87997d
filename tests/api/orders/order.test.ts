import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { OrderLookupQueryVariables, ShopperOrderFragment } from '../../generated/gql/graphql.ts';
import type { Client } from '../../support/client.ts';
import { globalId, makeVariant, setPrice } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter } from '../../support/shopper.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const Lookup = graphql(`
  query OrderLookup($id: ID, $accessToken: String, $number: String, $email: String) {
    order(id: $id, accessToken: $accessToken, number: $number, email: $email) {
      ...ShopperOrder
    }
  }
`);

const address = {
  name: 'Ada Baker',
  line1: '1 Hive Lane',
  line2: null,
  city: 'Honeyton',
  region: null,
  postalCode: 'HN1 2EE',
  countryCode: 'GB',
};

/** A guest with an order. */
async function withOrder(email = 'Ada.Baker@Example.com') {
  const honey = await makeVariant(shop, { title: 'Heather', price: 450, onHand: 20 });
  const shopper = await enter(shop);
  await shopper.add({ sku: honey.sku, quantity: 2 });
  const { order } = await shopper.checkout({ idempotencyKey: 'order', email, shippingAddress: address });
  return { ...shopper, honey, order: known(order), token: known(order?.accessToken), guestToken: shopper.token };
}

const lookUp = async (by: OrderLookupQueryVariables, client: Client = shop.client()) =>
  (await client.data(Lookup, by)).order;

/** What the order shows to who knows its number and its e-mail. */
const guarded = (order: ShopperOrderFragment) => ({ ...order, shippingAddress: null, accessToken: null });

describe('an order', () => {
  test('is as it was bought, whatever becomes of the catalogue', async () => {
    const { order, client, honey } = await withOrder();
    await setPrice(shop, honey.id, 9900);
    await shop.db.query({ name: 'test_rename', text: `UPDATE products SET title = 'Renamed' WHERE id = $1` }, [
      honey.productId,
    ]);
    expect(await lookUp({ id: order.id }, client)).toEqual(order);
    expect(order).toMatchObject({
      total: { amount: '9.00' },
      lines: [{ title: 'Heather', sku: honey.sku, quantity: 2 }],
    });
  });

  test('is found by its access token, by anyone', async () => {
    const { order, token } = await withOrder();
    expect(await lookUp({ accessToken: token })).toEqual(order);
    expect(await lookUp({ accessToken: token }, (await enter(shop)).client)).toEqual(order);
  });

  test('is not found by a token that was tampered with', async () => {
    const { token } = await withOrder();
    const [id = '', tag = ''] = token.split('.');
    const flipped = (text: string, at: number) =>
      text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const wrong = [
      flipped(token, 0),
      flipped(token, 10),
      `${id}.${flipped(tag, 0)}`,
      `${id}.${flipped(tag, 20)}`,
      `${id}.`,
      `.${tag}`,
      id,
      `${id}${tag}`,
      `${tag}.${id}`,
      `${token}A`,
      ` ${token}`,
      `${token}\n`,
      token.toLowerCase(),
      '',
      'x'.repeat(10_000),
      '\u0000',
    ];
    for (const accessToken of wrong) expect([accessToken, await lookUp({ accessToken })]).toEqual([accessToken, null]);
  });

  test('is not found by the token of another', async () => {
    const [one, other] = [await withOrder(), await withOrder()];
    expect((await lookUp({ accessToken: other.token }))?.id).toBe(other.order.id);
    const [id] = one.token.split('.');
    const [, tag] = other.token.split('.');
    expect(await lookUp({ accessToken: `${id}.${tag}` })).toBeNull();
  });

  test('is found by its ID by its guest alone', async () => {
    const { order, client } = await withOrder();
    expect(await lookUp({ id: order.id }, client)).toEqual(order);
    expect(await lookUp({ id: order.id }, (await enter(shop)).client)).toBeNull();
    expect(await lookUp({ id: order.id })).toBeNull();
    expect(await lookUp({ id: globalId('Order', uuid()) }, client)).toBeNull();
  });

  test('is found by number and e-mail, but for the address and the access token', async () => {
    const { order, token } = await withOrder();
    const expected = guarded(order);
    for (const email of [
      'Ada.Baker@Example.com',
      'ada.baker@example.com',
      'ADA.BAKER@EXAMPLE.COM',
      ' ada.baker@example.com ',
    ]) {
      expect([email, await lookUp({ number: order.number, email })]).toEqual([email, expected]);
    }
    const stranger = (await enter(shop)).client;
    expect(await lookUp({ number: order.number, email: order.email }, stranger)).toEqual(expected);
    expect(JSON.stringify(expected)).not.toContain(token);
  });

  test('is not found by a number or an e-mail that is not its own', async () => {
    const [one, other] = [await withOrder(), await withOrder('someone@example.com')];
    const wrong = [
      { number: one.order.number, email: other.order.email },
      { number: one.order.number, email: '' },
      { number: one.order.number, email: '%' },
      { number: one.order.number, email: 'ada.baker@example.com\u0000' },
      { number: one.order.number, email: 'ada.baker@example.co' },
      { number: '1', email: one.order.email },
      { number: '', email: one.order.email },
      { number: `${one.order.number} OR 1=1`, email: one.order.email },
      { number: `${one.order.number}1`, email: one.order.email },
      { number: `${one.order.number}.0`, email: one.order.email },
      { number: '9'.repeat(15), email: one.order.email },
      { number: '9'.repeat(30), email: one.order.email },
      { number: '\u0000', email: one.order.email },
    ];
    for (const by of wrong) expect([by, await lookUp(by)]).toEqual([by, null]);
  });

  test('its guest sees all of it, by whatever it was found', async () => {
    const { order, client, token } = await withOrder();
    expect(await lookUp({ number: order.number, email: order.email }, client)).toEqual(order);
    expect(await lookUp({ accessToken: token }, client)).toEqual(order);
  });

  test('shows the address to the token, not to the number, in one and the same request', async () => {
    const [one, other] = [await withOrder(), await withOrder()];
    const Both = graphql(`
      query OrderBothWays($accessToken: String!, $number: String!, $email: String!) {
        byToken: order(accessToken: $accessToken) {
          number
          shippingAddress {
            city
          }
        }
        byNumber: order(number: $number, email: $email) {
          number
          accessToken
          shippingAddress {
            city
          }
        }
      }
    `);
    const { number, email } = other.order;
    expect(await shop.client().data(Both, { accessToken: one.token, number, email })).toEqual({
      byToken: { number: one.order.number, shippingAddress: { city: 'Honeyton' } },
      byNumber: { number, accessToken: null, shippingAddress: null },
    });
  });

  test.each([
    ['its type', '__typename', { __typename: 'Order' }],
    ['its number', 'number', { number: expect.any(String) as string }],
    ['what is reckoned', 'totalQuantity', { totalQuantity: 2 }],
    ['its history', 'history { to }', { history: [{ to: 'PLACED' }] }],
    ['the address', 'shippingAddress { city }', { shippingAddress: { city: 'Honeyton' } }],
    ['the token', 'accessToken', { accessToken: expect.any(String) as string }],
    [
      'lines, once with their prices and once without',
      'lines { sku } again: lines { total { amount } }',
      { lines: [{ sku: expect.any(String) as string }], again: [{ total: { amount: '9.00' } }] },
    ],
  ])('may be asked for %s alone', async (_what, selection, expected) => {
    const { order, client, token } = await withOrder();
    const ways = [`id: "${order.id}"`, `accessToken: "${token}"`, `number: "${order.number}", email: "${order.email}"`];
    for (const by of ways) {
      const answer = await client.execute(`{ order(${by}) { ${selection} } }`);
      expect({ data: answer.data, errors: answer.errors }).toEqual({ data: { order: expected }, errors: undefined });
    }
  });
});

test('an order must be asked for in one way', async () => {
  const { order, token, client } = await withOrder();
  const id = order.id;
  const accessToken = token;
  const { number, email } = order;
  const wrong: OrderLookupQueryVariables[] = [
    {},
    { id: null, accessToken: null, number: null, email: null },
    { number },
    { email },
    { id, accessToken },
    { id, number, email },
    { id, email },
    { accessToken, number, email },
    { accessToken, number },
    { id, accessToken, number, email },
  ];
  for (const by of wrong) {
    const answer = await client.execute(Lookup, by);
    expect({ by, data: answer.data, status: answer.status }).toEqual({ by, data: { order: null }, status: 200 });
    expect(answer.errors).toMatchObject([
      {
        message: 'Specify `id`, `accessToken`, or `number` and `email`.',
        path: ['order'],
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
  }
});
