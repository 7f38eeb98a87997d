import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { rowsOf } from '../support/books.ts';
import { setPrice } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { paymentDocuments, startPayment, syncPayment } from '../support/payer.ts';
import {
  expectSoundBooks,
  factsOf,
  fill,
  ledgerOf,
  levelOf,
  openPayingShop,
  operationsOf,
  read,
  refund,
  settle,
  withCart,
  withOrder,
  withPayment,
  type PayingShop,
} from '../support/paying.ts';
import { pricesOf } from '../support/priced-cart.ts';
import { changePromotion, makePromotion } from '../support/pricing.ts';
import { rowId } from '../support/shopper.ts';

/*
 * Faults of other shops, from their public reports, that must be impossible here. Each test is named by what must not happen.
 */

let shop: PayingShop;
let other: PayingShop;
beforeAll(async () => {
  shop = await openPayingShop();
  other = await shop.another();
});
afterAll(async () => {
  await other.dispose();
  await shop.dispose();
});
afterEach(async () => {
  shop.between = () => Promise.resolve();
  await expectSoundBooks(shop);
});

/** What the provider sends: it names the payment, and nothing else of it is believed. */
async function receiveWebhook({ url, app, db }: PayingShop, reference: string): Promise<number> {
  const id = crypto.randomUUID();
  const response = await fetch(`${url}/webhooks/test`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-test-signature': 'signed' },
    body: JSON.stringify({ id, reference }),
  });
  const [delivery] = await rowsOf<{ id: string }>(db, 'SELECT id FROM webhook_deliveries WHERE delivery_key = $1', [
    id,
  ]);
  if (delivery !== undefined) await app.services.webhooks.apply(delivery.id);
  return response.status;
}

const capturesOf = (paymentId: string) =>
  shop.provider.calls.filter((call) => call === `capture ${shop.provider.of(paymentId).reference}`).length;

test('the provider acts, the transaction after it is rolled back, and nobody knows of the money (vendure #3680)', async () => {
  const { client, payment, paymentId } = await withPayment(shop);
  shop.provider.pay(paymentId);
  await syncPayment(client, payment.id);
  shop.between = (step) => (step === 'CALLED' ? Promise.reject(new Error('rolled back')) : Promise.resolve());
  await expect(settle(shop, paymentId)).rejects.toThrow('rolled back');
  expect(shop.provider.of(paymentId).capturedMinor).toBe(2000n);
  expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CAPTURE SENT']);
  await rowsOf(shop.db, 'UPDATE payment_operations SET lease_until = clock_timestamp() WHERE payment_id = $1', [
    paymentId,
  ]);
  await settle(other, paymentId);
  expect(await read(client, payment.id)).toMatchObject({ state: 'CAPTURED', order: { paymentStatus: 'PAID' } });
  expect(capturesOf(paymentId)).toBe(1);
});

test('a refund that failed counts as refunded (vendure #3152)', async () => {
  const { order, paymentId } = await withOrder(shop);
  shop.provider.failNext('refund', 'REFUSED');
  expect(await refund(shop, order.id, { amount: '20.00' })).toMatchObject({
    refund: { state: 'FAILED' },
    order: { paymentStatus: 'PAID' },
  });
  expect(await factsOf(shop, paymentId)).toMatchObject({ refunded: 0, pending: 0 });
});

test('a shopper is charged, and refused for want of stock then (vendure #2030, #3411)', async () => {
  const { variant, client, payment, paymentId } = await withPayment(shop, { onHand: 2, quantity: 2 });
  // The units are the payer's from before the payment on: nobody else can have them.
  const rival = await fill(shop, variant.sku, 1).catch((error: unknown) => String(error));
  expect(rival).toContain('INSUFFICIENT_STOCK');
  shop.provider.pay(paymentId);
  expect(await syncPayment(client, payment.id)).toMatchObject({ order: { status: 'PLACED' } });
  expect(await levelOf(shop, variant.id)).toEqual([0, 0]);
});

