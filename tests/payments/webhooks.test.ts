import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { paymentDocuments, startPayment } from '../support/payer.ts';
import {
  expectSoundBooks,
  factsOf,
  openPayingShop,
  operationsOf,
  read,
  settle,
  withCart,
  withOrder,
  withPayment,
  type PayingShop,
} from '../support/paying.ts';
import { rowId } from '../support/shopper.ts';
import { STRIPE_KEY, STRIPE_WEBHOOK_SECRET } from '../support/stripe-server.ts';
import { recordWebhooks, type WebhookRecorder } from '../support/webhook-recorder.ts';
import { openStripeProvider } from './stripe-driver.ts';

let recorder: WebhookRecorder;
let stripe: Awaited<ReturnType<typeof openStripeProvider>>;
let shop: PayingShop;
beforeAll(async () => {
  recorder = await recordWebhooks();
  stripe = await openStripeProvider(recorder);
  const env = {
    STRIPE_SECRET_KEY: STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET,
    PAYMENT_PROVIDERS: 'stripe,test,manual',
    SHOP_CURRENCY: 'EUR',
  };
  shop = await openPayingShop(env, [stripe.provider]);
});
afterAll(async () => {
  await shop.dispose();
  await stripe.dispose();
  await recorder[Symbol.asyncDispose]();
});

interface Delivery {
  id: string;
  status: string;
  attempts: number;
}

async function post(source: string, headers: Record<string, string>, body: string): Promise<number> {
  const response = await fetch(`${shop.url}/webhooks/${source}`, { method: 'POST', headers, body });
  await response.body?.cancel();
  return response.status;
}

/** Tries deliveries that wait, as the job would; gives what became of all that are about a payment. */
async function applyAll(reference: string): Promise<string[]> {
  const all = () =>
    rowsOf<Delivery>(shop.db, 'SELECT id, status FROM webhook_deliveries WHERE subject = $1 ORDER BY received_at, id', [
      reference,
    ]);
  for (const { id, status } of await all())
    if (status === 'PENDING') await shop.app.services.webhooks.apply(id).catch(() => {});
  return (await all()).map(({ status }) => status);
}

/** Everything that a webhook could change. */
const stateOf = () =>
  rowsOf(
    shop.db,
    `SELECT (SELECT jsonb_agg(to_jsonb(p) ORDER BY id) FROM payments p) AS payments, (SELECT jsonb_agg(to_jsonb(o) ORDER BY id) FROM orders o) AS orders,
            (SELECT jsonb_agg(to_jsonb(c) ORDER BY id) FROM carts c) AS carts, (SELECT count(*)::int FROM money_entries) AS entries,
            (SELECT jsonb_agg(to_jsonb(r) ORDER BY id) FROM refunds r) AS refunds, (SELECT jsonb_agg(to_jsonb(d) ORDER BY id) FROM disputes d) AS disputes,
            (SELECT jsonb_agg(to_jsonb(x) ORDER BY id) FROM payment_operations x) AS operations`,
  );

