import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Stripe } from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/infra/postgres/database.ts';
import { Refused, Unknown, type PaymentProvider } from '../../src/modules/payments/providers/provider.types.ts';
import { createProviders } from '../../src/modules/payments/providers/providers.ts';
import { fromStripe, leastMinorOf, toStripe } from '../../src/modules/payments/providers/stripe/stripe-amounts.ts';
import { EVENT_TYPES } from '../../src/modules/payments/providers/stripe/stripe-events.ts';
import { createStripeProvider } from '../../src/modules/payments/providers/stripe/stripe-provider.ts';
import { known } from '../support/known.ts';
import type { StripeBooks } from '../support/stripe-books.ts';
import { STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeServer, type StripeTrouble } from '../support/stripe-server.ts';
import { recordWebhooks, type WebhookRecorder } from '../support/webhook-recorder.ts';
import { openStripeProvider } from './stripe-driver.ts';

/*
 * What is Stripe's own, beyond what any provider must do: the real package against the stand-in.
 */

const { signal } = new AbortController();
let world: Awaited<ReturnType<typeof openStripeProvider>>;
let recorder: WebhookRecorder;
let provider: PaymentProvider;
let server: StripeServer;
let books: StripeBooks;
beforeAll(async () => {
  recorder = await recordWebhooks();
  world = await openStripeProvider(recorder);
  ({ provider, server } = world);
  ({ books } = server);
});
beforeEach(() => void (server.asked.length = 0));
afterAll(async () => {
  await world.dispose();
  await recorder[Symbol.asyncDispose]();
});

async function begin(more: { paymentId?: string; amountMinor?: bigint; currency?: string } = {}): Promise<string> {
  const attempt = { paymentId: randomUUID(), amountMinor: 2000n, currency: 'EUR', email: 'ada@example.com' };
  const rest = { description: 'Order', returnUrl: 'https://shop.example/checkout', shopUrl: 'https://shop.example' };
  return (await provider.begin({ ...attempt, ...rest, ...more }, randomUUID(), signal)).snapshot.reference;
}

async function authorized(): Promise<string> {
  const reference = await begin();
  books.approve(reference);
  return reference;
}

describe('a request', () => {
  test('asks for manual capture, names the payment, and carries the key and the version', async () => {
    const [paymentId, key] = [randomUUID(), randomUUID()];
    const attempt = {
      paymentId,
      amountMinor: 2000n,
      currency: 'EUR',
      email: 'ada@example.com',
      description: 'Order 1',
    };
    const addresses = { returnUrl: 'https://shop.example/', shopUrl: 'https://shop.example' };
    const { client, snapshot } = await provider.begin({ ...attempt, ...addresses }, key, signal);
    expect(books.intent(snapshot.reference)).toMatchObject({
      ...{ amount: 2000, currency: 'eur', capture_method: 'manual', description: 'Order 1' },
      metadata: { vitrine_payment: paymentId },
    });
    const { client_secret: clientSecret } = books.intent(snapshot.reference);
    expect(client).toEqual({ redirectUrl: null, clientSecret, publishableKey: 'pk_test_x' });
    expect(server.asked).toEqual([{ method: 'POST', path: '/v1/payment_intents', key, version: '2026-10-28.endive' }]);
  });

  test('of a refund names it', async () => {
    const reference = await authorized();
    await provider.capture(reference, 2000n, randomUUID(), signal);
    const id = randomUUID();
    await provider.refund(reference, { id, amountMinor: 300n }, randomUUID(), signal);
    expect(books.refunds.at(-1)).toMatchObject({ amount: 300, metadata: { vitrine_refund: id } });
  });
});