test('the total changes after the payment has begun (vendure #3269)', async () => {
  const promotion = await makePromotion(shop, { codes: ['ENDS-SOON'] });
  const shopper = await withCart(shop);
  await pricesOf(shopper).setCodes('ENDS-SOON');
  const payment = await startPayment(shopper.client);
  expect(payment.amount.amount).toBe('18.00');
  await setPrice(shop, shopper.variant.id, 5000);
  await changePromotion(shop, promotion.id, "ends_at = clock_timestamp() - interval '1 minute'");
  for (const refused of [
    await shopper.add({ sku: shopper.variant.sku, quantity: 1 }),
    await pricesOf(shopper).setCodes(),
    await shopper.setEmail('other@example.com'),
  ]) {
    expect(refused.errors).toMatchObject([{ code: 'PAYMENT_IN_PROGRESS' }]);
  }
  shop.provider.pay(rowId(payment.id));
  expect(await syncPayment(shopper.client, payment.id)).toMatchObject({
    authorized: { amount: '18.00' },
    order: { total: { amount: '18.00' } },
  });
});

test('webhook and browser complete one cart at once, and there are two orders (medusa #13301)', async () => {
  const { client, payment, paymentId, variant, token, cartId } = await withPayment(shop);
  shop.provider.pay(paymentId);
  const { reference } = shop.provider.of(paymentId);
  const elsewhere = other.client({ cartToken: token });
  await Promise.all([
    syncPayment(client, payment.id),
    receiveWebhook(shop, reference),
    syncPayment(elsewhere, payment.id),
    receiveWebhook(other, reference),
  ]);
  await settle(shop, paymentId);
  expect(await rowsOf(shop.db, 'SELECT id FROM orders WHERE cart_id = $1', [rowId(cartId)])).toHaveLength(1);
  expect(await levelOf(shop, variant.id)).toEqual([8, 0]);
  expect(capturesOf(paymentId)).toBe(1);
});

test('the amount that was paid is never compared with the total (medusa #16407)', async () => {
  const { client, payment, paymentId } = await withPayment(shop);
  Object.assign(shop.provider.of(paymentId), { amountMinor: 1n });
  shop.provider.pay(paymentId);
  expect(await syncPayment(client, payment.id)).toMatchObject({ order: null });
  await settle(shop, paymentId);
  expect(shop.provider.of(paymentId)).toMatchObject({ state: 'CANCELLED' });
  expect(await factsOf(shop, paymentId)).toMatchObject({ orderId: null, returnReason: 'AMOUNT_MISMATCH' });
});

test('a capture is counted twice (saleor #14648)', async () => {
  const { orderId, paymentId, payment, client } = await withOrder(shop);
  const { reference } = shop.provider.of(paymentId);
  await Promise.all([
    receiveWebhook(shop, reference),
    receiveWebhook(other, reference),
    syncPayment(client, payment.id),
  ]);
  expect(await factsOf(shop, paymentId)).toMatchObject({ captured: 2000 });
  expect(await ledgerOf(shop, { orderId })).toEqual({ CLEARING: 2000, SALES: -2000 });
});

test('the record of a failure is rolled back with its error (saleor #18196)', async () => {
  const { client, cartId, add, variant } = await withCart(shop);
  shop.provider.failNext('begin', 'REFUSED');
  const { paymentStart } = await client.data(paymentDocuments.start, {
    input: { provider: 'test', idempotencyKey: 'refused' },
  });
  const [row] = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM payments WHERE cart_id = $1', [rowId(cartId)]);
  const paymentId = known(row).id;
  expect(known(paymentStart).payment?.state ?? 'FAILED').toBe('FAILED');
  expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'FAILED', failure: 'Refused by the bank.' });
  expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN REFUSED']);
  // And the cart is the shopper's again.
  expect((await add({ sku: variant.sku, quantity: 1 })).errors).toEqual([]);
});

