import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { login, newPerson, PASSWORD, resetToken } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { makeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { guestWithOrder } from '../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, rowId } from '../support/shopper.ts';
import type { TestShop } from '../support/shop.ts';
import { changingNothing } from '../support/state.ts';
import { waiterOf } from '../support/stock-alerts.ts';
import { callerFrom, createThrottledShop, newAddress } from '../support/throttling.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4', SHOP_NAME: 'Honey & <Sons>' });
});
afterAll(() => shop.dispose());

const HOSTILE = '<img src=x onerror=alert(1)> "Acacia" & co';

/** A guest's order of three units of something with a name that is not to be trusted. */
async function placeOrder(): Promise<{ number: string; accessToken: string }> {
  const { variants } = await makeProduct(shop, { title: HOSTILE, variants: [{ onHand: 5, price: 1250 }] });
  const { order, accessToken } = await guestWithOrder(shop, [{ sku: known(variants[0]).sku, quantity: 3 }]);
  return { number: order.number, accessToken };
}

interface Shown {
  status: number;
  text: string;
  headers: Headers;
}

async function open(path: string, form?: Record<string, string>): Promise<Shown> {
  const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
  const response = await fetch(`${shop.url}${path}`, { ...body, headers: { origin: shop.url } });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const confirmToken = (userId: string) => shop.app.services.accounts.emailConfirmationToken(rowId(userId));

async function isConfirmed(userId: string): Promise<boolean> {
  const [row] = await rowsOf<{ at: Date | null }>(shop.db, 'SELECT email_verified_at AS at FROM users WHERE id = $1', [
    rowId(userId),
  ]);
  return known(row).at !== null;
}

describe('the page of an order', () => {
  test('is shown to those who have its token, with all text escaped', async () => {
    const { number, accessToken } = await placeOrder();
    const { status, text, headers } = await open(`/mail/order?token=${accessToken}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/,
    );
    expect(text).toContain(`<title>Order ${number} · Honey &amp; &lt;Sons&gt;</title>`);
    expect(text).toContain('3 × &lt;img src=x onerror=alert(1)&gt; &quot;Acacia&quot; &amp; co');
    expect(text).toContain('$37.50');
    expect(text).not.toContain('<img');
  });

  test.each(['', '?token=', '?token=nonsense', `?token=${'A'.repeat(22)}.${'A'.repeat(43)}`])(
    'is none for %j',
    async (query) => {
      const { status, text } = await open(`/mail/order${query}`);
      expect(status).toBe(404);
      expect(text).toContain('invalid');
    },
  );
});

describe('an order on its page', () => {
  const path = (token: string) => `/mail/order?token=${token}`;

  test('shows the shipping address', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 5, price: 1250 }] });
    const { order, accessToken } = await guestWithOrder(shop, [{ sku: known(variants[0]).sku, quantity: 1 }]);
    await rowsOf(
      shop.db,
      `UPDATE orders SET shipping_name = 'Ada <b>', shipping_line1 = 'Main Street 1', shipping_postal_code = '12345',
              shipping_city = 'Springfield', shipping_country_code = 'US' WHERE number = $1`,
      [order.number],
    );
    const { text } = await open(path(accessToken));
    for (const line of ['Ada &lt;b&gt;', 'Main Street 1', '12345 Springfield', 'US']) expect(text).toContain(line);
  });

  test('is cancelled by its button, once, and its units go back', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 5, price: 1250 }] });
    const { id } = known(variants[0]);
    const { accessToken } = await guestWithOrder(shop, [{ sku: known(variants[0]).sku, quantity: 3 }]);
    const onHand = async () =>
      (await rowsOf<{ n: number }>(shop.db, 'SELECT on_hand AS n FROM product_variants WHERE id = $1', [id]))[0]?.n;
    expect((await open(path(accessToken))).text).toContain('Cancel this order');
    expect(await onHand()).toBe(2);

    const done = await open(path(accessToken), {});
    expect(done.status).toBe(200);
    expect(done.text).toContain('Your order was cancelled.');
    expect(done.text).not.toContain('Cancel this order');
    expect(await onHand()).toBe(5);

    const again = await open(path(accessToken), {});
    expect(again.status).toBe(409);
    expect(await onHand()).toBe(5);
  });

  test('is not cancelled by a token that is not valid', async () => {
    const { status } = await changingNothing(shop, () => open(path('nonsense'), {}));
    expect(status).toBe(404);
  });
});

describe('the page that confirms an address', () => {
  test('does so by its button, not by being opened', async () => {
    const ada = await newPerson(shop);
    const token = await confirmToken(ada.userId);
    const asked = await changingNothing(shop, () => open(`/mail/confirm-email?token=${token}`));
    expect(asked.status).toBe(200);
    expect(asked.text).toContain(`name="token" value="${token}"`);
    expect(await isConfirmed(ada.userId)).toBe(false);

    const done = await open('/mail/confirm-email', { token });
    expect([done.status, await isConfirmed(ada.userId)]).toEqual([200, true]);
  });

  test.each([{}, { token: '' }, { token: 'nonsense' }, { other: 'x' }])('does not by %j', async (form) => {
    const { status, text } = await changingNothing(shop, () => open('/mail/confirm-email', form as { token: string }));
    expect(status).toBe(400);
    expect(text).toContain('invalid');
  });

  test('puts what a link says nowhere but where it belongs', async () => {
    const { text } = await open(`/mail/confirm-email?token=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect(text).not.toContain('<script');
  });
});

describe('the page to choose a new password', () => {
  test('sets it once, and ends all sessions', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    expect((await changingNothing(shop, () => open(`/mail/reset-password?token=${token}`))).status).toBe(200);
    const done = await open('/mail/reset-password', { token, newPassword: 'another password, as long' });
    expect(done.status).toBe(200);
    expect((await login(shop.client(), { email: ada.email, password: 'another password, as long' })).errors).toEqual(
      [],
    );
    expect((await ada.client.execute('{ me { id } }')).status).toBe(401);
    expect(await isConfirmed(ada.userId)).toBe(true);

    const again = await changingNothing(shop, () => open('/mail/reset-password', { token, newPassword: PASSWORD }));
    expect(again.status).toBe(400);
    expect((await open(`/mail/reset-password?token=${token}`)).status).toBe(404);
  });

  test('confirms the address: what a guest waited for with it is in the account at once', async () => {
    const ada = await newPerson(shop);
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 0 }] });
    const { globalId: variantId } = known(variants[0]);
    const waited = await waiterOf(shop.client()).wait({ variantId, email: ada.email });
    const token = await resetToken(shop, ada.email);
    await open('/mail/reset-password', { token, newPassword: 'another password, as long' });
    const alerts = await rowsOf(shop.db, 'SELECT user_id AS "userId" FROM stock_alerts WHERE id = $1', [
      rowId(known(waited.stockAlert).id),
    ]);
    expect(alerts).toEqual([{ userId: rowId(ada.userId) }]);
  });

  test('says what is wrong with a password, and does not show it again', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    const { status, text } = await changingNothing(shop, () =>
      open('/mail/reset-password', { token, newPassword: 'tooshort' }),
    );
    expect(status).toBe(400);
    expect(text).toContain('The password must have at least 10 characters.');
    expect(text).not.toContain('tooshort');
    expect((await open('/mail/reset-password', { token, newPassword: 'another password, as long' })).status).toBe(200);
  });
});