describe('a webhook of Stripe', () => {
  async function paying() {
    const paying_ = await withPayment(shop, { input: { provider: 'stripe' } });
    const [row] = await rowsOf<{ reference: string }>(shop.db, 'SELECT reference FROM payments WHERE id = $1', [
      paying_.paymentId,
    ]);
    return { ...paying_, reference: known(row).reference };
  }
  type Event = Record<string, unknown> & { data: { object: Record<string, unknown> } };
  const eventOf = (reference: string, id?: string) =>
    JSON.parse(stripe.eventBody(reference, id === undefined ? {} : { id })) as Event;
  const signed = (body: string, options: Parameters<typeof stripe.sign>[1] = {}) =>
    stripe.sign(body, options).headers as Record<string, string>;
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

  test.each<[string, number, (event: Event) => { body: string; headers: Record<string, string> }]>([
    [
      'that is signed with another secret',
      401,
      (event) => ({
        body: JSON.stringify(event),
        headers: signed(JSON.stringify(event), { secret: 'whsec_of_another' }),
      }),
    ],
    [
      'that is not signed',
      401,
      (event) => ({ body: JSON.stringify(event), headers: { 'content-type': 'application/json' } }),
    ],
    [
      'that was changed after it was signed',
      401,
      (event) => ({ body: JSON.stringify({ ...event, id: 'evt_other' }), headers: signed(JSON.stringify(event)) }),
    ],
    [
      'that was signed more than five minutes ago',
      401,
      (event) => ({ body: JSON.stringify(event), headers: signed(JSON.stringify(event), { at: minutesAgo(6) }) }),
    ],
    [
      'of more than 1 MB',
      413,
      (event) => {
        const body = JSON.stringify({ ...event, padding: 'x'.repeat(1_000_000) });
        return { body, headers: signed(body) };
      },
    ],
    [
      'of another account',
      202,
      (event) => {
        const body = JSON.stringify({ ...event, account: 'acct_another' });
        return { body, headers: signed(body) };
      },
    ],
    [
      'of live payments, where the key is for tests',
      202,
      (event) => {
        const body = JSON.stringify({ ...event, livemode: true });
        return { body, headers: signed(body) };
      },
    ],
    [
      "of a stranger's payment",
      202,
      (event) => {
        const body = JSON.stringify({
          ...event,
          data: { object: { ...event.data.object, id: 'pi_stranger', metadata: {} } },
        });
        return { body, headers: signed(body) };
      },
    ],
    [
      'that cannot be read',
      400,
      () => {
        const body = '{"id":';
        return { body, headers: signed(body) };
      },
    ],
  ])('%s changes nothing: %i', async (_what, status, make) => {
    const { reference } = await paying();
    // Were it believed or acted on, an order would be placed: the bank has agreed.
    stripe.server.books.approve(reference);
    const { body, headers } = make(eventOf(reference));
    const before = await stateOf();
    const deliveries = await rowsOf(shop.db, 'SELECT id FROM webhook_deliveries');
    expect(await post('stripe', headers, body)).toBe(status);
    expect(await applyAll(reference)).toEqual([]);
    expect(await rowsOf(shop.db, 'SELECT id FROM webhook_deliveries')).toEqual(deliveries);
    expect(await stateOf()).toEqual(before);
  });

  test('of another version of the API is not believed: what the provider says when it is asked counts', async () => {
    const { reference, paymentId } = await paying();
    const event = eventOf(reference);
    const object = { ...event.data.object, status: 'succeeded', amount: 1, amount_received: 2000 };
    const body = JSON.stringify({
      ...event,
      api_version: '2014-01-31',
      type: 'payment_intent.succeeded',
      data: { object },
    });
    expect(await post('stripe', signed(body), body)).toBe(202);
    expect(await applyAll(reference)).toEqual(['APPLIED']);
    expect(await factsOf(shop, paymentId)).toMatchObject({
      state: 'PENDING',
      authorized: 0,
      captured: 0,
      orderId: null,
    });
  });

  test('that comes twice is stored once, and one that is replayed later changes nothing', async () => {
    const { reference, payment, client, paymentId } = await paying();
    stripe.server.books.approve(reference);
    const body = JSON.stringify(eventOf(reference, `evt_${paymentId}`));
    expect(await Promise.all([post('stripe', signed(body), body), post('stripe', signed(body), body)])).toEqual([
      202, 202,
    ]);
    expect(await applyAll(reference)).toEqual(['APPLIED']);
    await settle(shop, paymentId);
    expect(await read(client, payment.id)).toMatchObject({ state: 'CAPTURED', order: { paymentStatus: 'PAID' } });
    const before = await stateOf();
    expect(await post('stripe', signed(body), body)).toBe(202);
    const renamed = JSON.stringify(eventOf(reference, `evt_again_${paymentId}`));
    expect(await post('stripe', signed(renamed), renamed)).toBe(202);
    expect(await applyAll(reference)).toEqual(['APPLIED', 'APPLIED']);
    expect(await stateOf()).toEqual(before);
    await expectSoundBooks(shop);
  });
});

