import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { makeProduct, type World } from './fixtures.ts';
import { known } from './known.ts';

/** Somebody with a browser of their own: cookies, storage, and what went wrong in its pages. */
export interface Visitor {
  context: BrowserContext;
  /** Errors and warnings of the console, requests that failed, and reports of the content security policy. */
  faults: string[];
  /** Opens a tab at a path of the shop, and waits for its heading. */
  open(path: string): Promise<Page>;
}

/** What a browser itself writes about a network that is gone. */
const OF_NETWORK = /WebSocket connection|net::ERR_|Failed to load resource: net/;

/**
 * A visitor of the shop window, who leaves when the test is over. The test fails where something went wrong in the pages.
 * @param networkFails whether the test takes the network away: its faults are then expected
 */
export async function newVisitor(
  browser: Browser,
  url: string,
  { networkFails = false, ...options }: BrowserContextOptions & { networkFails?: boolean } = {},
): Promise<Visitor> {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-US', ...options });
  const faults: string[] = [];
  const note = (text: string) => {
    if (!networkFails || !OF_NETWORK.test(text)) faults.push(text);
  };
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      // oxlint-disable-next-line no-console -- in the page, where it is listened to
      console.error(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) note(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => note(`error: ${error.error().message}`));
  context.on('requestfailed', (request) => {
    const cause = request.failure()?.errorText ?? '';
    // The page that asked was left.
    if (cause !== 'net::ERR_ABORTED') note(`request: ${request.url()} ${cause}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) note(`response: ${response.status()} ${response.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  return {
    context,
    faults,
    async open(path) {
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      await page.goto(`${url}${path}`);
      await page.locator('h1').first().waitFor();
      return page;
    },
  };
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