test('unknown paths get 404, and bodies that are too large get 413', async () => {
  expect((await open('/mail/nothing')).status).toBe(404);
  expect((await open('/mail/confirm-email', { token: 'x'.repeat(20_000) })).status).toBe(413);
});

test('a body without content-length is read up to the limit', async () => {
  const post = async (headers: Record<string, string>, body: string[]) =>
    (await shop.request({ method: 'POST', path: '/mail/confirm-email', headers, body })).status;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await post(form, ['token=', 'x'])).toBe(400);
  expect(
    await post(
      form,
      Array.from({ length: 20 }, () => 'x'.repeat(1000)),
    ),
  ).toBe(413);
  // Other methods and types are none of these pages'; they are answered all the same.
  expect(await post({ 'transfer-encoding': 'chunked' }, ['x'])).toBe(400);
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    expect((await shop.request({ method, path: '/mail/order?token=x' })).status).toBe(404);
  }
  expect(shop.logs.filter(({ level }) => level >= 50)).toEqual([]);
});

describe('guesses at the token of a link', () => {
  let throttled: TestShop;
  beforeAll(async () => {
    const two = { points: 2, seconds: 900 };
    throttled = await createThrottledShop({
      ...{ orderTokensByClient: two, alertTokensByClient: two, confirmationTokensByClient: two },
      ...{ resetAttemptsByClient: two, orderLinksByClient: two },
    });
  });
  afterAll(() => throttled.dispose());

  const visit = async (address: string, path: string, form?: Record<string, string>) => {
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(`${throttled.url}${path}`, { ...body, headers: { 'x-forwarded-for': address } });
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() };
  };

  test.each([
    ['/mail/order?token=x', undefined, 404, 'invalid order tokens'],
    ['/mail/order?token=x', {}, 404, 'invalid order tokens'],
    // Both limits are used up by then.
    ['/mail/order-link', { token: 'x' }, 404, '(order link requests|invalid order tokens)'],
    ['/mail/stock-alert?token=x', undefined, 400, 'invalid'],
    ['/mail/stock-alert?token=x', {}, 400, 'invalid'],
    ['/mail/confirm-email', { token: 'x' }, 400, ''],
    ['/mail/reset-password?token=x', undefined, 404, ''],
    ['/mail/reset-password', { token: 'x', newPassword: PASSWORD }, 400, ''],
  ])('%s %o: so many from a network', async (path, form, wrong, what) => {
    const address = newAddress();
    expect((await visit(address, path, form)).status).toBe(wrong);
    expect((await visit(address, path, form)).status).toBe(wrong);
    const refused = await visit(address, path, form);
    expect(refused.status).toBe(429);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(refused.text).toMatch(new RegExp(`Too many ${what}`));
    expect((await visit(newAddress(), path, form)).status).toBe(wrong);
  });

  test('count with those by the API, and a token that is right does not', async () => {
    const address = newAddress();
    const { variants } = await makeProduct(
      { ...throttled, eventLog: throttled.app.eventLog },
      { variants: [{ onHand: 5 }] },
    );
    const guest = await enter(throttled);
    await guest.add({ sku: known(variants[0]).sku, quantity: 1 });
    const { order } = await guest.checkout({ email: 'guest@example.com', idempotencyKey: 'one' });
    const right = `/mail/order?token=${known(order).accessToken}`;
    for (let i = 0; i < 4; i += 1) expect((await visit(address, right)).status).toBe(200);
    expect((await visit(address, '/mail/order?token=x')).status).toBe(404);
    const api = callerFrom(throttled, address);
    const guess = () => api.execute('{ order(accessToken: "x") { number } }');
    expect((await guess()).codes).toEqual([]);
    expect((await guess()).codes).toEqual(['RATE_LIMITED']);
    // What is locked is locked for the right one, too.
    expect((await visit(address, right)).status).toBe(429);
  });
});

