import { afterAll, beforeAll, expect, test } from 'vitest';
import { signId } from '../../../src/infra/signed-id.ts';
import { createSigner } from '../../../src/infra/signer.ts';
import { rowsOf } from '../../support/books.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { guestWithOrder } from '../../support/order-life.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { rowId } from '../../support/shopper.ts';
import { until } from '../../support/until.ts';

/** Links to orders: they end, and another one comes by mail. */

const DAY_MS = 86_400_000;

let shop: TestShop;
beforeAll(async () => {
  shop = await createTestShop({ env: { BCRYPT_COST: '4' } });
});
afterAll(() => shop.dispose());

async function placeOrder() {
  const { variants } = await makeProduct(shop.app);
  return guestWithOrder(shop, [{ sku: known(variants[0]).sku, quantity: 1 }]);
}

const seen = async (accessToken: string) =>
  (
    await shop
      .client()
      .data<{ order: { number: string } | null }>(
        'query ($accessToken: String!) { order(accessToken: $accessToken) { number } }',
        { accessToken },
      )
  ).order?.number ?? null;

const madeBefore = (orderId: string, days: number) =>
  shop.app.services.orders.accessToken(rowId(orderId), new Date(Date.now() - days * DAY_MS));

const request = async (input: object) =>
  (
    await shop
      .client()
      .data<{ orderLinkRequest: { accepted: boolean | null; errors: { reason: string }[] } }>(
        'mutation ($input: OrderLinkRequestInput!) { orderLinkRequest(input: $input) { accepted errors { reason } } }',
        { input },
      )
  ).orderLinkRequest;

const mailsTo = async (orderId: string) =>
  rowsOf<{ recipient: string }>(
    shop.db,
    `SELECT recipient FROM mails WHERE template = 'order-link' AND data ->> 'orderId' = $1`,
    [rowId(orderId)],
  );

test('a token grants its order for 180 days', async () => {
  const { order, accessToken } = await placeOrder();
  expect(await seen(accessToken)).toBe(order.number);
  expect(await seen(madeBefore(order.id, 179))).toBe(order.number);
  expect(await seen(madeBefore(order.id, 181))).toBeNull();
  const [id = '', , tag = ''] = madeBefore(order.id, 181).split('.');
  const [, end = ''] = accessToken.split('.');
  expect(await seen(`${id}.${end}.${tag}`)).toBeNull();
});

test('a token of an earlier version, which had no end, ends 180 days after the last change of its order', async () => {
  const { order } = await placeOrder();
  const token = signId(createSigner(shop.config.secrets), 'order access', rowId(order.id));
  expect(await seen(token)).toBe(order.number);
  await rowsOf(shop.db, `UPDATE orders SET updated_at = updated_at - interval '181 days' WHERE id = $1`, [
    rowId(order.id),
  ]);
  expect(await seen(token)).toBeNull();
});

test('another link comes by mail, to the address of the order, for an ended token or for number and address', async () => {
  const { order } = await placeOrder();
  const ended = madeBefore(order.id, 300);
  expect(await request({ accessToken: ended })).toEqual({ accepted: true, errors: [] });
  await until('the mail is written down', async () => (await mailsTo(order.id)).length === 1);
  expect(await mailsTo(order.id)).toEqual([{ recipient: order.email }]);
  expect(await request({ number: order.number, email: order.email.toUpperCase() })).toMatchObject({ accepted: true });
  await until('the second mail is written down', async () => (await mailsTo(order.id)).length === 2);

  // The answer does not reveal whether there is such an order.
  for (const input of [{ accessToken: 'x' }, { number: order.number, email: 'other@example.com' }]) {
    expect(await request(input)).toEqual({ accepted: true, errors: [] });
  }
  for (const input of [
    {},
    { number: order.number },
    { accessToken: ended, number: order.number, email: order.email },
  ]) {
    expect((await request(input)).errors).toMatchObject([{ reason: 'EITHER_OR' }]);
  }
  expect(await mailsTo(order.id)).toHaveLength(2);
});

test('the plain page of an ended link offers another one', async () => {
  const { order } = await placeOrder();
  const ended = madeBefore(order.id, 181);
  const path = `${shop.url}/mail/order`;
  const page = await fetch(`${path}?token=${encodeURIComponent(ended)}`);
  expect([page.status, await page.text()]).toEqual([410, expect.stringContaining('Send me a new link') as string]);
  const sent = await fetch(`${path}-link`, { method: 'POST', body: new URLSearchParams({ token: ended }) });
  expect([sent.status, await sent.text()]).toEqual([200, expect.stringContaining('We have sent a new link') as string]);
  await until('the mail is written down', async () => (await mailsTo(order.id)).length === 1);
  const none = await fetch(`${path}-link`, { method: 'POST', body: new URLSearchParams({ token: `${ended}x` }) });
  expect(none.status).toBe(404);
});
