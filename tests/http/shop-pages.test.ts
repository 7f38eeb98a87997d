import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from '../support/browser.ts';
import { newStaff, PASSWORD } from '../support/accounts.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

// People who open an address in a browser get a page; programs get JSON.

const PUBLIC = 'https://shop.example';
const VISIT = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };

let production: TestShop;
let local: TestShop;
beforeAll(async () => {
  [production, local] = await Promise.all([
    createTestShop({ env: { NODE_ENV: 'production', PUBLIC_URL: PUBLIC } }),
    createTestShop({ env: { BCRYPT_COST: '4' } }),
  ]);
});
afterAll(() => Promise.all([production.dispose(), local.dispose()]));

const ask = (path: string, headers: Record<string, string> = {}, shop = production) =>
  shop.request({ path, headers: { host: shop === production ? 'shop.example' : 'localhost', ...headers } });

describe('a fault', () => {
  test.each([
    ['/nothing-here', 404, 'Page not found'],
    ['/queues', 401, 'Login required'],
    ['/mailbox', 401, 'Login required'],
  ])('%s is a page for a person and JSON for a program', async (path, status, title) => {
    const page = await ask(path, VISIT);
    expect(page.status).toBe(status);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.body).toContain(`<h1>${title}</h1>`);
    expect(page.body.includes(`/staff/log-in?to=${encodeURIComponent(path)}`)).toBe(status === 401);

    for (const headers of [{}, { accept: 'application/json' }, { ...VISIT, 'sec-fetch-mode': 'cors' }]) {
      const json = await ask(path, headers);
      expect(json.status).toBe(status);
      expect(json.json()).toEqual({ error: expect.any(String) });
    }
  });
});

describe('in production', () => {
  test('/ says what runs where', async () => {
    const { status, body } = await ask('/', VISIT);
    expect(status).toBe(200);
    for (const path of ['/graphql', '/health/ready', '/mailbox', '/queues', '/staff/log-in'])
      expect(body).toContain(`href="${path}"`);
    expect((await ask('/')).body).toBe('A Vitrine shop. Its GraphQL API is at /graphql.\n');
  });

  test('/graphql is a page in a browser, and the API for everything else', async () => {
    const page = await ask('/graphql', VISIT);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain('GraphiQL is disabled in production');
    expect((await ask('/graphql?query={__typename}', VISIT)).body).toContain('{"__typename":"Query"}');
    expect((await ask('/graphql?query={__typename}')).json()).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('the log-in page', () => {
  test.each([
    ['/queues', '/queues'],
    ['/mailbox/x', '/mailbox/x'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/"><script>', '/'],
  ])('with to=%s leads to %s', async (to, leadsTo) => {
    const { body } = await ask(`/staff/log-in?to=${encodeURIComponent(to)}`, VISIT);
    expect(body).toContain(`<form data-to="${leadsTo}">`);
  });

  test.skipIf(!hasBrowser('The log-in page'))('leads an ADMIN who was asked to log in back to the page', async () => {
    const admin = await newStaff(local, 'ADMIN');
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      await page.goto(`${local.url}/queues`);
      await page.getByRole('link', { name: 'Log in as staff' }).click();
      await page.getByLabel('Email').fill(admin.email);
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('alert').waitFor();
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText('cart-expiry').first().waitFor();
      expect(new URL(page.url()).pathname).toMatch(/^\/queues/);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
