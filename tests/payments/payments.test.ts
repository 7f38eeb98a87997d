import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff, type Person } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { paymentDocuments, startPayment, syncPayment } from '../support/payer.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { createScriptedProvider, type ScriptedProvider } from '../support/scripted-provider.ts';
import { enter, rowId } from '../support/shopper.ts';

let provider: ScriptedProvider;
let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  provider = createScriptedProvider();
  const env = { PAYMENT_PROVIDERS: 'test,manual', BCRYPT_COST: '4' };
  shop = await openQuietShop(env, { paymentProviders: new Map([['test', provider]]) });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

/** A guest with units of one variant in the cart, and an address for letters. */
async function withCart({ price = 1000, quantity = 2, onHand = 10 } = {}) {
  const variant = await makeVariant(shop, { price, onHand });
  const shopper = await enter(shop);
  known((await shopper.add({ sku: variant.sku, quantity })).cart);
  await shopper.setEmail('payer@example.com');
  return { ...shopper, variant };
}

/** A guest whose payment the bank has approved, with the order that was placed for it. */
async function withOrder(of: Parameters<typeof withCart>[0] = {}) {
  const shopper = await withCart(of);
  const payment = await startPayment(shopper.client);
  provider.pay(rowId(payment.id));
  await syncPayment(shopper.client, payment.id);
  await settle(rowId(payment.id));
  const paid = known((await shopper.client.data(paymentDocuments.payment, { id: payment.id })).payment);
  return { ...shopper, paymentId: payment.id, order: known(paid.order) };
}

/** Does everything that a payment waits for, as the worker would. */
async function settle(paymentId: string): Promise<void> {
  const { payments } = shop.app.services;
  for (let open = true; open;) {
    const operations = await payments.operationsOf(paymentId);
    const due = operations.filter(({ state }) => ['QUEUED', 'UNKNOWN', 'SENT'].includes(state));
    for (const { id } of due) await payments.runOperation(id, true);
    open = due.some(({ state }) => state === 'QUEUED');
  }
}

const levelOf = async (variantId: string) =>
  rowsOf<{ on_hand: number; held: number }>(shop.db, 'SELECT on_hand, held FROM product_variants WHERE id = $1', [
    variantId,
  ]);
const money = (amount: string) => ({ amount });

/** Nothing that the shop keeps twice disagrees. */
async function expectSoundBooks(): Promise<void> {
  expect(await findFaults(shop.db)).toEqual([]);
  const { moneyAudit } = await staff.client.data(paymentDocuments.audit);
  expect(known(moneyAudit).discrepancies).toEqual([]);
}

describe('a payment', () => {
  test('pins the cart, places the order when the bank says yes, and is captured', async () => {
    const { client, variant, cart } = await withCart();
    const payment = await startPayment(client, { returnUrl: `${shop.url}/thanks` });
    expect(payment).toMatchObject({
      provider: 'test',
      state: 'PENDING',
      amount: money('20.00'),
      authorized: money('0.00'),
      order: null,
      failure: null,
      clientData: { redirectUrl: expect.stringContaining('/thanks#ref_') as string },
    });
    const { cart: pinned } = await client.data(paymentDocuments.cart);
    expect(pinned).toMatchObject({ status: 'ACTIVE', payment: { id: payment.id, state: 'PENDING' } });
    expect(new Date(known(known(pinned).expiresAt)).getTime() - new Date(known(payment.deadline)).getTime()).toBe(
      300_000,
    );

    provider.pay(rowId(payment.id));
    const paid = await syncPayment(client, payment.id);
    expect(paid).toMatchObject({
      state: 'AUTHORIZED',
      authorized: money('20.00'),
      clientData: null,
      order: { status: 'PLACED', paymentStatus: 'AUTHORIZED', total: money('20.00'), payments: [{ id: payment.id }] },
    });
    expect(await levelOf(variant.id)).toEqual([{ on_hand: 8, held: 0 }]);
    expect(await cart()).toBeNull();
    await settle(rowId(payment.id));
    const { payment: captured } = await client.data(paymentDocuments.payment, { id: payment.id });
    expect(captured).toMatchObject({ state: 'CAPTURED', captured: money('20.00'), order: { paymentStatus: 'PAID' } });
    expect(provider.of(rowId(payment.id))).toMatchObject({ state: 'CAPTURED', capturedMinor: 2000n });
    await expectSoundBooks();
  });

  test('that is declined can be tried again', async () => {
    const { client } = await withCart();
    const { id } = await startPayment(client);
    provider.decline(rowId(id));
    expect(await syncPayment(client, id)).toMatchObject({
      state: 'PENDING',
      failure: 'Your card was declined.',
      order: null,
    });
    provider.pay(rowId(id));
    expect(await syncPayment(client, id)).toMatchObject({
      state: 'AUTHORIZED',
      failure: null,
      order: { status: 'PLACED' },
    });
    await expectSoundBooks();
  });

  test('keeps the cart from being changed, until it is cancelled', async () => {
    const { client, add, variant, checkout } = await withCart();
    const { id } = await startPayment(client);
    for (const refused of [
      await add({ sku: variant.sku, quantity: 1 }),
      await checkout({ idempotencyKey: 'other' }),
      known(
        (await client.data(paymentDocuments.start, { input: { provider: 'test', idempotencyKey: 'other' } }))
          .paymentStart,
      ),
    ]) {
      expect(refused.errors).toMatchObject([{ code: 'PAYMENT_IN_PROGRESS' }]);
    }
    const { paymentCancel } = await client.data(paymentDocuments.cancel, { id });
    expect(paymentCancel).toMatchObject({ payment: { state: 'CANCELLED', order: null }, errors: [] });
    expect((await add({ sku: variant.sku, quantity: 1 })).errors).toEqual([]);
    expect(provider.of(rowId(id)).state).toBe('CANCELLED');
    await expectSoundBooks();
  });
});

describe('a refund', () => {
  test('of lines is what was paid for them, and the last unit brings the exact rest', async () => {
    const { order, client } = await withOrder({ price: 333, quantity: 3 });
    const lineId = known(order.lines[0]).id;
    const refund = async (quantity: number) =>
      known(
        (
          await staff.client.data(paymentDocuments.refund, {
            input: {
              orderId: order.id,
              idempotencyKey: crypto.randomUUID(),
              lines: [{ lineId, quantity, restock: true }],
            },
          })
        ).orderRefund,
      );
    expect(await refund(1)).toMatchObject({ refund: { state: 'SUCCEEDED', amount: money('3.33') }, errors: [] });
    expect(await refund(3)).toMatchObject({ refund: null, errors: [{ code: 'LIMIT_EXCEEDED' }] });
    expect(await refund(2)).toMatchObject({
      refund: { amount: money('6.66') },
      order: { paymentStatus: 'REFUNDED', refunds: [{ amount: money('3.33') }, { amount: money('6.66') }] },
    });
    expect((await client.data(paymentDocuments.cart)).cart).toBeNull();
    await expectSoundBooks();
  });

  test('of an order that is cancelled comes by itself', async () => {
    const { order, variant, paymentId } = await withOrder();
    await shop.app.services.orders.cancel(rowId(order.id), { by: 'SHOP' }, null);
    await settle(rowId(paymentId));
    expect(provider.of(rowId(paymentId)).refunds).toMatchObject([{ amountMinor: 2000n, state: 'SUCCEEDED' }]);
    expect(await levelOf(variant.id)).toEqual([{ on_hand: 10, held: 0 }]);
    await expectSoundBooks();
  });
});