test('a client with too many requests gets 429 with retry-after', async () => {
  const throttled = await createThrottledShop({ operationsByClient: { points: 2, seconds: 60 } });
  try {
    const address = newAddress();
    const ask = () => fetch(`${throttled.url}/mail/order?token=x`, { headers: { 'x-forwarded-for': address } });
    expect((await ask()).status).toBe(404);
    expect((await ask()).status).toBe(404);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.text()).toContain('Too many requests');
    // They count with all else that it does.
    expect((await callerFrom(throttled, address).execute('{ shop { name } }')).status).toBe(429);
  } finally {
    await throttled.dispose();
  }
});

describe.skipIf(!hasBrowser('The pages behind links'))('in a real browser', () => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, 30_000);
  afterAll(() => browser?.close());

  const faults: string[] = [];
  async function visit(path: string): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${shop.url}${path}`);
    return page;
  }

  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env.SCREENSHOTS;
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }

  test('they fit a screen of 390 and of 1280 pixels, styles and all', async () => {
    const { accessToken } = await placeOrder();
    const ada = await newPerson(shop);
    const paths = [
      `/mail/order?token=${accessToken}`,
      `/mail/confirm-email?token=${await confirmToken(ada.userId)}`,
      `/mail/reset-password?token=${await resetToken(shop, ada.email)}`,
      '/mail/order',
    ];
    const page = await visit(known(paths[0]));
    for (const [index, path] of paths.entries()) {
      if (index > 0) await page.goto(`${shop.url}${path}`);
      for (const width of [390, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        const [overflow, family] = await page.evaluate(() => [
          document.documentElement.scrollWidth - document.documentElement.clientWidth,
          getComputedStyle(document.body).fontFamily,
        ]);
        expect([path, width, overflow]).toEqual([path, width, 0]);
        expect(family).toContain('Helvetica');
        await picture(page, `link-${index}-${width}`);
      }
    }
    await page.close();
    // The browser reports a page that was not found as an error, too.
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
  });

  test('the form sets the password', async () => {
    const ada = await newPerson(shop);
    const page = await visit(`/mail/reset-password?token=${await resetToken(shop, ada.email)}`);
    await page.getByLabel('New password').fill('typed into a browser');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('heading', { name: 'Password changed' }).waitFor();
    expect((await login(shop.client(), { email: ada.email, password: 'typed into a browser' })).errors).toEqual([]);
    await page.close();
  });
});
