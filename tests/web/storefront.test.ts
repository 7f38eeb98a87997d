import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import jwt from 'jsonwebtoken';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { newPerson, PASSWORD, type Person } from '../support/accounts.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { makeProduct, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import { shopperOf } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';
import type { Storefront } from './storefront/page.ts';

// The journeys of a store front on another origin than the shop, in a real browser, with its cookies and its sockets.

const SECRET = 'a secret of tests that is long enough';

declare const window: { storefront: Storefront };

interface Cart {
  kind: string;
  cart: { id: string; totalQuantity: number };
}

const CART = `subscription Cart($after: EventCursor) {
  cartChanged(after: $after) { cursor kind cart { id totalQuantity } }
}`;
const STOCK = `subscription Stock($ids: [ID!], $after: EventCursor) {
  stockChanged(variantIds: $ids, after: $after) { cursor available variant { id available } }
}`;
const ADD = `mutation ($lines: [CartLineInput!]!) {
  cartLinesAdd(input: { lines: $lines }) { cart { id totalQuantity } errors { code } }
}`;
const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { accessTokenExpiresAt errors { code } } }';

describe.skipIf(!hasBrowser('store front'))('a store front on another origin', () => {
  let shop: TestShop & World;
  let site: Server;
  let origin: string;
  let browser: TestBrowser;
  let variantId: string;
  let slug: string;

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL('storefront/page.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"production"', 'globalThis.__DEV__': 'false' },
    });
    const script = known(bundle.outputFiles[0]).text;
    site = createServer((req, res) => {
      const isScript = req.url === '/page.js';
      res.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      res.end(isScript ? script : '<!doctype html><title>A store front</title><script src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => {
      site.listen(0, '127.0.0.1', resolve);
    });
    origin = `http://localhost:${(site.address() as AddressInfo).port}`;
    const opened = await createTestShop({ env: { CORS_ORIGINS: origin, JWT_SECRET: SECRET } });
    shop = { ...opened, eventLog: opened.app.eventLog };
    const product = await makeProduct(shop, { variants: [{ onHand: 1000 }] });
    slug = product.slug;
    variantId = known(product.variants[0]).globalId;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
    site?.close();
  });

  // Pages of the test before may still be closing, and would be taken for those that are to open.
  beforeEach(async () => {
    await until('nobody follows', () => shop.app.subscriptions() === 0).catch((error: unknown) => {
      const sockets = shop.logs.filter(({ msg }) => msg === 'WebSocket closed').length;
      const state = { ...shop.app.fanOut?.(), followers: shop.app.subscriptions(), socketsClosed: sockets };
      throw new Error(`${String(error)}: ${JSON.stringify(state)}`);
    });
  });

  async function newVisitor(): Promise<BrowserContext> {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    return context;
  }

  async function openTab(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${origin}/?api=${encodeURIComponent(shop.url)}`);
    return page;
  }

  const ask = (page: Page, query: string, variables: object = {}) =>
    page.evaluate(([text, given]) => window.storefront.ask(text, given), [query, variables] as const);

  async function add(page: Page, quantity: number): Promise<{ id: string; totalQuantity: number }> {
    const { data } = await ask(page, ADD, { lines: [{ variantId, quantity }] });
    return (data as { cartLinesAdd: { cart: { id: string; totalQuantity: number } } }).cartLinesAdd.cart;
  }

  /** Follows, and waits until the shop knows of it. */
  async function follow(
    page: Page,
    name: string,
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<void> {
    const before = shop.app.subscriptions();
    await page.evaluate(([as, text, given]) => window.storefront.follow(as, text, given), [
      name,
      query,
      variables,
    ] as const);
    await until(`${name} is followed`, () => shop.app.subscriptions() > before);
  }

  const eventsOf = <Event>(page: Page, name: string) =>
    page.evaluate((as) => window.storefront.events[as] ?? [], name) as Promise<Event[]>;
  const faultsOf = (page: Page) => page.evaluate(() => JSON.stringify(window.storefront.faults));

  /** The event that comes last, once it is the one that is waited for. */
  function heard<Event>(page: Page, name: string, isIt: (event: Event) => boolean): Promise<Event> {
    return until(`${name} is heard of`, async () => {
      const last = (await eventsOf<Event>(page, name)).at(-1);
      return last !== undefined && isIt(last) ? last : null;
    }) as Promise<Event>;
  }

  const hearsOf = (page: Page, cart: { id: string; totalQuantity: number }) =>
    heard<Cart>(page, 'cart', ({ cart: told }) => told.id === cart.id && told.totalQuantity === cart.totalQuantity);

  test('a new visitor with two tabs follows the first cart in both, over WebSocket and SSE, without a reload', async () => {
    const context = await newVisitor();
    const one = await openTab(context);
    await follow(one, 'cart', CART);
    const two = await openTab(context);
    const before = shop.app.subscriptions();
    await two.evaluate((query) => window.storefront.followOverSse('cart', query), CART);
    await until('the stream stands', () => shop.app.subscriptions() > before);
    for (const [page, quantity] of [
      [one, 2],
      [two, 1],
    ] as const) {
      const cart = await add(page, quantity);
      for (const tab of [one, two]) await hearsOf(tab, cart);
    }
    expect([await faultsOf(one), await faultsOf(two)]).toEqual(['[]', '[]']);
  });

  test('a log-in in the middle, and a log-out, reach the live cart of every tab', async () => {
    const ada: Person = await newPerson(shop);
    const phone = shopperOf(ada.client);
    const context = await newVisitor();
    const [one, two] = [await openTab(context), await openTab(context)];
    await follow(one, 'cart', CART);
    await follow(two, 'cart', CART);
    await add(one, 1);
    await heard<Cart>(two, 'cart', ({ cart }) => cart.totalQuantity === 1);

    const { data } = await ask(one, LOGIN, { input: { email: ada.email, password: PASSWORD } });
    expect(data).toMatchObject({ login: { errors: [] } });
    const cart = known((await phone.add({ variantId, quantity: 4 })).cart);
    expect(cart.totalQuantity).toBe(5);
    for (const tab of [one, two]) await hearsOf(tab, cart);

    await ask(two, 'mutation { logout { loggedOut } }');
    await until('the browser is a visitor again, with a name', async () =>
      (await context.cookies()).some(({ name }) => name === 'cart_token'),
    );
    const anew = await add(one, 3);
    expect(anew.totalQuantity).toBe(3);
    for (const tab of [one, two]) await hearsOf(tab, anew);
    expect([await faultsOf(one), await faultsOf(two)]).toEqual(['[]', '[]']);
  });

  test('a page that stays open past its access token goes on: stock without a break, the cart after a refresh', async () => {
    const ada: Person = await newPerson(shop);
    const phone = shopperOf(ada.client);
    const context = await newVisitor();
    const page = await openTab(context);
    await page.clock.install();
    await ask(page, LOGIN, { input: { email: ada.email, password: PASSWORD } });
    // Twenty minutes pass at once: the access token in the browser's cookie is about to end, its session is as it was.
    const cookies = await context.cookies(shop.url);
    const access = known(cookies.find(({ name }) => name === 'access_token'));
    const { payload, header } = known(jwt.decode(access.value, { complete: true }));
    const exp = Math.ceil(Date.now() / 1000) + 3;
    const value = jwt.sign({ ...(payload as object), exp }, SECRET, { keyid: known(header.kid) });
    await context.addCookies([{ ...access, value }]);
    await settled(shop);
    await follow(page, 'stock', STOCK, { ids: [variantId] });
    await follow(page, 'cart', CART);
    const first = known((await phone.add({ variantId, quantity: 1 })).cart);
    await hearsOf(page, first);
    await page.clock.fastForward('20:00');
    await until('the token is over', () => Date.now() > exp * 1000 + 1500);
    await page.clock.resume();
    const second = known((await phone.add({ variantId, quantity: 1 })).cart);
    await hearsOf(page, second);
    await until('both levels have arrived', async () => (await eventsOf(page, 'stock')).length >= 2);
    expect(await page.evaluate(() => window.storefront.refreshes())).toBeGreaterThan(0);
    expect(await faultsOf(page)).toBe('[]');
    // Nothing was missed, and nothing came twice.
    const kinds = (await eventsOf<Cart>(page, 'cart')).map(({ cart }) => cart.totalQuantity);
    expect(kinds).toEqual([1, 2]);
    expect(await eventsOf(page, 'stock')).toHaveLength(2);
  });

  test.each(['apollo', 'urql'] as const)(
    'the cursor of a page is not moved on by another query (%s)',
    async (client) => {
      const page = await openTab(await newVisitor());
      const A = `query A($slug: String) {
      eventCursor(for: "A")
      product(slug: $slug) { id asOf(for: "A") variants { id available } }
      products(first: 1) { asOf(for: "A") nodes { id } }
    }`;
      const B = `query B($slug: String) {
      eventCursor(for: "B")
      product(slug: $slug) { id asOf(for: "B") title }
      products(first: 1) { asOf(for: "B") nodes { id } }
    }`;
      interface Shown {
        eventCursor: string;
        product: { asOf: string; variants: { available: number }[] };
        products: { asOf: string };
      }
      await settled(shop);
      const read = (query: string) =>
        page.evaluate(([as, text, variables]) => window.storefront.read(as, text, variables), [
          client,
          query,
          { slug },
        ] as const) as Promise<Shown>;
      const first = await read(A);
      expect([first.product.asOf, first.products.asOf]).toEqual([first.eventCursor, first.eventCursor]);
      const available = known(first.product.variants[0]).available;

      await shopperOf(shop.client()).add({ variantId, quantity: 2 });
      await settled(shop);
      const other = await read(B);
      expect(other.eventCursor).not.toBe(first.eventCursor);

      const shown = (await page.evaluate(([as, text, variables]) => window.storefront.shown(as, text, variables), [
        client,
        A,
        { slug },
      ] as const)) as Shown;
      expect(shown).toEqual(first);
      // Subscribed after the cursor that the page shows, the change in between comes first, and the cache is right again.
      const variables = { ids: [variantId], after: shown.product.asOf };
      await page.evaluate(([as, query, given]) => window.storefront.followWith(as, 'stock', query, given), [
        client,
        STOCK,
        variables,
      ] as const);
      await heard<{ available: number }>(page, 'stock', (event) => event.available === available - 2);
      await until('the page shows it', async () => {
        const now = (await page.evaluate(([as, text, given]) => window.storefront.shown(as, text, given), [
          client,
          A,
          { slug },
        ] as const)) as Shown;
        return now.product.variants[0]?.available === available - 2;
      });
      expect(await faultsOf(page)).toBe('[]');
    },
  );
});
