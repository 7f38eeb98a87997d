import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestProvider } from '../../src/modules/payments/providers/test/test-provider.ts';
import { startTestProvider } from '../../src/modules/payments/providers/test/test-upkeep.ts';
import type { ProviderDelivery } from '../../src/modules/payments/providers/provider.types.ts';
import { recordLogs } from '../support/logs.ts';
import { until } from '../support/until.ts';
import { recordWebhooks, type WebhookRecorder } from '../support/webhook-recorder.ts';
import { openTestProvider, SECRET } from './test-driver.ts';

/*
 * What the `test` provider does beyond what any provider must do: its queue of webhooks, and its books, which all processes share.
 */

const { signal } = new AbortController();
let world: Awaited<ReturnType<typeof openTestProvider>>;
let recorder: WebhookRecorder;
beforeAll(async () => {
  world = await openTestProvider();
  recorder = await recordWebhooks();
});
beforeEach(async () => {
  await world.db.query({ text: 'UPDATE test_provider_events SET due_at = NULL' });
  recorder.requests.length = 0;
});
afterAll(async () => {
  await recorder[Symbol.asyncDispose]();
  await world.dispose();
});

async function begin(shopUrl = recorder.url): Promise<string> {
  const attempt = { paymentId: randomUUID(), amountMinor: 1990n, currency: 'EUR', email: 'ada@example.com' };
  const more = { description: 'Order', returnUrl: 'https://front.example/', shopUrl };
  return (await world.provider.begin({ ...attempt, ...more }, randomUUID(), new AbortController().signal)).snapshot
    .reference;
}

/** The topics that the shop was sent about a payment, in order. */
function topicsOf(reference: string): string[] {
  return recorder.requests
    .map((request) => world.provider.readWebhook(request, new Date()))
    .flatMap((read) => (typeof read === 'object' && read.reference === reference ? [read.topic] : []));
}

const BASE = Date.now();

/** Does something while the provider's clock stands so many seconds after the base. */
async function at(seconds: number, work: () => Promise<unknown>): Promise<void> {
  world.provider.tune({ now: () => Promise.resolve(new Date(BASE + seconds * 1000)) });
  try {
    await work();
  } finally {
    world.provider.tune({ now: undefined });
  }
}

const runDueAt = (seconds: number) => at(seconds, () => world.provider.runDue(signal));

