import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Refused,
  Unknown,
  type PaymentAttempt,
  type PaymentProvider,
  type ProviderDelivery,
  type Snapshot,
} from '../../src/modules/payments/providers/provider.types.ts';
import type { WebhookRequest } from '../../src/modules/webhooks/webhook.types.ts';
import { known } from '../support/known.ts';
import { recordWebhooks, type WebhookRecorder } from '../support/webhook-recorder.ts';

/*
 * What every payment provider must do, whatever it is made of. A provider is run through it with a driver, which plays the shopper,
 * the bank and the network. See docs/payments.md.
 */

/** Plays everybody but the shop. */
export interface Driver {
  provider: PaymentProvider;
  currency: string;
  /** The shopper pays, and the bank approves. */
  pay(reference: string): Promise<void>;
  /** The shopper pays, and the bank declines. */
  decline(reference: string): Promise<void>;
  /** The shopper pays, and the bank takes its time. */
  payLate(reference: string, outcome: 'SUCCEED' | 'FAIL'): Promise<{ settle(): Promise<void> }>;
  /** The shopper pays and has to confirm it. */
  challenge(reference: string): Promise<{ confirm(): Promise<void>; abort(): Promise<void> }>;
  /** The customer disputes a payment that was captured. */
  dispute(reference: string): Promise<{ close(outcome: 'WON' | 'LOST'): Promise<void> }>;
  /** The bank sends a refund back that had succeeded. */
  failRefund(reference: string, refundReference: string): Promise<void>;
  /** The next call does its work, and its answer is lost. */
  loseNextAnswer(): void;
  /** The next call fails before it has done anything. */
  failNextCall(): void;
  /** The next call is not answered until it is given up. @returns when it has arrived */
  stallNextCall?(): Promise<void>;
  /** What was done at the provider, not what `fetch` returned. */
  counts(reference: string): Promise<{ capturedMinor: bigint; refundedMinor: bigint; refunds: number }>;
  /** How many payments the provider has for a payment of the shop. */
  countPayments(paymentId: string): Promise<number>;
  /** Sends all webhooks that are due to the recorder. */
  sendWebhooks(): Promise<void>;
  /** Signs a body as the provider does, at a time or with a secret of somebody else. */
  sign(body: string, options?: { at?: Date; secret?: string }): WebhookRequest;
  /** The body of an authentic event of a payment. */
  eventBody(reference: string, more?: { id?: string; topic?: string }): string;
  /** From now on a page of changed payments is as small as this. */
  setPageSize(size: number): void;
}

const AMOUNT = 2000n;

/**
 * Runs a provider through the suite.
 * @param open opens a provider that nobody else uses, and sends its webhooks to a recorder
 */
