import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paymentsReconcile } from '../../src/commands/payments-reconcile.ts';
import type { TestProvider } from '../../src/modules/payments/providers/test/test-provider.types.ts';
import { createTestWebhooks, SIGNATURE_HEADER } from '../../src/modules/payments/providers/test/test-webhook.ts';
import { newStaff, type Person } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { callCommand } from '../support/command.ts';
import { makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { paymentDocuments, startPayment } from '../support/payer.ts';
import { newDataDir } from '../support/shop-process.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { enter, rowId } from '../support/shopper.ts';
import type { StripeBooks } from '../support/stripe-books.ts';
import { startStripeServer, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeServer } from '../support/stripe-server.ts';
import { until } from '../support/until.ts';

/*
 * Payments on their whole way, with nothing in the place of anything: the shop with its jobs, the provider with its books and
 * webhooks over HTTP. Nobody asks the shop to look (`paymentSync`): what happens, happens by webhooks and operations.
 */

const SECRET = 'a secret of tests that is long enough';

let shop: TestShop & World;
let staff: Person;
let bank: TestProvider;
let stripe: StripeServer;
let books: StripeBooks;
beforeAll(async () => {
  stripe = await startStripeServer();
  ({ books } = stripe);
  const opened = await createTestShop({
    env: {
      ...{ PAYMENT_PROVIDERS: 'stripe,test,manual', BCRYPT_COST: '4', JWT_SECRET: SECRET },
      ...{ STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL: stripe.url },
    },
  });
  shop = { ...opened, eventLog: opened.app.eventLog };
  stripe.webhookUrl = `${shop.url}/webhooks/stripe`;
  bank = known(shop.app.services.paymentProviders.test);
  staff = await newStaff(shop);
});
afterAll(async () => {
  await shop.dispose();
  await stripe[Symbol.asyncDispose]();
});

/** A guest who has begun to pay 20.00 for two units of ten. */
async function begin(provider: 'test' | 'stripe') {
  const variant = await makeVariant(shop, { price: 1000, onHand: 10 });
  const shopper = await enter(shop);
  known((await shopper.add({ sku: variant.sku, quantity: 2 })).cart);
  await shopper.setEmail('payer@example.com');
  const payment = await startPayment(shopper.client, { provider });
  const read = async () => known((await shopper.client.data(paymentDocuments.payment, { id: payment.id })).payment);
  const begun = await until('the payment has begun', async () => {
    const [row] = await rowsOf<{ reference: string | null }>(shop.db, 'SELECT reference FROM payments WHERE id = $1', [
      rowId(payment.id),
    ]);
    return row?.reference;
  });
  const reach = async (state: string, status?: string) =>
    known(
      await until(`the payment is ${state}, and its order ${status ?? 'whatever'}`, async () => {
        // The rows are asked for first. What the owner sees costs ten times as much, and comes from several statements: the payment
        // of one moment, and the order of a later one.
        const [row] = await rowsOf(
          shop.db,
          `SELECT FROM payments p LEFT JOIN orders o ON o.id = p.order_id
            WHERE p.id = $1 AND p.state::text = $2 AND ($3::text IS NULL OR o.payment_status::text = $3)`,
          [rowId(payment.id), state, status ?? null],
        );
        if (row === undefined) return null;
        const now = await read();
        return now.state === state && (status === undefined || now.order?.paymentStatus === status) ? now : null;
      }),
    );
  const levels = async () => {
    const text = 'SELECT on_hand AS "onHand", held FROM product_variants WHERE id = $1';
    return (await rowsOf<{ onHand: number; held: number }>(shop.db, text, [variant.id]))[0];
  };
  const ofStaff = async () => known((await staff.client.data(paymentDocuments.staff, { id: payment.id })).payment);
  return { ...shopper, payment, reference: known(begun), read, reach, levels, ofStaff };
}

/** Posts an outcome to the pay page, as a script or a browser does. */
async function choose(reference: string, outcome: string): Promise<void> {
  const body = new URLSearchParams({ outcome });
  const { status } = await fetch(`${shop.url}/pay/test/${reference}`, { method: 'POST', body, redirect: 'manual' });
  expect(status).toBe(303);
}

/** Everything that the shop knows twice agrees, and the shop agrees with the bank. */
async function expectSoundBooks(): Promise<void> {
  expect(await findFaults(shop.db)).toEqual([]);
  const { moneyAudit } = await staff.client.data(paymentDocuments.audit);
  expect(known(moneyAudit).discrepancies).toEqual([]);
}

const money = (amount: string) => ({ amount });

describe('with the test provider', () => {
  test.each(['pay', 'lose-answer', 'duplicate', 'reorder'])(
    '%s places one order and captures once',
    async (outcome) => {
      const { payment, reference, reach, levels } = await begin('test');
      expect(known(payment.clientData).redirectUrl).toBe(`${shop.url}/pay/test/${reference}`);
      await choose(reference, outcome);
      const paid = await reach('CAPTURED', 'PAID');
      expect(paid).toMatchObject({ captured: money('20.00'), order: { status: 'PLACED', total: money('20.00') } });
      expect(await levels()).toEqual({ onHand: 8, held: 0 });
      expect(await bank.fetch(reference, new AbortController().signal)).toMatchObject({ capturedMinor: 2000n });
      await expectSoundBooks();
    },
  );

  test('decline leaves the payment open, and the next attempt places the order', async () => {
    const { reference, reach, read } = await begin('test');
    await choose(reference, 'decline');
    await until('the shop knows', async () => (await read()).failure === 'The bank declined the payment.');
    expect(await read()).toMatchObject({ state: 'PENDING', order: null });
    await choose(reference, 'challenge');
    await choose(reference, 'confirm');
    expect(await reach('CAPTURED', 'PAID')).toMatchObject({ failure: null });
    await expectSoundBooks();
  });

  test('pay-late places the order at once, and captures when the bank has agreed', async () => {
    const { reference, reach } = await begin('test');
    await choose(reference, 'pay-late');
    const { order } = await reach('PROCESSING');
    await bank.settleLate(reference);
    const paid = await reach('CAPTURED', 'PAID');
    expect(paid.order?.id).toBe(order?.id);
    await expectSoundBooks();
  });

  test('fail-late cancels the order, and its units come back', async () => {
    const { reference, reach, levels, read } = await begin('test');
    await choose(reference, 'fail-late');
    await until('the order is placed', async () => (await read()).order?.status === 'PLACED');
    await bank.settleLate(reference);
    await reach('FAILED');
    expect((await read()).order).toMatchObject({ status: 'CANCELLED' });
    expect(await levels()).toEqual({ onHand: 10, held: 0 });
    await expectSoundBooks();
  });

  test('a dispute is shown to staff, and so is its end', async () => {
    const { reference, reach, ofStaff } = await begin('test');
    await choose(reference, 'dispute');
    await reach('CAPTURED');
    const disputed = async (state: string) =>
      until(`the dispute is ${state}`, async () => (await ofStaff()).disputes?.[0]?.state === state);
    await disputed('OPEN');
    await choose(reference, 'lose-dispute');
    await disputed('LOST');
    expect((await ofStaff()).disputes).toMatchObject([{ state: 'LOST', amount: money('20.00') }]);
    await expectSoundBooks();
  });

  test('a refund that the bank sends back is no refund any more', async () => {
    const { reference, reach } = await begin('test');
    await choose(reference, 'pay');
    const { order } = await reach('CAPTURED', 'PAID');
    const input = { orderId: known(order).id, amount: '5.00', reason: 'Broken', idempotencyKey: randomUUID() };
    await staff.client.data(paymentDocuments.refund, { input });
    const refunded = await until('the refund is done', async () => {
      const { refunds } = await bank.fetch(reference, new AbortController().signal);
      return refunds[0];
    });
    await reach('CAPTURED', 'PARTIALLY_REFUNDED');
    await bank.failRefund(reference, known(refunded).reference);
    expect((await reach('CAPTURED', 'PAID')).refunded).toEqual(money('0.00'));
    await expectSoundBooks();
  });
});

describe('with Stripe', () => {
  test('a payment is authorized, placed and captured, whatever the order and number of its webhooks', async () => {
    const { reference, reach, levels } = await begin('stripe');
    books.approve(reference);
    expect(await stripe.deliver({ copies: 2, reverse: true })).toBe(0);
    await reach('CAPTURED', 'PAID');
    expect(await stripe.deliver({ copies: 2, reverse: true })).toBe(0);
    expect(await levels()).toEqual({ onHand: 8, held: 0 });
    expect(books.intent(reference)).toMatchObject({ status: 'succeeded', amount_received: 2000 });
    await expectSoundBooks();
  });

  test('a capture whose answer was lost is looked up and not repeated', async () => {
    const { reference, reach } = await begin('stripe');
    books.approve(reference);
    stripe.troubleNext('LOSE', 'POST');
    await stripe.deliver();
    await reach('AUTHORIZED');
    await until('the capture was asked for', () => books.intent(reference).status === 'succeeded');
    // The webhook of the capture reports it, before the operation is looked at again.
    await stripe.deliver();
    await reach('CAPTURED', 'PAID');
    const captures = stripe.asked.filter(({ path }) => path === `/v1/payment_intents/${reference}/capture`);
    expect(captures).toHaveLength(1);
    await expectSoundBooks();
  });

  test('a refund and a dispute that were made at Stripe are taken over', async () => {
    const { reference, reach, ofStaff } = await begin('stripe');
    books.approve(reference);
    await stripe.deliver();
    await reach('CAPTURED', 'PAID');
    books.refund({ payment_intent: reference, amount: '500' });
    books.dispute(reference, { amount: 1500 });
    await stripe.deliver();
    const { refunded } = await reach('CAPTURED', 'PARTIALLY_REFUNDED');
    expect(refunded).toEqual(money('5.00'));
    await until('staff see the dispute', async () => (await ofStaff()).disputes?.[0]?.state === 'OPEN');
    await expectSoundBooks();
  });

  test('an asynchronous payment that fails cancels its order', async () => {
    const { reference, read, levels } = await begin('stripe');
    books.process(reference);
    await stripe.deliver();
    await until('the order is placed', async () => (await read()).order?.status === 'PLACED');
    books.decline(reference, 'The bank account has too little money.');
    await stripe.deliver();
    await until('the order is cancelled', async () => (await read()).order?.status === 'CANCELLED');
    expect(await levels()).toEqual({ onHand: 10, held: 0 });
    // Nobody can pay for it any more.
    await until('the payment is cancelled at Stripe', () => books.intent(reference).status === 'canceled');
    await expectSoundBooks();
  });
});

describe('npm run payments:reconcile', () => {
  function reconcile() {
    const { database } = shop.config;
    if (database.kind !== 'url') throw new Error('the shop has its own database');
    return callCommand(paymentsReconcile, [], {
      ...{ DATABASE_URL: database.url, DATA_DIR: newDataDir(), JWT_SECRET: SECRET },
      ...{ STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL: stripe.url },
    });
  }

  test('prints what the shop had missed and ends with 1, and ends with 0 when everything agrees', async () => {
    const { reference, payment } = await begin('stripe');
    books.approve(reference);
    const first = await reconcile();
    expect(first.output).toContain(
      `stripe ${reference} (payment ${rowId(payment.id)})\n` +
        '  state: the shop had PENDING, the provider has AUTHORIZED\n' +
        '  authorizedMinor: the shop had 0, the provider has 2000\n',
    );
    expect(first).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^\d+ payments checked, \d+ differed\.$/m),
    });
    // What it wrote down leads to the next step, which the shop's own processes take.
    const { payments } = shop.app.services;
    for (const { id } of await payments.operationsOf(rowId(payment.id))) await payments.runOperation(id, true);
    expect(books.intent(reference).status).toBe('succeeded');
    const second = await reconcile();
    expect(second).toMatchObject({ status: 0, output: expect.stringMatching(/^\d+ payments checked, 0 differed\.$/m) });
    await expectSoundBooks();
  });
});

