import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/modules/payments/providers/provider.types.ts';
import type { TestProvider } from '../../src/modules/payments/providers/test/test-provider.types.ts';
import { PAY_OUTCOMES } from '../../src/modules/payments/test-payments.types.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { createTestShop } from '../support/shop.ts';
import { changingNothing } from '../support/state.ts';

const RETURN_URL = 'https://front.example/checkout/done?cart=1';
const { signal } = new AbortController();

let shop: QuietShop;
let provider: TestProvider;
beforeAll(async () => {
  shop = await openQuietShop({ SHOP_NAME: 'Honey & <Sons>' });
  provider = known(shop.app.services.paymentProviders.test);
});
afterAll(() => shop.dispose());

interface Shown {
  status: number;
  text: string;
  headers: Headers;
}

async function open(path: string, form?: Record<string, string>): Promise<Shown> {
  const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
  const response = await fetch(`${shop.url}${path}`, { ...body, redirect: 'manual' });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Begins a payment; its pay page is at `path`. */
async function begin(description = 'Order <1> & co'): Promise<{ reference: string; path: string }> {
  const attempt = {
    paymentId: randomUUID(),
    amountMinor: 1990n,
    currency: 'USD',
    email: 'ada@example.com',
    description,
  };
  const addresses = { returnUrl: RETURN_URL, shopUrl: shop.url };
  const { client, snapshot } = await provider.begin({ ...attempt, ...addresses }, randomUUID(), signal);
  const path = known(client.redirectUrl).replace(shop.url, '');
  return { reference: snapshot.reference, path };
}

const choose = (path: string, outcome: string) => open(path, { outcome });

/** Begins a payment and chooses an outcome. */
async function after(outcome: string): Promise<{ path: string; reference: string; snapshot: Snapshot }> {
  const { path, reference } = await begin();
  const { status, headers } = await choose(path, outcome);
  expect([status, headers.get('location')]).toEqual([303, outcome === 'challenge' ? path : RETURN_URL]);
  return { path, reference, snapshot: await provider.fetch(reference, signal) };
}

describe('the pay page', () => {
  test('shows the amount, and a button for each outcome', async () => {
    const { path } = await begin();
    const { status, text, headers } = await open(path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).toContain('$19.90');
    expect(text).toContain('Order &lt;1&gt; &amp; co');
    expect(text).toContain('Honey &amp; &lt;Sons&gt;');
    const buttons = [...text.matchAll(/name="outcome"\s+value="([\w-]+)"/g)].map(([, outcome]) => outcome);
    expect(buttons).toEqual(Object.keys(PAY_OUTCOMES));
    expect(buttons).toEqual([
      ...['pay', 'decline', 'challenge', 'pay-late', 'fail-late', 'lose-answer', 'duplicate', 'reorder', 'dispute'],
    ]);
  });

  test('runs no scripts, and lets its form lead to the shop and to the page of return only', async () => {
    const { path } = await begin();
    const policy = known((await open(path)).headers.get('content-security-policy'));
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
    expect(policy).toContain("form-action 'self' https://front.example;");
  });

  test('exists only for those who have the whole reference', async () => {
    const { reference } = await begin();
    expect(reference).toMatch(/^test_[\w-]{32}$/);
    for (const wrong of [reference.slice(0, -1), `${reference}x`, 'test_', randomUUID()]) {
      expect((await open(`/pay/test/${wrong}`)).status).toBe(404);
      expect((await choose(`/pay/test/${wrong}`, 'pay')).status).toBe(404);
    }
    for (const path of ['/pay/test', '/pay/test/', '/pay/other/x', `/pay/${reference}`]) {
      expect((await open(path)).status).toBe(404);
    }
    expect((await provider.fetch(reference, signal)).state).toBe('PENDING');
  });

  test('refuses outcomes that do not exist, and forms that are too large', async () => {
    const { path } = await begin();
    await changingNothing(shop, async () => {
      for (const outcome of ['', 'steal', 'constructor', 'confirm-all']) {
        expect((await choose(path, outcome)).status).toBe(400);
      }
      for (const outcome of ['confirm', 'abort', 'win-dispute', 'lose-dispute']) {
        expect((await choose(path, outcome)).status).toBe(409);
      }
      expect((await choose(path, 'x'.repeat(5000))).status).toBe(413);
    });
  });
});

describe('an outcome', () => {
  test.each(['pay', 'lose-answer', 'duplicate', 'reorder', 'dispute'])('%s authorizes the payment', async (outcome) => {
    const { snapshot } = await after(outcome);
    expect(snapshot).toMatchObject({ state: 'AUTHORIZED', authorizedMinor: 1990n, capturedMinor: 0n });
  });

  test('decline says why, and lets the shopper try again', async () => {
    const { path, snapshot } = await after('decline');
    expect(snapshot).toMatchObject({ state: 'PENDING', failure: 'The bank declined the payment.' });
    expect((await open(path)).text).toContain('The bank declined the payment.');
    expect((await choose(path, 'pay')).status).toBe(303);
  });

  test('challenge leads to a second page, which confirms', async () => {
    const { path, reference, snapshot } = await after('challenge');
    expect(snapshot.state).toBe('PENDING');
    const { text } = await open(path);
    expect(text).toContain('value="confirm"');
    expect(text).not.toContain('value="pay"');
    expect((await choose(path, 'pay')).status).toBe(409);
    expect((await choose(path, 'confirm')).headers.get('location')).toBe(RETURN_URL);
    expect((await provider.fetch(reference, signal)).state).toBe('AUTHORIZED');
  });

  test('challenge leads to a second page, which can be left', async () => {
    const { path, reference } = await after('challenge');
    expect((await choose(path, 'abort')).headers.get('location')).toBe(RETURN_URL);
    const { state, failure } = await provider.fetch(reference, signal);
    expect([state, failure]).toEqual(['PENDING', 'The payment was not confirmed.']);
    expect((await open(path)).text).toContain('value="pay"');
  });

  test.each([
    ['pay-late', 'AUTHORIZED', null],
    ['fail-late', 'FAILED', 'The bank refused the payment.'],
  ])('%s comes when its time has come, and not before', async (outcome, state, failure) => {
    const base = Date.now();
    const standAt = (seconds: number) => provider.tune({ now: () => Promise.resolve(new Date(base + seconds * 1000)) });
    try {
      standAt(0);
      const { path, reference, snapshot } = await after(outcome);
      expect(snapshot.state).toBe('PROCESSING');
      expect((await open(path)).text).toContain('The bank is processing this payment.');
      expect((await choose(path, 'pay')).status).toBe(409);
      standAt(9);
      await provider.runDue();
      expect((await provider.fetch(reference, signal)).state).toBe('PROCESSING');
      standAt(10);
      await provider.runDue();
      expect(await provider.fetch(reference, signal)).toMatchObject({ state, failure });
    } finally {
      provider.tune({ now: undefined });
    }
  });

  test('dispute comes with the capture, and the bank decides it on the page', async () => {
    const { path, reference } = await after('dispute');
    const { disputes } = await provider.capture(reference, 1990n, randomUUID(), signal);
    expect(disputes).toMatchObject([{ state: 'OPEN', amountMinor: 1990n }]);
    expect((await open(path)).text).toContain('value="win-dispute"');
    expect((await choose(path, 'lose-dispute')).status).toBe(303);
    expect((await provider.fetch(reference, signal)).disputes).toMatchObject([{ state: 'LOST' }]);
    expect((await choose(path, 'win-dispute')).status).toBe(409);
  });

  test('lose-answer loses one answer, of the next operation', async () => {
    const { reference } = await after('lose-answer');
    const key = randomUUID();
    await expect(provider.capture(reference, 1990n, key, signal)).rejects.toThrow('The answer was lost.');
    expect((await provider.fetch(reference, signal)).state).toBe('CAPTURED');
    const { refunds } = await provider.refund(reference, { id: randomUUID(), amountMinor: 90n }, randomUUID(), signal);
    expect(refunds).toHaveLength(1);
  });
});

describe('a payment that is over', () => {
  test.each(['AUTHORIZED', 'CAPTURED', 'CANCELLED', 'FAILED'])(
    '%s says so, and takes no more outcomes',
    async (state) => {
      const { path, reference } = await begin();
      if (state === 'CANCELLED') await provider.cancel(reference, randomUUID(), signal);
      else await choose(path, state === 'FAILED' ? 'fail-late' : 'pay');
      if (state === 'FAILED') await provider.settleLate(reference);
      if (state === 'CAPTURED') await provider.capture(reference, 1990n, randomUUID(), signal);
      expect((await provider.fetch(reference, signal)).state).toBe(state);
      const { status, text } = await open(path);
      expect(status).toBe(200);
      expect(text).toContain('Payment finished');
      expect(text).not.toContain('<form');
      await changingNothing(shop, async () => {
        for (const outcome of [...Object.keys(PAY_OUTCOMES), 'confirm', 'abort', 'win-dispute']) {
          expect((await choose(path, outcome)).status).toBe(409);
        }
      });
    },
  );

  test('an authorization lapses after a week', async () => {
    const { reference, snapshot } = await after('pay');
    const lapsesAt = known(snapshot.lapsesAt).getTime();
    expect(Math.round((lapsesAt - Date.now()) / 3_600_000)).toBe(7 * 24);
    try {
      provider.tune({ now: () => Promise.resolve(new Date(lapsesAt)) });
      await provider.runDue();
    } finally {
      provider.tune({ now: undefined });
    }
    expect(await provider.fetch(reference, signal)).toMatchObject({ state: 'CANCELLED', authorizedMinor: 0n });
  });
});

test('in production there is no test provider, no pay page and no webhook of it', async () => {
  const { path } = await begin();
  const env = { NODE_ENV: 'production', JWT_SECRET: 'a secret of production that is long enough', DRAIN_SECONDS: '0' };
  const production = await createTestShop({ env, overrides: { quiet: true } });
  try {
    const { paymentProviders } = production.app.services;
    expect([paymentProviders.test, paymentProviders.byId.has('test')]).toEqual([null, false]);
    for (const method of ['GET', 'POST']) {
      for (const tried of [path, '/pay/test/x', '/webhooks/test']) {
        expect((await production.request({ method, path: tried })).status).toBe(404);
      }
    }
  } finally {
    await production.dispose();
  }
});