describe('webhooks', () => {
  test('of several events come in order, or in reverse order if the shopper chose so', async () => {
    const [usual, reversed] = [await begin(), await begin()];
    await world.provider.page.choose(usual, 'decline');
    await world.provider.page.choose(usual, 'pay');
    await world.provider.page.choose(reversed, 'reorder');
    await world.provider.runDue(signal);
    expect(topicsOf(usual)).toEqual(['payment.declined', 'payment.authorized']);
    expect(topicsOf(reversed)).toEqual(['payment.authorized', 'payment.attempted', 'payment.created']);
  });

  test('come twice with one key if the shopper chose so, also those of later events', async () => {
    const reference = await begin();
    await world.provider.page.choose(reference, 'duplicate');
    await world.provider.capture(reference, 1990n, randomUUID(), signal);
    await world.provider.runDue(signal);
    expect(topicsOf(reference)).toEqual([
      ...['payment.authorized', 'payment.authorized', 'payment.captured', 'payment.captured'],
    ]);
    const keys = recorder.requests.map((one) => world.provider.readWebhook(one, new Date()) as ProviderDelivery);
    expect(new Set(keys.map(({ deliveryKey }) => deliveryKey)).size).toBe(2);
  });

  test('that the shop does not accept are sent again, less and less often', async () => {
    const reference = await begin();
    await at(0, () => world.provider.page.choose(reference, 'pay'));
    recorder.answers.push(503, 401, 303);
    // The first at once; then 1 s, 2 s and 4 s after the one before.
    const sent: number[] = [];
    for (const seconds of [0, 0.9, 1, 2.9, 3, 6.9, 7, 1000]) {
      await runDueAt(seconds);
      sent.push(topicsOf(reference).length);
    }
    expect(sent).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  });

  test('are given up in the end', async () => {
    const reference = await begin('http://127.0.0.1:9');
    await at(0, () => world.provider.page.choose(reference, 'pay'));
    for (let hour = 0; hour < 25; hour += 1) await runDueAt(hour * 3601);
    const [row] = await world.db.query<{ attempts: number; dueAt: Date | null }>({
      text: `SELECT attempts, due_at AS "dueAt" FROM test_provider_events WHERE payment_reference = '${reference}'`,
    });
    expect(row).toEqual({ attempts: 20, dueAt: null });
  });

  test('are sent once by processes that run at the same time', async () => {
    const references = await Promise.all(Array.from({ length: 20 }, () => begin()));
    await Promise.all(references.map((reference) => world.provider.page.choose(reference, 'pay')));
    const other = createTestProvider({ db: world.db, secrets: [SECRET] });
    await Promise.all([world.provider.runDue(signal), other.runDue(signal)]);
    for (const reference of references) expect(topicsOf(reference)).toEqual(['payment.authorized']);
  });

  test('are sent by a process that did not queue them, and survive one that died while sending', async () => {
    const reference = await begin();
    await world.provider.page.choose(reference, 'pay');
    // As if taken by a process that was killed.
    await world.db.query({
      text: `UPDATE test_provider_events SET attempts = 1, due_at = clock_timestamp() + interval '60 s'
              WHERE payment_reference = '${reference}'`,
    });
    const other = createTestProvider({ db: world.db, secrets: [SECRET] });
    await other.runDue(signal);
    expect(topicsOf(reference)).toEqual([]);
    other.tune({ now: () => Promise.resolve(new Date(Date.now() + 61_000)) });
    await other.runDue(signal);
    expect(topicsOf(reference)).toEqual(['payment.authorized']);
  });

  test('go out at once where the upkeep runs', async () => {
    const { logger, logs } = recordLogs();
    const upkeep = startTestProvider({ provider: world.provider, logger });
    try {
      const reference = await begin();
      await world.provider.page.choose(reference, 'pay');
      await until('the webhook has come', () => topicsOf(reference).length === 1);
    } finally {
      await upkeep[Symbol.asyncDispose]();
    }
    expect(logs).toEqual([]);
  });

  test('are accepted under each of the secrets of the shop', async () => {
    const rotated = createTestProvider({ db: world.db, secrets: ['a newer secret of tests, long enough', SECRET] });
    const reference = await begin();
    await world.provider.page.choose(reference, 'pay');
    await world.provider.runDue(signal);
    expect(rotated.readWebhook(recorder.requests[0] as never, new Date())).toMatchObject({ reference });
  });

  test('of another version are ignored', () => {
    const body = world.eventBody('test_x').replace('"version":1', '"version":2');
    expect(world.provider.readWebhook(world.sign(body), new Date())).toBe('IGNORED');
  });
});

describe('the books', () => {
  test('are shared by processes: keys, payments and answers', async () => {
    const reference = await begin();
    await world.provider.page.choose(reference, 'pay');
    const key = randomUUID();
    const first = await world.provider.capture(reference, 1990n, key, signal);
    const other = createTestProvider({ db: world.db, secrets: [SECRET] });
    expect(await other.capture(reference, 1990n, key, signal)).toEqual(first);
    expect(await other.page.read(reference)).toMatchObject({ step: 'OVER', state: 'CAPTURED' });
  });

  test('keep refusals as answers', async () => {
    const reference = await begin();
    const key = randomUUID();
    const capture = () => world.provider.capture(reference, 1990n, key, signal);
    await expect(capture()).rejects.toMatchObject({ name: 'Refused', code: 'not_authorized' });
    await world.provider.page.choose(reference, 'pay');
    await expect(capture()).rejects.toMatchObject({ name: 'Refused', code: 'not_authorized' });
    expect((await world.provider.fetch(reference, signal)).state).toBe('AUTHORIZED');
  });

  test('refuse a key that was used for something else', async () => {
    const reference = await begin();
    await world.provider.page.choose(reference, 'pay');
    const key = randomUUID();
    await world.provider.capture(reference, 1990n, key, signal);
    const refund = world.provider.refund(reference, { id: randomUUID(), amountMinor: 1n }, key, signal);
    await expect(refund).rejects.toMatchObject({ name: 'Refused', code: 'idempotency_key_in_use' });
    expect((await world.provider.fetch(reference, signal)).refunds).toEqual([]);
  });

  test('forget keys after a day', async () => {
    const key = randomUUID();
    const reference = await begin();
    await world.provider.cancel(reference, key, signal);
    const known = () =>
      world.db.query({ text: `SELECT key FROM test_provider_keys WHERE key = '${key}'` }).then((rows) => rows.length);
    await world.provider.prune();
    expect(await known()).toBe(1);
    await world.db.query({
      text: `UPDATE test_provider_keys SET created_at = created_at - interval '25 hours' WHERE key = '${key}'`,
    });
    await world.provider.prune();
    expect(await known()).toBe(0);
  });
});