describe('a webhook', () => {
  async function send(path: string, body: string, headers: Record<string, string>): Promise<number> {
    const response = await fetch(`${shop.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    await response.body?.cancel();
    return response.status;
  }
  const MINUTES = 60_000;
  const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTES);
  const rows = async () => {
    const [row] = await rowsOf<{ payments: string; deliveries: number }>(
      shop.db,
      `SELECT (SELECT md5(string_agg(p::text, ',' ORDER BY p.id)) FROM payments p) AS payments,
              (SELECT count(*)::int FROM webhook_deliveries) AS deliveries`,
    );
    return known(row);
  };
  const settled = () =>
    until('all deliveries are settled', async () => {
      const open = await rowsOf(shop.db, "SELECT FROM webhook_deliveries WHERE status = 'PENDING'");
      return open.length === 0;
    });

  /** Sends a body in the ways that must do nothing. */
  async function tryAll(
    path: string,
    body: string,
    sign: (text: string, at?: Date, secret?: string) => Record<string, string>,
  ) {
    const big = body.replace(/\}$/, `,"padding":"${'x'.repeat(1_100_000)}"}`);
    const stranger = 'a secret of somebody else, long enough';
    return {
      unsigned: await send(path, body, {}),
      forged: await send(path, body, sign(body, new Date(), stranger)),
      changed: await send(path, `${body} `, sign(body)),
      stale: await send(path, body, sign(body, ago(6))),
      tooLarge: await send(path, big, sign(big)),
      malformed: await send(path, '{}', sign('{}')),
    };
  }
  const NOTHING = { unsigned: 401, forged: 401, changed: 401, stale: 401, tooLarge: 413, malformed: 400 };

  test('of Stripe that is not authentic changes nothing', async () => {
    const { reference } = await begin('stripe');
    await stripe.deliver();
    await settled();
    const before = await rows();
    books.approve(reference);
    const body = JSON.stringify(known(books.events.at(-1)));
    const sign = (text: string, at?: Date, secret?: string) => ({
      'stripe-signature': stripe.sign(text, { ...(at && { at }), ...(secret && { secret }) }),
    });
    expect(await tryAll('/webhooks/stripe', body, sign)).toEqual(NOTHING);
    expect(await rows()).toEqual(before);
  });

  test('of Stripe that is repeated, of a stranger or of another account changes nothing', async () => {
    const { reference, reach } = await begin('stripe');
    books.approve(reference);
    await stripe.deliver();
    await reach('CAPTURED', 'PAID');
    await stripe.deliver();
    await settled();
    const before = await rows();
    const event = known(books.events.find(({ data }) => (data.object as { id?: string }).id === reference));
    const intent = { ...event.data.object, id: 'pi_of_a_stranger', metadata: {} };
    const others = [
      event,
      { ...event, id: 'evt_stranger', data: { object: intent } },
      { ...event, id: 'evt_account', account: 'acct_of_somebody' },
      { ...event, id: 'evt_live', livemode: true },
      { ...event, id: 'evt_other', type: 'customer.created' },
    ];
    for (const other of others) {
      const body = JSON.stringify(other);
      expect(await send('/webhooks/stripe', body, { 'stripe-signature': stripe.sign(body) })).toBe(202);
    }
    expect(await rows()).toEqual(before);
    // Of another version, and of a payment that has our metadata and is not there: taken, looked at, and nothing comes of it.
    const versioned = JSON.stringify({ ...event, id: 'evt_version', api_version: '2015-01-01' });
    const gone = { ...event.data.object, id: 'pi_that_is_not_ours' };
    const unknown = JSON.stringify({ ...event, id: 'evt_unknown', data: { object: gone } });
    for (const body of [versioned, unknown]) {
      expect(await send('/webhooks/stripe', body, { 'stripe-signature': stripe.sign(body) })).toBe(202);
    }
    await settled();
    expect(await rows()).toEqual({ payments: before.payments, deliveries: before.deliveries + 2 });
  });

  test('of the test provider that is not authentic changes nothing', async () => {
    const { reference } = await begin('test');
    await settled();
    const before = await rows();
    const payment = { reference, paymentId: randomUUID() };
    const body = JSON.stringify({ id: randomUUID(), version: 1, type: 'payment.authorized', createdAt: '', payment });
    const sign = (text: string, at = new Date(), secret = SECRET) => ({
      [SIGNATURE_HEADER]: createTestWebhooks([secret]).sign(text, at),
    });
    expect(await tryAll('/webhooks/test', body, sign)).toEqual(NOTHING);
    expect(await rows()).toEqual(before);
    // One that says that the payment was authorized, and is authentic, is not believed either.
    expect(await send('/webhooks/test', body, sign(body))).toBe(202);
    await settled();
    expect((await rows()).payments).toBe(before.payments);
  });
});