export function testProvider(
  name: string,
  open: (recorder: WebhookRecorder) => Promise<Driver & { dispose(): Promise<void> }>,
): void {
  describe(`provider ${name}`, () => {
    let recorder: WebhookRecorder;
    let driver: Awaited<ReturnType<typeof open>>;
    let provider: PaymentProvider;
    beforeAll(async () => {
      recorder = await recordWebhooks();
      driver = await open(recorder);
      ({ provider } = driver);
    });
    afterAll(async () => {
      await driver.dispose();
      await recorder[Symbol.asyncDispose]();
    });

    const { signal } = new AbortController();
    const newKey = () => randomUUID();
    const fetch = (reference: string) => provider.fetch(reference, signal);
    const attempt = (more: Partial<PaymentAttempt> = {}): PaymentAttempt => ({
      paymentId: randomUUID(),
      amountMinor: AMOUNT,
      currency: driver.currency,
      email: 'ada@example.com',
      description: 'Order at Honey & Sons',
      returnUrl: 'https://shop.example/checkout',
      shopUrl: recorder.url,
      ...more,
    });
    const begin = async (more: Partial<PaymentAttempt> = {}): Promise<Snapshot> =>
      (await provider.begin(attempt(more), newKey(), signal)).snapshot;
    const authorized = async (): Promise<string> => {
      const { reference } = await begin();
      await driver.pay(reference);
      return reference;
    };
    const captured = async (): Promise<string> => {
      const reference = await authorized();
      await provider.capture(reference, AMOUNT, newKey(), signal);
      return reference;
    };
    const refund = (reference: string, amountMinor: bigint, id: string = randomUUID(), key = newKey()) =>
      provider.refund(reference, { id, amountMinor }, key, signal);
    /** What comes of a call about a payment: REFUSED only if nothing of the payment has changed. */
    async function outcomeOf(reference: string, call: () => Promise<unknown>): Promise<unknown> {
      const before = await fetch(reference);
      const outcome = await call().catch((thrown: unknown) => thrown);
      expect(await fetch(reference)).toEqual(before);
      return outcome instanceof Refused && outcome.reason !== '' ? 'REFUSED' : outcome;
    }
    const amountsOf = ({ state, authorizedMinor, capturedMinor }: Snapshot) => [state, authorizedMinor, capturedMinor];

    describe('begin', () => {
      test('charges nothing before the shopper has agreed', async () => {
        const given = attempt();
        const { client, snapshot } = await provider.begin(given, newKey(), signal);
        expect(snapshot).toMatchObject({ paymentId: given.paymentId, currency: driver.currency, amountMinor: AMOUNT });
        expect(amountsOf(snapshot)).toEqual(['PENDING', 0n, 0n]);
        expect(snapshot).toMatchObject({ refunds: [], disputes: [], failure: null, lapsesAt: null });
        expect(client.redirectUrl ?? client.clientSecret).not.toBeNull();
        expect(await fetch(snapshot.reference)).toEqual(snapshot);
      });

      test('with a key that was used answers as it did first, and begins nothing', async () => {
        const [given, key] = [attempt(), newKey()];
        const first = await provider.begin(given, key, signal);
        expect(await provider.begin(given, key, signal)).toEqual(first);
        expect(await driver.countPayments(given.paymentId)).toBe(1);
      });

      test('with one key at the same time begins one payment', async () => {
        const [given, key] = [attempt(), newKey()];
        const results = await Promise.allSettled([1, 2, 3].map(() => provider.begin(given, key, signal)));
        const begun = results.flatMap((result) =>
          result.status === 'fulfilled' ? [result.value.snapshot.reference] : [],
        );
        expect(new Set(begun).size).toBe(1);
        // A provider may answer that the key is in use: whether the payment was begun is not known to this call.
        for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Unknown);
        expect(await driver.countPayments(given.paymentId)).toBe(1);
      });

      test('with another key begins another payment', async () => {
        expect((await begin()).reference).not.toBe((await begin()).reference);
      });

      test('refuses a key that was used with another amount', async () => {
        const [given, key] = [attempt(), newKey()];
        await provider.begin(given, key, signal);
        const other = provider.begin({ ...given, amountMinor: AMOUNT + 100n }, key, signal);
        await expect(other).rejects.toBeInstanceOf(Refused);
        expect(await driver.countPayments(given.paymentId)).toBe(1);
      });

      test('refuses amounts below the smallest', async () => {
        const { leastMinor } = provider.capabilities;
        for (const amountMinor of [leastMinor - 1n, 0n, -100n]) {
          const given = attempt({ amountMinor });
          await expect(provider.begin(given, newKey(), signal)).rejects.toBeInstanceOf(Refused);
          expect(await driver.countPayments(given.paymentId)).toBe(0);
        }
        expect((await begin({ amountMinor: leastMinor })).amountMinor).toBe(leastMinor);
      });
    });

    describe('fetch and find', () => {
      test('a payment is found by its ID in the shop', async () => {
        const { reference, paymentId } = await begin();
        await driver.pay(reference);
        expect(await provider.find(known(paymentId), signal)).toEqual(await fetch(reference));
      });

      test('nothing is found for an ID that the provider does not know', async () => {
        expect(await provider.find(randomUUID(), signal)).toBeNull();
      });

      test('fetching what does not exist is refused', async () => {
        await expect(fetch('nothing_of_this_name')).rejects.toBeInstanceOf(Refused);
      });
    });

    describe('paying', () => {
      test('authorizes the amount and captures nothing', async () => {
        const snapshot = await fetch(await authorized());
        expect(amountsOf(snapshot)).toEqual(['AUTHORIZED', AMOUNT, 0n]);
        expect(known(snapshot.lapsesAt).getTime()).toBeGreaterThan(Date.now());
      });

      test('that the bank declines can be tried again', async () => {
        const { reference } = await begin();
        await driver.decline(reference);
        const declined = await fetch(reference);
        expect(amountsOf(declined)).toEqual(['PENDING', 0n, 0n]);
        expect(declined.failure).toMatch(/\w/);
        await driver.pay(reference);
        expect(await fetch(reference)).toMatchObject({ state: 'AUTHORIZED', failure: null });
      });

      test('with another step is pending until the shopper has confirmed', async () => {
        const { reference } = await begin();
        const { abort } = await driver.challenge(reference);
        expect(amountsOf(await fetch(reference))).toEqual(['PENDING', 0n, 0n]);
        await abort();
        const aborted = await fetch(reference);
        expect(amountsOf(aborted)).toEqual(['PENDING', 0n, 0n]);
        expect(aborted.failure).toMatch(/\w/);
        const { confirm } = await driver.challenge(reference);
        await confirm();
        expect(amountsOf(await fetch(reference))).toEqual(['AUTHORIZED', AMOUNT, 0n]);
      });

      test('may succeed late', async () => {
        const { reference } = await begin();
        const { settle } = await driver.payLate(reference, 'SUCCEED');
        expect(amountsOf(await fetch(reference))).toEqual(['PROCESSING', 0n, 0n]);
        await settle();
        const { state, authorizedMinor } = await fetch(reference);
        expect(['AUTHORIZED', 'CAPTURED']).toContain(state);
        expect(authorizedMinor).toBe(AMOUNT);
      });

      test('may fail late', async () => {
        const { reference } = await begin();
        const { settle } = await driver.payLate(reference, 'FAIL');
        expect(amountsOf(await fetch(reference))).toEqual(['PROCESSING', 0n, 0n]);
        await settle();
        const failed = await fetch(reference);
        expect(['FAILED', 'PENDING']).toContain(failed.state);
        expect(failed).toMatchObject({ authorizedMinor: 0n, capturedMinor: 0n });
        expect(failed.failure).toMatch(/\w/);
      });
    });

    describe('capture', () => {
      test('of all that is authorized', async () => {
        const reference = await authorized();
        const snapshot = await provider.capture(reference, AMOUNT, newKey(), signal);
        expect(amountsOf(snapshot)).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
        expect(await fetch(reference)).toEqual(snapshot);
        expect(await driver.counts(reference)).toEqual({ capturedMinor: AMOUNT, refundedMinor: 0n, refunds: 0 });
      });

      test('of a part, as often as the provider can', async () => {
        const reference = await authorized();
        const { partialCapture } = provider.capabilities;
        const part = () => provider.capture(reference, 500n, newKey(), signal);
        if (partialCapture === 'NONE') {
          expect(await outcomeOf(reference, part)).toBe('REFUSED');
          return;
        }
        const first = await part();
        expect(amountsOf(first)).toEqual(
          partialCapture === 'ONCE' ? ['CAPTURED', 500n, 500n] : ['AUTHORIZED', AMOUNT, 500n],
        );
        if (partialCapture === 'ONCE') {
          expect(await outcomeOf(reference, part)).toBe('REFUSED');
          return;
        }
        const rest = await provider.capture(reference, AMOUNT - 500n, newKey(), signal);
        expect(amountsOf(rest)).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
        expect(await outcomeOf(reference, part)).toBe('REFUSED');
      });

      test('of more than is authorized, of nothing, or of less than nothing is refused', async () => {
        const reference = await authorized();
        for (const amountMinor of [AMOUNT + 100n, 0n, -100n]) {
          expect(await outcomeOf(reference, () => provider.capture(reference, amountMinor, newKey(), signal))).toBe(
            'REFUSED',
          );
        }
      });

      test('of what was not paid is refused', async () => {
        const { reference } = await begin();
        expect(await outcomeOf(reference, () => provider.capture(reference, AMOUNT, newKey(), signal))).toBe('REFUSED');
      });

      test('happens once for a key, and not again with another one', async () => {
        const [reference, key] = [await authorized(), newKey()];
        const first = await provider.capture(reference, AMOUNT, key, signal);
        expect(await provider.capture(reference, AMOUNT, key, signal)).toEqual(first);
        expect(await outcomeOf(reference, () => provider.capture(reference, AMOUNT, newKey(), signal))).toBe('REFUSED');
        expect((await driver.counts(reference)).capturedMinor).toBe(AMOUNT);
      });

      test('with several keys at the same time captures once', async () => {
        const reference = await authorized();
        const capture = () => provider.capture(reference, AMOUNT, newKey(), signal);
        const results = await Promise.allSettled([capture(), capture(), capture()]);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect((await driver.counts(reference)).capturedMinor).toBe(AMOUNT);
      });
    });

    describe('cancel', () => {
      test('of what was not paid', async () => {
        const { reference } = await begin();
        expect(amountsOf(await provider.cancel(reference, newKey(), signal))).toEqual(['CANCELLED', 0n, 0n]);
        expect(await outcomeOf(reference, () => provider.capture(reference, AMOUNT, newKey(), signal))).toBe('REFUSED');
      });

      test('of an authorization, and once more', async () => {
        const reference = await authorized();
        const snapshot = await provider.cancel(reference, newKey(), signal);
        expect(amountsOf(snapshot)).toEqual(['CANCELLED', 0n, 0n]);
        expect(snapshot.lapsesAt).toBeNull();
        expect(amountsOf(await provider.cancel(reference, newKey(), signal))).toEqual(['CANCELLED', 0n, 0n]);
        expect(await outcomeOf(reference, () => provider.capture(reference, AMOUNT, newKey(), signal))).toBe('REFUSED');
      });

      test('of what was captured is refused', async () => {
        const reference = await captured();
        expect(await outcomeOf(reference, () => provider.cancel(reference, newKey(), signal))).toBe('REFUSED');
      });

      test('of a payment that the bank is processing is refused or done, and never both', async () => {
        const { reference } = await begin();
        const { settle } = await driver.payLate(reference, 'SUCCEED');
        const answer = await provider.cancel(reference, newKey(), signal).catch((error: unknown) => error);
        if (answer instanceof Refused) {
          await settle();
          expect((await fetch(reference)).authorizedMinor).toBe(AMOUNT);
        } else {
          expect(amountsOf(answer as Snapshot)).toEqual(['CANCELLED', 0n, 0n]);
        }
      });
    });

    describe('refund', () => {
      test('in parts, to the last of it and no further', async () => {
        const reference = await captured();
        const ids = [randomUUID(), randomUUID(), randomUUID()];
        for (const [index, amountMinor] of [500n, 700n, 800n].entries()) {
          await refund(reference, amountMinor, known(ids[index]));
        }
        const snapshot = await fetch(reference);
        expect(amountsOf(snapshot)).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
        expect(snapshot.refunds.map(({ refundId, amountMinor, state }) => [refundId, amountMinor, state])).toEqual([
          [ids[0], 500n, 'SUCCEEDED'],
          [ids[1], 700n, 'SUCCEEDED'],
          [ids[2], 800n, 'SUCCEEDED'],
        ]);
        expect(new Set(snapshot.refunds.map((one) => one.reference)).size).toBe(3);
        expect(await outcomeOf(reference, () => refund(reference, 100n))).toBe('REFUSED');
      });

      test('of more than was captured, of nothing, or of what was not captured is refused', async () => {
        const reference = await captured();
        for (const amountMinor of [AMOUNT + 100n, 0n, -100n]) {
          expect(await outcomeOf(reference, () => refund(reference, amountMinor))).toBe('REFUSED');
        }
        const uncaptured = await authorized();
        expect(await outcomeOf(uncaptured, () => refund(uncaptured, 100n))).toBe('REFUSED');
      });

      test('happens once for a key', async () => {
        const [reference, id, key] = [await captured(), randomUUID(), newKey()];
        const first = await refund(reference, 500n, id, key);
        expect(await refund(reference, 500n, id, key)).toEqual(first);
        expect(await driver.counts(reference)).toMatchObject({ refundedMinor: 500n, refunds: 1 });
      });

      test('that fails late gives back what can be refunded', async () => {
        const reference = await captured();
        const [made] = (await refund(reference, AMOUNT)).refunds;
        await driver.failRefund(reference, known(made).reference);
        const [failed] = (await fetch(reference)).refunds;
        expect(failed).toMatchObject({ state: 'FAILED', amountMinor: AMOUNT });
        expect(known(failed).failure).toMatch(/\w/);
        const again = await refund(reference, AMOUNT);
        expect(again.refunds.map(({ state }) => state).toSorted()).toEqual(['FAILED', 'SUCCEEDED']);
      });
    });

    describe('a dispute', () => {
      test.each(['WON', 'LOST'] as const)('is open, and then %s', async (outcome) => {
        const reference = await captured();
        const { close } = await driver.dispute(reference);
        const opened = await fetch(reference);
        expect(opened.disputes).toMatchObject([{ amountMinor: AMOUNT, state: 'OPEN' }]);
        expect(amountsOf(opened)).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
        await close(outcome);
        expect((await fetch(reference)).disputes).toMatchObject([{ amountMinor: AMOUNT, state: outcome }]);
      });
    });

    describe('a call without an answer', () => {
      test('may have begun a payment, which is found and begun once', async () => {
        const [given, key] = [attempt(), newKey()];
        driver.loseNextAnswer();
        await expect(provider.begin(given, key, signal)).rejects.toBeInstanceOf(Unknown);
        const found = known(await provider.find(given.paymentId, signal));
        expect((await provider.begin(given, key, signal)).snapshot.reference).toBe(found.reference);
        expect(await driver.countPayments(given.paymentId)).toBe(1);
      });

      test('may have captured, once', async () => {
        const [reference, key] = [await authorized(), newKey()];
        driver.loseNextAnswer();
        await expect(provider.capture(reference, AMOUNT, key, signal)).rejects.toBeInstanceOf(Unknown);
        expect(amountsOf(await fetch(reference))).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
        expect(amountsOf(await provider.capture(reference, AMOUNT, key, signal))).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
        expect((await driver.counts(reference)).capturedMinor).toBe(AMOUNT);
      });

      test('may have refunded, once', async () => {
        const [reference, id, key] = [await captured(), randomUUID(), newKey()];
        driver.loseNextAnswer();
        await expect(refund(reference, 500n, id, key)).rejects.toBeInstanceOf(Unknown);
        expect((await fetch(reference)).refunds).toMatchObject([{ refundId: id, amountMinor: 500n }]);
        await refund(reference, 500n, id, key);
        expect(await driver.counts(reference)).toMatchObject({ refundedMinor: 500n, refunds: 1 });
      });

      test('may have cancelled', async () => {
        const [reference, key] = [await authorized(), newKey()];
        driver.loseNextAnswer();
        await expect(provider.cancel(reference, key, signal)).rejects.toBeInstanceOf(Unknown);
        expect(amountsOf(await provider.cancel(reference, key, signal))).toEqual(['CANCELLED', 0n, 0n]);
      });

      test('may have done nothing, and does it with the same key', async () => {
        const [reference, key] = [await authorized(), newKey()];
        driver.failNextCall();
        await expect(provider.capture(reference, AMOUNT, key, signal)).rejects.toBeInstanceOf(Unknown);
        expect(amountsOf(await fetch(reference))).toEqual(['AUTHORIZED', AMOUNT, 0n]);
        expect(amountsOf(await provider.capture(reference, AMOUNT, key, signal))).toEqual(['CAPTURED', AMOUNT, AMOUNT]);
      });

      test('leaves reading unknown as well', async () => {
        const reference = await authorized();
        for (const read of [
          () => fetch(reference),
          () => provider.find(randomUUID(), signal),
          () => provider.changedSince(new Date(), null, signal),
        ]) {
          driver.failNextCall();
          await expect(read()).rejects.toBeInstanceOf(Unknown);
        }
      });

      test('is what a call is that was given up', async () => {
        const reference = await authorized();
        const given = AbortSignal.abort();
        await expect(provider.capture(reference, AMOUNT, newKey(), given)).rejects.toBeInstanceOf(Unknown);
        expect((await driver.counts(reference)).capturedMinor).toBe(0n);
        if (driver.stallNextCall === undefined) return;
        const controller = new AbortController();
        const arrived = driver.stallNextCall();
        const stalled = provider.fetch(reference, controller.signal);
        await arrived;
        controller.abort();
        await expect(stalled).rejects.toBeInstanceOf(Unknown);
      });
    });

    describe('a webhook', () => {
      const read = (request: WebhookRequest, now = new Date()) => provider.readWebhook(request, now);
      const bodyOf = ({ body }: WebhookRequest) => Buffer.from(body).toString();

      test('reports each change, and names the payment', async () => {
        await driver.sendWebhooks();
        recorder.requests.length = 0;
        const reference = await authorized();
        await driver.sendWebhooks();
        const told = recorder.requests.length;
        expect(told).toBeGreaterThan(0);
        await provider.capture(reference, AMOUNT, newKey(), signal);
        await refund(reference, 500n);
        await driver.sendWebhooks();
        expect(recorder.requests.length).toBeGreaterThan(told);
        const deliveries = recorder.requests.map((request) => read(request));
        for (const delivery of deliveries) expect(delivery).toMatchObject({ reference });
        const keys = deliveries.map((delivery) => (delivery as ProviderDelivery).deliveryKey);
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(key.length).toBeLessThanOrEqual(250);
      });

      test('that is repeated has the same key', async () => {
        const body = driver.eventBody((await begin()).reference);
        const [first, second] = [read(driver.sign(body)), read(driver.sign(body))] as ProviderDelivery[];
        expect(known(first).deliveryKey).toBe(known(second).deliveryKey);
      });

      test('that was not signed, or not with the secret, or was changed, is forged', async () => {
        const { reference } = await begin();
        const genuine = driver.sign(driver.eventBody(reference));
        expect(read(genuine)).toMatchObject({ reference });
        const { headers, ...rest } = genuine;
        expect(read({ ...rest, headers: { 'content-type': 'application/json' } })).toBe('FORGED');
        const changed = bodyOf(genuine).replace(reference, (await begin()).reference);
        expect(read({ ...genuine, body: Buffer.from(changed) })).toBe('FORGED');
        const strangers = driver.sign(bodyOf(genuine), { secret: 'somebody else’s secret, which is long enough' });
        expect(read(strangers)).toBe('FORGED');
        for (const [header, value] of Object.entries(headers)) {
          if (typeof value !== 'string' || !value.includes('v1=')) continue;
          for (const wrong of ['', 'v1=', value.slice(0, -4), `${value}x`, value.replace(/t=\d+/, 't=1')]) {
            expect(read({ ...rest, headers: { ...headers, [header]: wrong } })).toBe('FORGED');
          }
        }
      });

      test('is forged when it is more than five minutes old', async () => {
        const body = driver.eventBody((await begin()).reference);
        const now = Date.now();
        const at = (minutes: number) => driver.sign(body, { at: new Date(now + minutes * 60_000) });
        expect(read(at(-6), new Date(now))).toBe('FORGED');
        expect(read(at(-4), new Date(now))).not.toBe('FORGED');
        expect(read(at(0), new Date(now + 6 * 60_000))).toBe('FORGED');
      });

      test('of something else is ignored', async () => {
        const { reference } = await begin();
        expect(read(driver.sign(driver.eventBody(reference, { topic: 'something.else' })))).toBe('IGNORED');
      });

      test('that is authentic and cannot be read is malformed', () => {
        for (const body of ['null', '[]', '"text"', '{', '{}', '{"id":1}']) {
          expect(read(driver.sign(body))).toBe('MALFORMED');
        }
      });

      test('of a megabyte is read like any other', async () => {
        const { reference } = await begin();
        const body = driver.eventBody(reference).replace(/\}\s*$/, `,"padding":"${'x'.repeat(1_000_000)}"}`);
        expect(read(driver.sign(body))).toMatchObject({ reference });
      });
    });

    describe('what has changed', () => {
      test('is listed page by page, and completely', async () => {
        const since = new Date(Date.now() - 1000);
        const begun: string[] = [];
        for (let count = 0; count < 5; count += 1) begun.push((await begin()).reference);
        const [first] = begun;
        await driver.pay(known(first));
        driver.setPageSize(2);
        const pages: (readonly string[])[] = [];
        let cursor: string | null = null;
        do {
          const page = await provider.changedSince(since, cursor, signal);
          pages.push(page.references);
          cursor = page.next;
        } while (cursor !== null);
        expect(pages.length).toBeGreaterThan(2);
        const ours = pages.flat().filter((reference) => begun.includes(reference));
        expect(new Set(ours)).toEqual(new Set(begun));
        const later = await provider.changedSince(new Date(Date.now() + 3_600_000), null, signal);
        expect(later).toEqual({ references: [], next: null });
      });
    });
  });
}
