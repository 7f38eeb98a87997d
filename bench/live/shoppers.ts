import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-sync'];

/** The browser of this machine. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
}

/** Opens a page of the shop in a context of its own: a visitor without a cart. */
export async function openVisitor(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-US', ...options });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('main .stock-note').first().waitFor();
  return page;
}

/** A product of the demo, by a variant of which there are enough units. */
export const PRODUCT_PATH = '/products/acacia-honey?variant=ACACIA-250';
