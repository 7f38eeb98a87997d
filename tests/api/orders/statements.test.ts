import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeVariant } from '../../support/fixtures.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId, type Shopper } from '../../support/shopper.ts';
import { recordStatements } from '../../support/statements.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

interface Answer {
  checkout: { order: { id: string; number: string; status: string; placedAt: string; total: { amount: string } } };
}

const COLUMNS = 'id number status placedAt updatedAt email paymentStatus total { amount } shippingAddress { city }';

async function buy({ client, add }: Shopper, fields: string) {
  const { sku } = await makeVariant(shop, { onHand: 10, price: 1050 });
  await add({ sku, quantity: 2 });
  const address = 'name: "Ada", line1: "Road 1", city: "Berlin", postalCode: "10115", countryCode: "DE"';
  const document = `mutation ($key: String!) { checkout(input: { idempotencyKey: $key, email: "ada@example.com",
    shippingAddress: { ${address} } }) { order { ${fields} } errors { code } } }`;
  return recordStatements(() => client.data<Answer, { key: string }>(document, { key: randomUUID() }), shop);
}

test('a checkout takes eleven statements, and its answer none unless more than the row of the order is asked for', async () => {
  const shopper = await enter(shop);
  const { result, statements } = await buy(shopper, COLUMNS);
  // (Statements on the log are not counted; see `recordStatements`.)
  const expected = [
    'guest_find',
    expect.stringMatching(/^BEGIN/) as string,
    ...['cart_lock_all_for_checkout', 'cart_batch_read', 'order_has_keys', 'catalog_variants_by_ids'],
    ...['orders_insert', 'inventory_apply', 'money_insert', 'cart_check_out', 'COMMIT'],
  ];
  expect(statements).toEqual(expected);
  const { order } = result.checkout;
  expect(order).toMatchObject({ status: 'PLACED', email: 'ada@example.com', total: { amount: '21.00' } });
  // What was answered is what can be read.
  const read = await shopper.client.data<{ node: unknown }, { id: string }>(
    `query ($id: ID!) { node(id: $id) { ... on Order { ${COLUMNS} } } }`,
    { id: order.id },
  );
  expect(read.node).toEqual(order);
  expect(await shop.app.services.orders.findByNumber(order.number)).toBe(rowId(order.id));

  const more = await buy(shopper, 'id lines { sku }');
  expect(more.statements.slice(0, expected.length)).toEqual(expected);
  expect(more.statements.length).toBeGreaterThan(expected.length);
});