test('the provider is called again, though it has charged already (saleor #12229)', async () => {
  const { client, payment, paymentId } = await withPayment(shop);
  shop.provider.pay(paymentId);
  await syncPayment(client, payment.id);
  shop.provider.failNext('capture', 'LOST');
  await settle(shop, paymentId);
  await settle(shop, paymentId);
  expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'CAPTURED', captured: 2000 });
  expect(capturesOf(paymentId)).toBe(1);
});

test('three charges for one unit (openfoodnetwork #3925)', async () => {
  const { client, cartId, token } = await withCart(shop, { quantity: 1 });
  const elsewhere = other.client({ cartToken: token });
  const starts = await Promise.all(
    [client, elsewhere, client].map((caller) =>
      caller.data(paymentDocuments.start, { input: { provider: 'test', idempotencyKey: crypto.randomUUID() } }),
    ),
  );
  const answers = starts.map(({ paymentStart }) => known(paymentStart));
  expect(answers.flatMap(({ errors }) => errors.map(({ code }) => code))).toEqual([
    'PAYMENT_IN_PROGRESS',
    'PAYMENT_IN_PROGRESS',
  ]);
  const payments = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM payments WHERE cart_id = $1', [rowId(cartId)]);
  expect(payments).toHaveLength(1);
  expect(shop.provider.all().filter(({ paymentId }) => paymentId === payments[0]?.id)).toHaveLength(1);
});

test("a stranger's payment breaks the webhook (vendure #3249)", async () => {
  const { client, payment, paymentId } = await withPayment(shop);
  shop.provider.pay(paymentId);
  const attempt = {
    amountMinor: 100n,
    currency: 'EUR',
    email: '',
    description: '',
    returnUrl: shop.url,
    shopUrl: shop.url,
  };
  const { signal } = new AbortController();
  const { snapshot } = await shop.provider.begin(
    { ...attempt, paymentId: 'of another shop' },
    crypto.randomUUID(),
    signal,
  );
  expect(await receiveWebhook(shop, snapshot.reference)).toBe(202);
  expect(await receiveWebhook(shop, 'ref_unknown')).toBe(202);
  expect(await receiveWebhook(shop, shop.provider.of(paymentId).reference)).toBe(202);
  expect(await read(client, payment.id)).toMatchObject({ order: { status: 'PLACED' } });
  const statuses = await rowsOf<{ status: string }>(
    shop.db,
    'SELECT status FROM webhook_deliveries ORDER BY received_at DESC LIMIT 3',
  );
  expect(statuses.map(({ status }) => status)).toEqual(['APPLIED', 'SKIPPED', 'SKIPPED']);
});

test('more is refunded than came back (spree #14678)', async () => {
  const { order, lineId, paymentId, variant } = await withOrder(shop, { quantity: 2 });
  const lines = [{ lineId, quantity: 1, restock: true }];
  const answers = await Promise.all([shop, other, shop].map((node) => refund(node, order.id, { lines })));
  expect(answers.filter(({ errors }) => errors.length > 0).map(({ errors }) => errors[0]?.code)).toEqual([
    'LIMIT_EXCEEDED',
  ]);
  expect((await refund(shop, order.id, { amount: '0.01' })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  expect(await factsOf(shop, paymentId)).toMatchObject({ captured: 2000, refunded: 2000, pending: 0 });
  expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
});

test('an order that is refunded and cancelled then returns its units twice (prestashop #16869)', async () => {
  const { order, orderId, lineId, paymentId, variant } = await withOrder(shop, { quantity: 2 });
  await refund(shop, order.id, { lines: [{ lineId, quantity: 1, restock: true }] });
  expect(await levelOf(shop, variant.id)).toEqual([9, 0]);
  await shop.app.services.orders.cancel(orderId, { by: 'SHOP' }, null);
  await settle(shop, paymentId);
  expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
  const lines = [{ lineId, quantity: 1, restock: true }];
  expect((await refund(shop, order.id, { lines })).errors).not.toEqual([]);
  expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
  expect(await factsOf(shop, paymentId)).toMatchObject({ captured: 2000, refunded: 2000 });
});