describe('a fault', () => {
  const answers: [string, StripeTrouble, typeof Refused | typeof Unknown][] = [
    ['400', { status: 400, code: 'parameter_unknown' }, Refused],
    ['402', { status: 402, code: 'card_declined' }, Refused],
    ['404', { status: 404, code: 'resource_missing' }, Refused],
    ['400 because Stripe is busy', { status: 400, code: 'rate_limit' }, Unknown],
    ['400 because of a lock', { status: 400, code: 'lock_timeout' }, Unknown],
    ['401', { status: 401 }, Unknown],
    ['403', { status: 403 }, Unknown],
    ['409', { status: 409, code: 'idempotency_key_in_use' }, Unknown],
    ['429', { status: 429, code: 'rate_limit' }, Unknown],
    ['429 because of a lock', { status: 429, code: 'lock_timeout' }, Unknown],
    ['500', { status: 500 }, Unknown],
    ['503', { status: 503 }, Unknown],
    ['500 before anything is done', 'FAIL', Unknown],
    ['a connection that breaks', 'LOSE', Unknown],
    ['an answer that is no JSON', 'BREAK', Unknown],
  ];
  test.each(answers)('%s is mapped, and the request is not repeated', async (_name, trouble, kind) => {
    const reference = await authorized();
    server.asked.length = 0;
    server.troubleNext(trouble, 'POST');
    const error = await provider.capture(reference, 2000n, randomUUID(), signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(server.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test.each(answers)('%s of a read is mapped in the same way', async (_name, trouble, kind) => {
    const reference = await authorized();
    server.asked.length = 0;
    server.troubleNext(trouble, 'GET');
    await expect(provider.fetch(reference, signal)).rejects.toBeInstanceOf(kind);
    expect(server.asked).toHaveLength(1);
  });

  test('says nothing of the key', async () => {
    const config = { secretKey: 'sk_test_wrong', webhookSecret: null, publishableKey: null, apiUrl: server.url };
    const wrong = createStripeProvider({ config, currency: 'EUR' });
    const error = await wrong.fetch(await begin(), signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Unknown);
    expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain('sk_test_wrong');
  });

  test('a server that cannot be reached is Unknown', async () => {
    const config = { secretKey: STRIPE_KEY, webhookSecret: null, publishableKey: null, apiUrl: 'http://127.0.0.1:9' };
    const away = createStripeProvider({ config, currency: 'EUR' });
    await expect(away.fetch('pi_x', signal)).rejects.toBeInstanceOf(Unknown);
  });

  test('a refund whose payment cannot be read afterwards is Unknown, and was made', async () => {
    const reference = await authorized();
    await provider.capture(reference, 2000n, randomUUID(), signal);
    let reads = 0;
    server.trouble = ({ method }) => (method === 'GET' && (reads += 1) === 2 ? { status: 404 } : null);
    try {
      const refund = provider.refund(reference, { id: randomUUID(), amountMinor: 300n }, randomUUID(), signal);
      await expect(refund).rejects.toBeInstanceOf(Unknown);
    } finally {
      server.trouble = () => null;
    }
    expect((await provider.fetch(reference, signal)).refunds).toMatchObject([{ amountMinor: 300n }]);
  });

  test('a status that did not exist when this was written is Unknown', async () => {
    const reference = await begin();
    books.intent(reference).status = 'requires_patience';
    await expect(provider.fetch(reference, signal)).rejects.toThrow('requires_patience');
  });
});

describe('a snapshot', () => {
  test('has all refunds and disputes, however many there are', async () => {
    const reference = await authorized();
    await provider.capture(reference, 2000n, randomUUID(), signal);
    for (let count = 0; count < 230; count += 1) books.refund({ payment_intent: reference, amount: '1' });
    for (let count = 0; count < 12; count += 1) books.dispute(reference, { amount: 1 });
    const { refunds, disputes } = await provider.fetch(reference, signal);
    expect([refunds.length, new Set(refunds.map((one) => one.reference)).size]).toEqual([230, 230]);
    expect(disputes).toHaveLength(12);
    expect(known(refunds[0])).toMatchObject({ refundId: null, amountMinor: 1n, state: 'SUCCEEDED', failure: null });
  });

  test('asks for disputes only where there are any', async () => {
    const reference = await authorized();
    await provider.capture(reference, 2000n, randomUUID(), signal);
    server.asked.length = 0;
    await provider.fetch(reference, signal);
    expect(server.asked.map(({ path }) => path)).toEqual([`/v1/payment_intents/${reference}`]);
  });

  test.each([
    ['needs_response', 'OPEN'],
    ['under_review', 'OPEN'],
    ['appeal_under_review', 'OPEN'],
    ['won', 'WON'],
    ['prevented', 'WON'],
    ['lost', 'LOST'],
    ['warning_needs_response', undefined],
    ['warning_closed', undefined],
  ])('shows a dispute that is %s as %s', async (status, state) => {
    const reference = await authorized();
    await provider.capture(reference, 2000n, randomUUID(), signal);
    books.dispute(reference, { status });
    expect((await provider.fetch(reference, signal)).disputes.map((one) => one.state)).toEqual(
      state === undefined ? [] : [state],
    );
  });

  test.each([
    ['pending', 'PENDING', null],
    ['succeeded', 'SUCCEEDED', null],
    ['failed', 'FAILED', 'The refund failed: lost or stolen card.'],
    ['canceled', 'FAILED', 'The refund was cancelled.'],
  ] as const)('shows a refund that is %s as %s', async (status, state, failure) => {
    const reference = await authorized();
    await provider.capture(reference, 2000n, randomUUID(), signal);
    const refund = books.refund({ payment_intent: reference, amount: '500' });
    Object.assign(refund, { status, ...(status === 'failed' ? { failure_reason: 'lost_or_stolen_card' } : {}) });
    expect((await provider.fetch(reference, signal)).refunds).toMatchObject([{ state, failure }]);
  });

  test('has the time at which the authorization lapses', async () => {
    const reference = await authorized();
    const before = books.chargeOf(books.intent(reference)).payment_method_details.card.capture_before;
    expect((await provider.fetch(reference, signal)).lapsesAt).toEqual(new Date(before * 1000));
    const { lapsesAt } = await provider.capture(reference, 2000n, randomUUID(), signal);
    expect(lapsesAt).toBeNull();
  });

  test('of a payment that is not the shop’s names no payment', async () => {
    const { id } = books.create({ amount: '900', currency: 'eur' });
    expect(await provider.fetch(id, signal)).toMatchObject({ paymentId: null, amountMinor: 900n });
  });
});

describe('finding a payment', () => {
  test('that the search does not know yet', async () => {
    const paymentId = randomUUID();
    const reference = await begin({ paymentId });
    expect(books.indexed.has(reference)).toBe(false);
    expect((await provider.find(paymentId, signal))?.reference).toBe(reference);
  });

  test('that is old, by the search', async () => {
    const paymentId = randomUUID();
    const reference = await begin({ paymentId });
    books.intent(reference).created -= 86_400;
    expect(await provider.find(paymentId, signal)).toBeNull();
    books.index();
    expect((await provider.find(paymentId, signal))?.reference).toBe(reference);
  });

  test('never puts an invalid ID into the search', async () => {
    for (const hostile of [`x' OR created>0 OR metadata['a']:'b`, '', 'x'.repeat(65)]) {
      expect(await provider.find(hostile, signal)).toBeNull();
    }
    expect(server.asked).toEqual([]);
  });
});

describe('amounts', () => {
  test.each([
    ['EUR', 1999n, 1999],
    ['JPY', 500n, 500],
    // No decimals by ISO 4217, and two zeros at Stripe.
    ['ISK', 5n, 500],
    ['UGX', 5n, 500],
    // Three decimals, the last of which is a zero.
    ['KWD', 5120n, 5120],
    // Two decimals by ISO 4217, and none at Stripe.
    ['MGA', 500n, 5],
    // Two decimals at both, whatever payouts are.
    ['HUF', 1045n, 1045],
  ])('of %s are written in Stripe’s way', (currency, minor, amount) => {
    expect(toStripe(minor, currency)).toBe(amount);
    expect(fromStripe(amount, currency)).toBe(minor);
  });

  test.each([
    ['KWD', 5124n],
    ['MGA', 501n],
    ['EUR', 2n ** 53n],
  ])('of %s that cannot be written exactly are refused, not rounded', (currency, minor) => {
    expect(() => toStripe(minor, currency)).toThrow(Refused);
  });

  test('with more decimals than the currency has are not cut off', () => {
    expect(() => fromStripe(4010, 'ISK')).toThrow(Unknown);
  });

  test('have a smallest one', () => {
    expect(['USD', 'JPY', 'GBP', 'MGA', 'ISK', 'KWD'].map(leastMinorOf)).toEqual([50n, 50n, 30n, 100n, 1n, 1n]);
  });

  test('are charged in this way', async () => {
    const reference = await begin({ amountMinor: 700n, currency: 'ISK' });
    expect(books.intent(reference).amount).toBe(70_000);
    books.approve(reference);
    const snapshot = await provider.capture(reference, 700n, randomUUID(), signal);
    expect(snapshot).toMatchObject({ currency: 'ISK', amountMinor: 700n, capturedMinor: 700n });
    const { refunds } = await provider.refund(reference, { id: randomUUID(), amountMinor: 3n }, randomUUID(), signal);
    expect(refunds).toMatchObject([{ amountMinor: 3n }]);
    expect(books.refunds.at(-1)?.amount).toBe(300);
  });
});

describe('a webhook', () => {
  const read = (event: object) => provider.readWebhook(world.sign(JSON.stringify(event)), new Date());
  const eventOf = (type: string, object: object, more: object = {}) => ({
    ...{ id: `evt_${randomUUID()}`, object: 'event', type, livemode: false, api_version: '2026-10-28.endive' },
    ...{ data: { object }, ...more },
  });
  const intentOf = async () => ({ ...books.intent(await begin()) });

  test('of another version of the API is read, because only IDs are', async () => {
    const intent = await intentOf();
    const event = eventOf('payment_intent.succeeded', intent, { api_version: '2015-01-01' });
    expect(read(event)).toEqual({ deliveryKey: event.id, topic: event.type, reference: intent.id });
  });

  test('of a payment that is not the shop’s is ignored', async () => {
    const intent = { ...(await intentOf()), metadata: {} };
    expect(read(eventOf('payment_intent.succeeded', intent))).toBe('IGNORED');
    const charge = { id: 'ch_x', object: 'charge', payment_intent: intent.id, metadata: {} };
    expect(read(eventOf('charge.refunded', charge))).toBe('IGNORED');
  });

  test('of a charge, a refund or a dispute names the payment intent', async () => {
    const { id, metadata } = await intentOf();
    for (const [type, object] of [
      ['charge.refunded', { id: 'ch_x', object: 'charge', metadata, payment_intent: id }],
      ['refund.failed', { id: 're_x', object: 'refund', metadata: {}, payment_intent: id }],
      ['charge.dispute.created', { id: 'du_x', object: 'dispute', metadata: {}, payment_intent: id }],
      ['charge.dispute.closed', { id: 'du_x', object: 'dispute', payment_intent: { id, object: 'payment_intent' } }],
    ] as const) {
      expect(read(eventOf(type, object))).toMatchObject({ topic: type, reference: id });
    }
    expect(read(eventOf('refund.created', { id: 're_x', object: 'refund', payment_intent: null }))).toBe('IGNORED');
  });

  test('of a connected account, or of live payments where the key is for tests, is ignored', async () => {
    const intent = await intentOf();
    expect(read(eventOf('payment_intent.succeeded', intent, { account: 'acct_1' }))).toBe('IGNORED');
    expect(read(eventOf('payment_intent.succeeded', intent, { livemode: true }))).toBe('IGNORED');
  });

  test('of other things is ignored', async () => {
    expect(read(eventOf('invoice.paid', { id: 'in_x', object: 'invoice' }))).toBe('IGNORED');
  });

  test('is forged as long as there is no secret', async () => {
    const config = { secretKey: STRIPE_KEY, webhookSecret: null, publishableKey: null, apiUrl: server.url };
    const without = createStripeProvider({ config, currency: 'EUR' });
    const body = JSON.stringify(eventOf('payment_intent.succeeded', await intentOf()));
    expect(without.readWebhook(world.sign(body), new Date())).toBe('FORGED');
    expect(without.readWebhook(world.sign(body, { secret: STRIPE_WEBHOOK_SECRET }), new Date())).toBe('FORGED');
  });
});

describe('the stand-in', () => {
  test('sends webhooks twice and in reverse order, and again if they are not accepted', async () => {
    await server.deliver();
    recorder.requests.length = 0;
    const reference = await begin();
    books.process(reference);
    books.receive(reference);
    recorder.answers.push(500);
    expect(await server.deliver({ copies: 2, reverse: true })).toBe(1);
    const topics = () =>
      recorder.requests
        .map((request) => provider.readWebhook(request, new Date()))
        .map((one) => (one as { topic: string }).topic);
    expect(topics()).toEqual(
      ['payment_intent.succeeded', 'charge.captured', 'payment_intent.processing', 'payment_intent.created'].flatMap(
        (topic) => [topic, topic],
      ),
    );
    recorder.requests.length = 0;
    expect(await server.deliver()).toBe(0);
    expect(topics()).toEqual(['payment_intent.succeeded']);
  });
});

test('the documentation names the events of interest, and the version of the API', async () => {
  const text = await readFile(new URL('../../docs/payments.md', import.meta.url), 'utf8');
  expect(
    text
      .match(/```text\n([^`]+)```/)?.[1]
      ?.split(/\s+/)
      .filter((word) => word !== ''),
  ).toEqual([...EVENT_TYPES]);
  expect(text).toContain(Stripe.API_VERSION);
});

test('the provider is there whenever there is a key, whether or not it is offered', () => {
  const env = {
    DATA_DIR: '/nowhere',
    DATABASE_URL: 'postgres://x/y',
    JWT_SECRET: 'a secret that is long enough for it',
  };
  const of = (more: NodeJS.ProcessEnv) =>
    createProviders({ config: loadConfig({ ...env, SMTP_URL: 'smtp://x', ...more }), db: {} as Database });
  expect([...of({}).byId.keys()]).toEqual(['test']);
  expect([...of({ STRIPE_SECRET_KEY: 'sk_test_x', PAYMENT_PROVIDERS: 'manual' }).byId.keys()]).toEqual([
    ...['test', 'stripe'],
  ]);
});
