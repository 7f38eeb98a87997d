import type { BrowserContext, Page, ViewportSize } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { PLAIN, type TestBrowser } from './browser.ts';
import { makeProduct, type World } from './fixtures.ts';
import { known } from './known.ts';
import { collectFaults } from './web-page.ts';

/** Somebody with a browser of their own: cookies, storage, and what went wrong in its pages. */
export interface Visitor {
  context: BrowserContext;
  /** Errors and warnings of the console, requests that failed, and reports of the content security policy. */
  faults: string[];
  /** Opens an empty tab. */
  newPage(): Promise<Page>;
  /** Opens a tab at a path of the shop, and waits for its heading. */
  open(path: string): Promise<Page>;
}

/** What is special about a visitor. */
export interface VisitorOptions {
  /** Whether the test takes the network away: its faults are then expected. */
  networkFails?: boolean;
  /** Whether the context is for this visitor alone: for tests that add scripts, which would stay. */
  alone?: boolean;
  viewport?: ViewportSize;
}

/** What a browser itself writes about a network that is gone. */
const OF_NETWORK = /WebSocket connection|net::ERR_|Failed to load resource: net/;

const LOCALE = 'en-US';
const VIEWPORT = { width: 1280, height: 720 };

/** A visitor of the shop window, who leaves when the test is over. The test fails where something went wrong in the pages. */
export async function newVisitor(
  browser: TestBrowser,
  url: string,
  { networkFails = false, alone = false, viewport = VIEWPORT }: VisitorOptions = {},
): Promise<Visitor> {
  const { context, newPage, leave } = alone
    ? await openAlone(browser, viewport)
    : await browser.borrow({ url, locale: LOCALE, viewport });
  const faults = collectFaults(context, (fault) => networkFails && OF_NETWORK.test(fault));
  onTestFinished(async () => {
    await leave();
    faults.stop();
    expect(faults.found).toEqual([]);
  });
  return {
    context,
    faults: faults.found,
    newPage,
    async open(path) {
      const page = await newPage();
      page.setDefaultTimeout(30_000);
      await page.goto(`${url}${path}`);
      await page.locator('h1').first().waitFor();
      return page;
    },
  };
}

async function openAlone(browser: TestBrowser, viewport: ViewportSize) {
  const context = await browser.newContext({ ...PLAIN, locale: LOCALE, viewport });
  return { context, newPage: () => context.newPage(), leave: () => context.close() };
}

/** Fills in the page of the checkout, but for its button. */
export async function fillCheckout(page: Page, email: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Country').selectOption('GB');
  await page.getByLabel('Postcode').fill('SW1Y 4JH');
  await page.getByLabel('Full name').fill('Ada Lovelace');
  await page.getByLabel('Street and number').fill('12 St James Square');
  await page.getByLabel('Town or city').fill('London');
}

/** A button by its whole name. */
export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Puts what a page shows into the cart, whose drawer then opens. */
export async function addToCart(page: Page): Promise<void> {
  await button(page, 'Add to cart').click();
  await page.getByRole('dialog').getByText('Held for you for').waitFor();
}

/** A product with so many units of one variant, and the path of its page. */
export async function makeProductPage(world: World, onHand: number, title = 'Clover Honey') {
  const made = await makeProduct(world, { title, variants: [{ onHand }] });
  const { globalId: variantId, sku } = known(made.variants[0]);
  return { path: `/products/${made.slug}`, variantId, sku };
}
