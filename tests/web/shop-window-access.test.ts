import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newEmail, newPerson, PASSWORD } from '../support/accounts.ts';
import { findBarriersInAllLooks } from '../support/axe.ts';
import { rowsOf } from '../support/books.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { makeCategory, makeProduct, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { guestWithOrder } from '../support/order-life.ts';
import { newVisitor } from '../support/shop-window.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { ensureWebBuild } from '../support/web-build.ts';
import { goWithin } from '../support/web-page.ts';

// Who cannot see well, or uses no mouse, can use the whole shop: axe finds nothing on any page, and keys alone lead to an order.

declare const document: Document;

describe.skipIf(!hasBrowser('accessibility of the shop window'))('the shop window', () => {
  let shop: TestShop & World;
  let browser: TestBrowser;
  let slug: string;
  let gone: string;
  let category: string;
  let token: string;

  beforeAll(async () => {
    await ensureWebBuild();
    const [opened, launched] = await Promise.all([createTestShop({ env: { WEB: 'on' } }), launchBrowser()]);
    shop = { ...opened, eventLog: opened.app.eventLog };
    browser = launched;
    category = (await makeCategory(shop, 'Honeycomb')).slug;
    const options = (value: string) => [{ name: 'Size', value }];
    const made = await makeProduct(shop, {
      title: 'Donaudampfschifffahrtsgesellschaftskapitänshonig of the Very Long Name',
      description: 'Honey, and a word that does not end: '.concat('honig'.repeat(60)),
      categorySlug: category,
      vendor: 'Apiary',
      tags: ['raw', 'mild'],
      images: [{ url: '/images/acacia-honey.svg', altText: 'A jar of honey' }],
      variants: [
        { onHand: 9, options: options('250 g') },
        { onHand: 0, options: options('500 g') },
        { onHand: 2, compareAt: 2000, options: options('1 kg') },
      ],
    });
    slug = made.slug;
    gone = (await makeProduct(shop, { title: 'Gone', categorySlug: category, variants: [{ onHand: 0 }] })).slug;
    token = (await guestWithOrder(shop, [{ sku: known(made.variants[0]).sku, quantity: 2 }])).accessToken;
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
  });

  test('axe finds nothing on the pages of a guest', async () => {
    const ada = await newVisitor(browser, shop.url);
    const page = await ada.open('/');
    const found: Record<string, string[]> = {};
    const look = async (name: string, path: string, heading: string, ready: string) => {
      await goWithin(page, path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await page.getByText(ready).first().waitFor();
      found[name] = await findBarriersInAllLooks(page);
    };
    await page.getByText('New on the shelf').first().waitFor();
    found['home'] = await findBarriersInAllLooks(page);
    await look('products', '/products', 'All products', '2 products');
    await look('narrowed', '/products?option.Size=1+kg&low=1', 'All products', 'Clear all');
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('button', { name: 'Filters' }).click();
    await page.getByRole('dialog').getByText('Nearly gone').waitFor();
    found['filters in a drawer'] = await findBarriersInAllLooks(page);
    await page.keyboard.press('Escape');
    await look('category', `/categories/${category}`, 'Honeycomb', '2 products');
    await look('nothing found', '/products?q=nothing', '“nothing”', 'Nothing on the shelf');
    await look('product', `/products/${slug}`, 'Donaudampf', 'in stock');
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByRole('dialog').getByText('Held for you for').waitFor();
    found['drawer'] = await findBarriersInAllLooks(page);
    await page.keyboard.press('Escape');
    await look('sold out', `/products/${gone}`, 'Gone', 'Sold out for now');
    await look('cart', '/cart', 'Your cart', 'Held for you for');
    await look('checkout', '/checkout', 'Checkout', 'Place order');
    await page.getByRole('button', { name: 'Place order' }).click();
    await page.getByRole('alert').first().waitFor();
    found['checkout refused'] = await findBarriersInAllLooks(page);
    await look('order', `/order?token=${encodeURIComponent(token)}`, 'Order', 'What you bought');
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
  });

  test('axe finds nothing on the pages of accounts, where the password can be changed', async () => {
    const person = await newPerson(shop);
    const ada = await newVisitor(browser, shop.url);
    const page = await ada.open('/log-in');
    const found: Record<string, string[]> = { '/log-in': await findBarriersInAllLooks(page) };
    for (const [path, heading] of [
      ['/register', 'Create an account'],
      ['/forgotten-password', 'Forgotten password'],
      ['/reset-password?token=x', 'Choose a new password'],
      ['/confirm-email?token=x', 'Confirm your address'],
      ['/stock-alert', 'Stock alert'],
    ] as const) {
      await goWithin(page, path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      found[path] = await findBarriersInAllLooks(page);
    }
    await goWithin(page, '/log-in');
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    found['/account'] = await findBarriersInAllLooks(page);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByLabel('Current password').fill('not the password');
    await page.getByLabel('New password').fill('another password of Ada');
    const submit = page.getByRole('button', { name: 'Change password' });
    await submit.click();
    await page.locator('.field-fault').waitFor();
    found['/account password'] = await findBarriersInAllLooks(page);
    await page.getByLabel('Current password').fill(PASSWORD);
    await submit.click();
    await page.getByText('Your password has been changed.').waitFor();
    const { login } = await shop
      .client()
      .data<{ login: { user: object | null } }>(
        'mutation ($email: String!) { login(input: { email: $email, password: "another password of Ada", tokens: BODY }) { user { id } } }',
        { email: person.email },
      );
    expect(login.user).not.toBeNull();
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
  });

  test('keys alone lead from the front page to an order', async () => {
    const ada = await newVisitor(browser, shop.url, { viewport: { width: 1280, height: 800 } });
    const page = await ada.open('/');
    await page.getByText('New on the shelf').waitFor();
    /** Goes on by the tab key until something of this name has the focus. */
    async function tabTo(name: RegExp): Promise<void> {
      for (let presses = 0; presses < 80; presses += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => {
          const { activeElement } = document;
          const label = activeElement?.getAttribute('aria-label');
          const id = activeElement?.id ?? '';
          const named = id === '' ? null : document.querySelector(`label[for="${id}"]`);
          return label ?? named?.textContent ?? activeElement?.textContent ?? '';
        });
        if (name.test(focused)) return;
      }
      throw new Error(`The tab key leads to nothing that is called ${name}.`);
    }
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await tabTo(/Donaudampf/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /Donaudampf/ }).waitFor();
    await tabTo(/^One more$/);
    await page.keyboard.press('Enter');
    await tabTo(/^Add to cart$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('Held for you for').waitFor();
    await tabTo(/^Check out$/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Place order' }).waitFor();
    const email = newEmail();
    for (const [label, text] of [
      [/^E-mail/, email],
      [/^Country/, 'United K'],
      [/^Full name/, 'Ada'],
      [/^Street/, '1 Street'],
      [/^Town/, 'London'],
      [/^Postcode/, 'N1 9GU'],
    ] as const) {
      await tabTo(label);
      await page.keyboard.type(text);
    }
    await tabTo(/^Place order$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Order / }).waitFor();
    const lines = await rowsOf<{ quantity: number; country: string }>(
      shop.db,
      `SELECT l.quantity, o.shipping_country_code AS country FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.email = $1`,
      [email],
    );
    expect(lines).toEqual([{ quantity: 2, country: 'GB' }]);
  });
});
