import type { Page, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newEmail, newPerson, newStaff, PASSWORD, type Person } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { globalId, makeProduct, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { clearTerms, makePromotion, makeZone } from '../support/pricing.ts';
import { guestWithOrder, orderLifeOf } from '../support/order-life.ts';
import { settled } from '../support/settled.ts';
import { addToCart, button, fillCheckout, makeProductPage, newVisitor } from '../support/shop-window.ts';
import { shopperOf } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { ensureWebBuild } from '../support/web-build.ts';
import { goWithin } from '../support/web-page.ts';
import { losesHoldAndTakesItAgain, pursueLastUnit } from '../support/window-journeys.ts';

// Whole journeys through the shop window, in a real browser, as shoppers make them.

describe.skipIf(!hasBrowser('shop window'))('the shop window', () => {
  let shop: TestShop & World;
  let browser: TestBrowser;
  let staff: Person;

  beforeAll(async () => {
    await ensureWebBuild();
    const [opened, launched] = await Promise.all([createTestShop({ env: { WEB: 'on' } }), launchBrowser()]);
    shop = { ...opened, eventLog: opened.app.eventLog };
    browser = launched;
    staff = await newStaff(shop);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
  });

  const visitor = (options?: Parameters<typeof newVisitor>[2]) => newVisitor(browser, shop.url, options);

  const product = (onHand: number, title?: string) => makeProductPage(shop, onHand, title);
  const add = addToCart;
  const ordersOf = (email: string) =>
    rowsOf<{ id: string; number: string }>(shop.db, 'SELECT id, number FROM orders WHERE lower(email) = lower($1)', [
      email,
    ]);
  const step = (page: Page, name: string) => page.locator('[aria-current="step"]', { hasText: name }).waitFor();

  /** Waits until the totals of a page say this and no more, part by part. */
  async function totals(page: Page, ...parts: string[]): Promise<void> {
    let shown: string[] = [];
    await until(`the totals are ${parts.join(', ')}`, async () => {
      shown = (await page.locator('.totals:visible > div').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '));
      return shown.join('|') === parts.join('|');
    }).catch((error: unknown) => {
      throw new Error(`wanted ${parts.join(' | ')}, shown: ${shown.join(' | ')}`, { cause: error });
    });
  }

  test('a code, free shipping and another country change what a cart costs, and the order keeps it', async () => {
    onTestFinished(() => clearTerms(shop));
    const { path } = await product(10);
    await makeZone(shop, {
      name: 'Home',
      countries: ['GB'],
      isHome: true,
      methods: [{ title: 'Van', price: 490, freeFrom: 1500 }],
      tax: 20,
    });
    await makeZone(shop, {
      name: 'France',
      countries: ['FR'],
      methods: [
        { title: 'Post', price: 900 },
        { title: 'Courier', price: 1900 },
      ],
      tax: 10,
    });
    await makePromotion(shop, { title: 'Bees', codes: ['BEES'], combines_with: ['SHIPPING'] });
    const ada = await visitor();
    const page = await ada.open(path);
    await add(page);
    await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
    const email = newEmail();
    await fillCheckout(page, email);
    await page.getByLabel('E-mail').focus();
    await totals(page, 'Subtotal $10.00', 'Shipping: Van $4.90', 'VAT of Home 20 % $2.98', 'Total $17.88');
    await page.getByText('$5.00 more for free shipping.').waitFor();

    const tab = await ada.open('/cart');
    await button(tab, 'One more').click();
    await totals(tab, 'Subtotal $20.00', 'Shipping: Van $0.00', 'VAT of Home 20 % $4.00', 'Total $24.00');
    expect(await tab.getByText('more for free shipping').count()).toBe(0);
    await tab.getByRole('textbox', { name: /^Discount code/ }).fill('nothing');
    await button(tab, 'Apply').click();
    await tab.getByRole('list', { name: 'Discount codes' }).getByText('nothing').waitFor();
    await tab.getByRole('textbox', { name: /^Discount code/ }).fill('bees');
    await button(tab, 'Apply').click();
    await totals(
      tab,
      ...['Subtotal $20.00', 'Bees (bees) -$2.00', 'Shipping: Van $0.00', 'VAT of Home 20 % $3.60', 'Total $21.60'],
    );

    await page.getByLabel('Country').selectOption('FR');
    await page.getByLabel('Postal code').fill('75001');
    await page.getByLabel('Town or city').fill('Paris');
    await page.getByLabel('E-mail').focus();
    await totals(page, 'Subtotal $20.00', 'Bees (bees) -$2.00', 'VAT of France 10 % $1.80', 'Total $19.80');
    await page.getByLabel('Courier').check();
    const paid = [
      ...['Subtotal $20.00', 'Bees (bees) -$2.00', 'Shipping: Courier $19.00', 'VAT of France 10 % $3.70'],
      'Total $40.70',
    ];
    await totals(page, ...paid);
    await button(page, 'Place order').click();
    await page.getByRole('heading', { name: /^Order / }).waitFor();
    await totals(page, ...paid);
    await page.getByText('75001 Paris').waitFor();
    const [order] = await rowsOf(shop.db, 'SELECT total_minor::int AS total FROM orders WHERE email = $1', [email]);
    expect(order).toEqual({ total: 4070 });
  });

  test('the total changes in every tab when staff end a promotion, and nobody pays one that was not shown', async () => {
    onTestFinished(() => clearTerms(shop));
    const { path } = await product(10);
    const { id } = await makePromotion(shop, { title: 'This week' });
    const ada = await visitor();
    const page = await ada.open(path);
    await add(page);
    await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
    await fillCheckout(page, newEmail());
    const reduced = ['Subtotal $10.00', 'This week -$1.00', 'Total $9.00'];
    await totals(page, ...reduced);
    const tab = await ada.open('/cart');
    await totals(tab, ...reduced);
    const { promotionEnd } = await staff.client.data<{ promotionEnd: { errors: [] } }>(
      'mutation ($id: ID!) { promotionEnd(input: { id: $id }) { errors { code } } }',
      { id: globalId('Promotion', id) },
    );
    expect(promotionEnd.errors).toEqual([]);
    await totals(page, 'Total $10.00');
    await totals(tab, 'Total $10.00');
    await button(page, 'Place order').click();
    await page.getByRole('heading', { name: /^Order / }).waitFor();
    await totals(page, 'Total $10.00');
  });

  test('an address that is saved is filled in at the next checkout, beside those that were saved before', async () => {
    const { path } = await product(10);
    const person = await newPerson(shop);
    const address = { countryCode: 'GB', postalCode: 'SW1Y 4JH', line1: '12 St James Square', city: 'London' };
    const { addressCreate } = await person.client.data<{ addressCreate: { errors: [] } }>(
      'mutation ($input: AddressCreateInput!) { addressCreate(input: $input) { errors { message } } }',
      { input: { address: { ...address, name: 'Ada Lovelace' } } },
    );
    expect(addressCreate.errors).toEqual([]);
    const ada = await visitor();
    const page = await ada.open('/log-in');
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(PASSWORD);
    await button(page, 'Log in').click();
    await page.getByRole('heading', { name: 'Orders' }).waitFor();
    await goWithin(page, path);
    await add(page);
    await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
    await page.getByRole('radio', { name: 'Ada Lovelace' }).and(page.locator(':checked')).waitFor();
    expect(await page.getByLabel('Postcode').inputValue()).toBe('SW1Y 4JH');
    await page.getByRole('radio', { name: 'Another address' }).check();
    await page.getByLabel('Country').selectOption('US');
    await page.getByLabel('State').selectOption('CA');
    await page.getByLabel('Full name').fill('Grace Hopper');
    await page.getByLabel('Street and number').fill('1 Main Street');
    await page.getByLabel('Town or city').fill('Los Angeles');
    await page.getByLabel('ZIP code').fill('9021');
    await page.getByLabel('Save this address').check();
    await button(page, 'Place order').click();
    await page.getByText('Is not a postal code of US.', { exact: true }).waitFor();
    expect(await page.getByLabel('ZIP code').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('ZIP code').fill('90210');
    await button(page, 'Place order').click();
    await page.getByRole('heading', { name: /^Order / }).waitFor();
    await page.getByText('Los Angeles, CA 90210').waitFor();
    await goWithin(page, '/account');
    const book = page.getByRole('region', { name: 'Addresses' }).getByRole('listitem');
    await book.nth(1).waitFor();
    await button(page, 'Use by default').or(page.getByText('Use by default')).click();
    await book.first().getByText('Grace Hopper').waitFor();
    await page.getByRole('button', { name: /^Delete .*London/ }).click();
    await book.nth(1).waitFor({ state: 'detached' });
  });

  test('two shoppers after the last unit: one holds it, the other waits and buys it when it is back', async () => {
    expect(await pursueLastUnit(shop, browser)).toEqual([]);
  });

  test('a hold counts down by the clock of the shop, runs out under the eyes of its shopper, and is taken again', async () => {
    expect(await losesHoldAndTakesItAgain(shop, browser)).toEqual([]);
  });

  test('a guest buys with a double click: one order, whose page follows what becomes of it', async () => {
    const { path } = await product(3);
    const ada = await visitor();
    const page = await ada.open(path);
    await add(page);
    await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
    const email = newEmail();
    await fillCheckout(page, email);
    await button(page, 'Place order').dblclick();
    await page.getByRole('heading', { name: /^Order / }).waitFor();
    const orders = await ordersOf(email);
    expect(orders).toHaveLength(1);
    await page.getByRole('heading', { name: `Order ${known(orders[0]).number}` }).waitFor();
    await step(page, 'Placed');

    const orderId = Buffer.from(`Order:${known(orders[0]).id}`).toString('base64');
    const life = orderLifeOf(staff.client);
    known((await life.update({ id: orderId, status: 'FULFILLED' })).order);
    await step(page, 'On its way');
    await page.reload();
    await step(page, 'On its way');
    known((await life.update({ id: orderId, status: 'DELIVERED' })).order);
    await step(page, 'Delivered');
    // One step back does not lead to a checkout that is over.
    await page.goBack();
    await page.getByRole('heading', { name: 'Clover Honey' }).waitFor();
  });

  test.each(['is lost', 'is not waited for: the page is loaded again'])(
    'an answer to the checkout that %s makes one order all the same',
    async (what) => {
      const { path } = await product(3);
      const ada = await visitor({ networkFails: true });
      const page = await ada.open(path);
      await add(page);
      await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
      const email = newEmail();
      await fillCheckout(page, email);
      let sent = 0;
      const done = new Promise<void>((resolve) => {
        void page.route('**/graphql', async (route) => {
          if (route.request().postData()?.includes('ShopCheckout') !== true) return route.continue();
          sent += 1;
          if (sent > 1) return route.continue();
          await route.fetch();
          if (what === 'is lost') await route.abort('connectionreset');
          resolve();
        });
      });
      await button(page, 'Place order').click();
      await done;
      if (what !== 'is lost') await page.reload();
      await page.getByRole('heading', { name: /^Order / }).waitFor();
      expect([sent, await ordersOf(email)]).toEqual([2, [expect.anything()]]);
    },
  );

  test('a cart follows its guest into an account, to a second device, and both agree at once', async () => {
    const { path } = await product(9, 'Linden Honey');
    const [laptop, phone] = [await visitor(), await visitor({ viewport: { width: 360, height: 740 } })];
    const page = await laptop.open(path);
    await add(page);
    await button(page, 'Close').click();
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Create an account' }).click();
    const email = newEmail();
    await page.getByLabel('Name').fill('Ada');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill('short');
    await button(page, 'Create account').click();
    await page.locator('[aria-invalid="true"]').waitFor();
    await page.getByLabel('Password').fill(PASSWORD);
    await button(page, 'Create account').click();
    await page.getByRole('heading', { name: 'Ada' }).waitFor();
    await button(page, 'Cart, 1 item').waitFor();

    const small = await phone.open('/log-in?to=/cart');
    await small.getByLabel('E-mail').fill(email);
    await small.getByLabel('Password').fill(PASSWORD);
    await button(small, 'Log in').click();
    await small.getByRole('heading', { name: 'Your cart' }).waitFor();
    await small.getByRole('button', { name: 'One more' }).click();
    await button(page, 'Cart, 2 items').waitFor();

    // The laptop ends the session of the phone, which learns of it where it is, and comes back there.
    await small.goto(`${shop.url}/account`);
    await small.getByRole('heading', { name: 'Ada' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: /^Log out / }).click();
    await until('the phone is logged out', async () => new URL(small.url()).pathname === '/log-in');
    phone.faults.splice(0, Infinity, ...phone.faults.filter((fault) => !fault.includes('401')));
    await small.getByLabel('E-mail').fill(email);
    await small.getByLabel('Password').fill(PASSWORD);
    await button(small, 'Log in').click();
    await small.getByRole('heading', { name: 'Ada' }).waitFor();
    expect([laptop.faults, phone.faults]).toEqual([[], []]);
  });

  test('a search answers as one types, a list goes on as one reads, and keeps its place', async () => {
    for (let i = 0; i < 60; i += 1) await makeProduct(shop, { title: `Zinnia ${i}`, variants: [{ onHand: 2 }] });
    await settled(shop);
    const ada = await visitor();
    const page = await ada.open('/');
    await page.getByRole('searchbox', { name: 'Search products' }).pressSequentially('zinn');
    // The first letter alone finds them, too.
    await page.waitForURL((url) => url.search === '?q=zinn');
    await page.getByText('60 products').waitFor();
    const cards = page.locator('main article');
    await page.getByRole('button', { name: 'Show more' }).scrollIntoViewIfNeeded();
    await until('the list goes on', async () => (await cards.count()) >= 48);
    await cards.nth(40).scrollIntoViewIfNeeded();
    const title = known(await cards.nth(40).locator('h3').textContent());
    const before = await page.evaluate(() => window.scrollY);
    await cards.nth(40).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    await page.goBack();
    await until('the list is where it was', async () => {
      const now = await page.evaluate(() => window.scrollY);
      return Math.abs(now - before) < 50;
    });
    await page.getByLabel('In stock').check();
    await page.getByText('60 products').waitFor();
    await page.getByLabel('From').fill('100');
    await page.getByLabel('From').press('Enter');
    await page.getByText('Nothing on the shelf is like that.').waitFor();
  });

  test('a list is narrowed by options and what is nearly gone, with numbers, and its address keeps it', async () => {
    const sizes = (...onHand: number[]) =>
      onHand.map((units, index) => ({ onHand: units, options: [{ name: 'Jar', value: `${index + 1} kg` }] }));
    await makeProduct(shop, { title: 'Quince Honey', tags: ['autumn'], variants: sizes(9, 2) });
    await makeProduct(shop, { title: 'Quillaja Honey', variants: sizes(9) });
    await makeProduct(shop, { title: 'Quarry Honey', tags: ['autumn'], variants: sizes(0, 8, 7) });
    const ada = await visitor({ viewport: { width: 1280, height: 900 } });
    const page = await ada.open('/products?q=Qu');
    const titles = async (...wanted: string[]) => {
      const cards = page.locator('main article h3');
      await until(`the list is ${wanted.join(', ')}`, async () => {
        const shown = await cards.allInnerTexts();
        return shown.toSorted().join() === wanted.toSorted().join();
      });
    };
    await titles('Quince Honey', 'Quillaja Honey', 'Quarry Honey');
    const filters = page.getByRole('complementary', { name: 'Filters' });
    const filter = (name: string, found: number, place = filters) =>
      place.getByRole('checkbox', { name: new RegExp(`^${name}\\s+${found}\\s+found$`) });
    await filter('2 kg', 2).check();
    await titles('Quince Honey', 'Quarry Honey');
    // Other values of the same option are counted as they would be chosen beside it.
    await filter('3 kg', 1).waitFor();
    await filter('Nearly gone', 1).check();
    await titles('Quince Honey');
    expect(new URL(page.url()).searchParams.toString()).toBe('q=Qu&option.Jar=2+kg&low=1');

    await page.reload();
    await titles('Quince Honey');
    expect(await filter('Nearly gone', 1).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Remove filter Jar: 2 kg' }).click();
    await titles('Quince Honey');
    await page.getByRole('button', { name: /^autumn/ }).press('Enter');
    // The key leaves the focus where it is.
    await page
      .getByRole('button', { name: /^autumn/, pressed: true })
      .and(page.locator(':focus'))
      .waitFor();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await titles('Quince Honey', 'Quillaja Honey', 'Quarry Honey');
    expect(new URL(page.url()).search).toBe('?q=Qu');

    // On a telephone the filters are in a drawer, which says what they find.
    await page.setViewportSize({ width: 360, height: 740 });
    await button(page, 'Filters').click();
    const drawer = page.getByRole('dialog', { name: 'Filters' });
    await filter('Nearly gone', 1, drawer).check();
    await button(page, 'Show 1 product').click();
    await drawer.waitFor({ state: 'detached' });
    await titles('Quince Honey');
    await button(page, 'Filters 1 chosen').click();
    await drawer.getByRole('button', { name: 'Clear all' }).click();
    await page.keyboard.press('Escape');
    await titles('Quince Honey', 'Quillaja Honey', 'Quarry Honey');
  });

  test('a shopper hears in place that something in the cart runs low, until the message is closed', async () => {
    const { path, variantId } = await product(9, 'Buckwheat Honey');
    const ada = await visitor();
    const page = await ada.open(path);
    await add(page);
    const drawer = page.getByRole('dialog', { name: 'Your cart' });
    await shopperOf(shop.client()).add({ variantId, quantity: 6 });
    const message = page.getByRole('status', { name: 'Stock of your cart' });
    await drawer.getByText('Buckwheat Honey is running low: 2 more are left.').waitFor();
    await button(page, 'Close').click();
    await drawer.waitFor({ state: 'detached' });
    await message.getByText('Yours are in your cart, and held for you.').waitFor();
    // It says what is true now, on every page.
    await shopperOf(shop.client()).add({ variantId, quantity: 2 });
    await message.getByText('Buckwheat Honey is sold out now.').waitFor();
    await page.getByRole('link', { name: 'Products', exact: true }).click();
    await message.getByText('Buckwheat Honey is sold out now.').waitFor();
    await button(page, 'Close this message').click();
    await until('the message is gone', async () => (await message.textContent()) === '');
    await button(page, 'Cart, 1 item').click();
    await drawer.getByText('You hold the last.').waitFor();
    expect(await drawer.getByText('is sold out now').count()).toBe(0);
  });

  test('a network that is away for a while: the page says so, and is right again without being loaded', async () => {
    const { path, variantId } = await product(50);
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(shop.url).port) });
    onTestFinished(() => proxy.dispose());
    const ada = await newVisitor(browser, `http://localhost:${proxy.port}`, { networkFails: true });
    const page = await ada.open(path);
    await page.getByText('50 in stock').waitFor();
    await page.evaluate(() => Object.assign(window, { stayed: true }));
    proxy.refuse();
    proxy.cut();
    await page.getByText('What you see may be out of date').waitFor();
    const other = shopperOf(shop.client());
    await other.add({ variantId, quantity: 3 });
    await other.add({ variantId, quantity: 4 });
    proxy.accept();
    await page.getByText('43 in stock').waitFor();
    await page.getByText('What you see may be out of date').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => 'stayed' in window)).toBe(true);
  });

  test('a session that begins while the page is about to connect: the connection before it is given up without a fault', async () => {
    const { path, sku } = await product(3);
    const ada = await visitor({ alone: true });
    await ada.context.addInitScript(() => {
      addEventListener('unhandledrejection', () => (document.documentElement.dataset['rejected'] = 'yes'));
    });
    const page = await ada.newPage();
    const held: WebSocketRoute[] = [];
    await page.routeWebSocket('**/graphql', (socket) => {
      if (held.length === 0) held.push(socket);
      else socket.connectToServer();
    });
    await page.goto(`${shop.url}${path}`);
    await until('the page connects', () => held.length === 1);
    // As the log-in in another tab has it.
    await page.evaluate(() => dispatchEvent(new StorageEvent('storage', { key: 'vitrine.session-epoch' })));
    await page.getByText('3 left').waitFor();
    await known(held[0]).close({ code: 1012 });
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    expect(await page.locator('html[data-rejected]').count()).toBe(0);
    // It is live: the next connection is that of the new session.
    await shopperOf(shop.client()).add({ sku: sku, quantity: 1 });
    await page.getByText('2 left').waitFor();
    expect(ada.faults).toEqual([]);
  });

  test('a shop that is stopped and started again under an open page', async () => {
    const { path, variantId } = await product(20);
    const port = new URL(shop.url).port;
    const ada = await visitor({ networkFails: true });
    const page = await ada.open(path);
    await page.getByText('20 in stock').waitFor();
    const database = {
      url: shop.config.database.kind === 'url' ? shop.config.database.url : '',
      dispose: async () => {},
    };
    await shop.app.dispose();
    await page.getByText('What you see may be out of date').waitFor();
    const again = await createTestShop({ database, env: { WEB: 'on', BCRYPT_COST: '4', PORT: port } });
    const { dispose } = shop;
    shop = { ...again, eventLog: again.app.eventLog, dispose: () => again.dispose().then(dispose) };
    await shopperOf(shop.client()).add({ variantId, quantity: 1 });
    await page.getByText('19 in stock').waitFor();
    expect(ada.faults).toEqual([]);
  });

  test('the link of a mail leads to the order, and another link is asked for where it does not', async () => {
    const { sku } = await product(4);
    const { order, accessToken } = await guestWithOrder(shop, [{ sku, quantity: 1 }]);
    const ada = await visitor();
    const page = await ada.open(`/order?token=${encodeURIComponent(accessToken)}`);
    await page.getByRole('heading', { name: `Order ${order.number}` }).waitFor();
    await button(page, 'Cancel order').click();
    await button(page, 'Yes, cancel it').click();
    await page.getByText('Nothing is sent.').waitFor();
    const wrong = await ada.open('/order?token=nonsense');
    await wrong.getByText('This link does not lead to an order').waitFor();
    expect(ada.faults).toEqual([]);
  });
});