describe('webhooks', () => {
  const deliver = async (reference: string, id: string = crypto.randomUUID()) =>
    post(
      'test',
      { 'content-type': 'application/json', 'x-test-signature': 'signed' },
      JSON.stringify({ id, reference }),
    );

  test('in any order, twice, at once and late give the same books', async () => {
    const { orderId, paymentId } = await withOrder(shop, { input: { provider: 'test' } });
    const { reference } = shop.provider.of(paymentId);
    const books = shop.provider.of(paymentId);
    books.refunds.push({ reference: 're_1', refundId: null, amountMinor: 300n, state: 'PENDING', failure: null });
    await Promise.all([deliver(reference, 'b'), deliver(reference, 'a'), deliver(reference, 'b')]);
    Object.assign(known(books.refunds[0]), { state: 'SUCCEEDED' });
    await Promise.all([deliver(reference, 'a'), deliver(reference, 'c')]);
    const ids = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM webhook_deliveries WHERE subject = $1', [
      reference,
    ]);
    expect(ids).toHaveLength(3);
    // Each is applied twice, and all at the same time.
    await Promise.all([...ids, ...ids].map(({ id }) => shop.app.services.webhooks.apply(id)));
    expect(await factsOf(shop, paymentId)).toMatchObject({ captured: 2000, refunded: 300, pending: 0 });
    const entries = await rowsOf(shop.db, `SELECT FROM money_entries WHERE order_id = $1 AND reason = 'REFUNDED'`, [
      orderId,
    ]);
    expect(entries).toHaveLength(2);
    await expectSoundBooks(shop);
  });

  test('that come before the answer to the beginning place the order', async () => {
    const { client, cartId } = await withCart(shop);
    let go = () => {};
    const answered = new Promise<void>((resolve) => {
      go = resolve;
    });
    const begun = new Promise<string>((resolve) => {
      shop.between = async (step, operationId) => {
        if (step !== 'CALLED') return;
        resolve(operationId);
        await answered;
      };
    });
    const starting = startPayment(client, { idempotencyKey: 'slow' });
    await begun;
    const [row] = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM payments WHERE cart_id = $1', [rowId(cartId)]);
    const paymentId = known(row).id;
    expect(await rowsOf(shop.db, 'SELECT reference FROM payments WHERE id = $1', [paymentId])).toEqual([
      { reference: null },
    ]);
    shop.provider.pay(paymentId);
    const { reference } = shop.provider.of(paymentId);
    expect(await deliver(reference)).toBe(202);
    expect(await applyAll(reference)).toEqual(['APPLIED']);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'AUTHORIZED', authorized: 2000 });
    shop.between = () => Promise.resolve();
    go();
    expect(await starting).toMatchObject({ order: { status: 'PLACED' } });
    await settle(shop, paymentId);
    expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CAPTURE DONE']);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'CAPTURED', captured: 2000 });
    expect(shop.provider.all().filter((payment) => payment.paymentId === paymentId)).toHaveLength(1);
    await expectSoundBooks(shop);
  });

  test('wait while the provider does not answer, and are applied afterwards', async () => {
    const { client, payment, paymentId } = await withPayment(shop, { input: { provider: 'test' } });
    shop.provider.pay(paymentId);
    const { reference } = shop.provider.of(paymentId);
    shop.provider.failNext('fetch', 'UNREACHABLE');
    await deliver(reference);
    expect(await applyAll(reference)).toEqual(['PENDING']);
    expect(await read(client, payment.id)).toMatchObject({ order: null });
    expect(await applyAll(reference)).toEqual(['APPLIED']);
    expect(await read(client, payment.id)).toMatchObject({ order: { status: 'PLACED' } });
  });

  test.each(['of no payment', 'with what is no ID', 'of another payment of the shop'])(
    'of a payment whose metadata are %s are skipped',
    async (what) => {
      const { paymentId, payment, client } = await withPayment(shop, { input: { provider: 'test' } });
      const named = { 'of no payment': crypto.randomUUID(), 'with what is no ID': "'; --" }[what] ?? paymentId;
      const attempt = {
        amountMinor: 2000n,
        currency: 'EUR',
        email: '',
        description: '',
        returnUrl: shop.url,
        shopUrl: shop.url,
      };
      const { signal } = new AbortController();
      const { snapshot } = await shop.provider.begin({ ...attempt, paymentId: named }, crypto.randomUUID(), signal);
      const before = await stateOf();
      await deliver(snapshot.reference);
      expect(await applyAll(snapshot.reference)).toEqual(['SKIPPED']);
      expect(await stateOf()).toEqual(before);
      expect(await read(client, payment.id)).toMatchObject({ state: 'PENDING' });
    },
  );

  test('to a source that there is not are not found', async () => {
    expect(await post('nobody', { 'content-type': 'application/json' }, '{}')).toBe(404);
  });

  test('of a provider that is no longer offered are taken: its open payments go on', async () => {
    const { paymentId, client, payment } = await withPayment(shop, { input: { provider: 'test' } });
    const without = await shop.another({ PAYMENT_PROVIDERS: 'manual' });
    try {
      shop.provider.pay(paymentId);
      const body = JSON.stringify({ id: crypto.randomUUID(), reference: shop.provider.of(paymentId).reference });
      const headers = { 'content-type': 'application/json', 'x-test-signature': 'signed' };
      expect((await fetch(`${without.url}/webhooks/test`, { method: 'POST', headers, body })).status).toBe(202);
      expect(await applyAll(shop.provider.of(paymentId).reference)).toEqual(['APPLIED']);
      await settle(without, paymentId);
      expect(await read(client, payment.id)).toMatchObject({ state: 'CAPTURED', order: { paymentStatus: 'PAID' } });
      const { client: late } = await withCart(without);
      const { paymentStart } = await late.data(paymentDocuments.start, {
        input: { provider: 'test', idempotencyKey: 'a' },
      });
      expect(paymentStart).toMatchObject({ errors: [{ code: 'NOT_FOUND' }] });
    } finally {
      await without.dispose();
    }
  });
});
