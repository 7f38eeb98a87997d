import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyOf } from '../../src/http/web/web-pages.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { known } from '../support/known.ts';

/*
 * Stripe's Payment Element in a page with the policy of the shop window. Stripe's own script, which must come from Stripe, is
 * answered by a small double of it.
 */

const ENTRY = `
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import PaymentElement from './payment-element.tsx';
const props = { publishableKey: 'pk_test_1', clientSecret: 'pi_1_secret_2', returnUrl: 'https://shop.example/checkout' };
const onSubmitted = () => (document.title = 'submitted');
const root = createRoot(document.querySelector('#root'));
root.render(createElement(PaymentElement, { ...props, onSubmitted }));
addEventListener('leave', () => root.unmount());
`;

/** Keeps what it was called with in \`calls\`; \`answers\` are what it answers to \`confirmPayment\`. */
const DOUBLE = `
window.calls = [];
window.answers = [{ error: { message: 'Your card was declined.' } }, {}];
window.Stripe = (key) => ({
  elements: (options) => ({
    create: (type) => {
      const listeners = {};
      calls.push(['create', key, options.clientSecret, type]);
      return {
        on: (name, listener) => (listeners[name] = listener),
        mount: (box) => { box.textContent = 'card fields'; setTimeout(() => listeners.ready()); },
        destroy: () => calls.push(['destroy']),
      };
    },
  }),
  confirmPayment: async ({ confirmParams, redirect }) => {
    calls.push(['confirm', confirmParams.return_url, redirect]);
    const answer = answers.shift();
    if (answer === undefined) throw new Error('no network');
    return answer;
  },
  _registerWrapper() {},
});
`;

const noBrowser = !hasBrowser('Stripe’s Payment Element');

describe.skipIf(noBrowser)('the payment form of Stripe', () => {
  let browser: TestBrowser;
  let script: string;
  let url: string;
  const server = createServer((req, res) => {
    if (req.url === '/app.js') {
      res.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      return;
    }
    const stripe = req.url !== '/without';
    const headers = { 'content-type': 'text/html', 'content-security-policy': policyOf({ stripe }) };
    res
      .writeHead(200, headers)
      .end('<title>x</title><div id="root"></div><script type="module" src="/app.js"></script>');
  });
  beforeAll(async () => {
    const built = await build({
      stdin: {
        contents: ENTRY,
        resolveDir: fileURLToPath(new URL('../../src/web/shop/checkout', import.meta.url)),
        loader: 'tsx',
      },
      ...{ bundle: true, write: false, format: 'esm', platform: 'browser', jsx: 'automatic', logLevel: 'error' },
      loader: { '.css': 'empty' },
      define: { 'process.env.NODE_ENV': '"production"' },
    });
    script = known(built.outputFiles[0]).text;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function open(path: string): Promise<{ page: Page; asked: string[] }> {
    const page = await browser.newPage();
    const asked: string[] = [];
    await page.route('https://js.stripe.com/**', (route) => {
      asked.push(route.request().url());
      return route.fulfill({ contentType: 'text/javascript', body: DOUBLE });
    });
    await page.goto(`${url}${path}`);
    return { page, asked };
  }
  const callsOf = (page: Page) => page.evaluate(() => (globalThis as unknown as { calls: unknown[] }).calls);

  test('is loaded from Stripe, says why a payment was declined, and can be sent again', async () => {
    const { page, asked } = await open('/');
    const button = page.getByRole('button', { name: 'Pay' });
    await page.getByText('card fields').waitFor();
    expect(asked).toHaveLength(1);
    await button.click();
    await page.getByText('Your card was declined.').waitFor();
    expect(await page.title()).toBe('x');
    await button.click();
    await page.waitForFunction(() => document.title === 'submitted');
    expect(await callsOf(page)).toEqual([
      ['create', 'pk_test_1', 'pi_1_secret_2', 'payment'],
      ['confirm', 'https://shop.example/checkout', 'if_required'],
      ['confirm', 'https://shop.example/checkout', 'if_required'],
    ]);
    await page.evaluate(() => dispatchEvent(new Event('leave')));
    expect((await callsOf(page)).at(-1)).toEqual(['destroy']);
    await page.close();
  });

  test('says so when a payment could not be sent', async () => {
    const { page } = await open('/');
    await page.getByText('card fields').waitFor();
    await page.evaluate(() => void ((globalThis as unknown as { answers: unknown[] }).answers.length = 0));
    await page.getByRole('button', { name: 'Pay' }).click();
    await page.getByText('The payment could not be sent. Try again.').waitFor();
    expect(await page.getByRole('button', { name: 'Pay' }).isEnabled()).toBe(true);
    await page.close();
  });

  test('is kept out by the policy of a shop without a publishable key', async () => {
    const { page, asked } = await open('/without');
    await page.getByText('The payment form could not be loaded.').waitFor();
    expect(asked).toEqual([]);
    await page.close();
  });
});
