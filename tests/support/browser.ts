import { existsSync } from 'node:fs';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
  type ViewportSize,
} from 'playwright-core';

/** The first one draws no window that nobody sees: a start and a context cost it half of the processor time. */
const INSTALLED = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const CHROMIUM = process.env.CHROMIUM ?? INSTALLED.find((path) => existsSync(path)) ?? '/usr/bin/chromium';

/**
 * Parts of the browser that are off. The last `--disable-features` counts, so Playwright's own list of version 1.65 is repeated
 * first. Then come what Chromium draws its toolbar with: a renderer of its own for each context, two seconds of processor time
 * each, for a window that nobody sees.
 */
const FEATURES_OFF = [
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsUpgrades', 'LensOverlay'],
  ...['HttpsFirstBalancedModeAutoEnable', 'MediaRouter', 'PaintHolding', 'ThirdPartyStoragePartitioning'],
  ...['AvoidCorsURLLoaderRestartOnRedirect', 'TcpPortRandomizationWin', 'OptimizationHints', 'AimEnabled'],
  ...['NetworkTimeServiceQuerying', 'PreconnectToSearch'],
  ...['InitialWebUI', 'WebUIReloadButton', 'WebUIToolbar', 'WebUILocationBar', 'WebUIOmniboxPopup'],
  ...['WebUIOmniboxFullPopup', 'WebUIOmniboxAimPopup', 'PreloadTopChromeWebUI', 'SpareRendererForSitePerProcess'],
];

/** Whether there is a real browser; says what is not tried where there is none. */
export function hasBrowser(what: string): boolean {
  const found = existsSync(CHROMIUM);
  if (!found) {
    process.stderr.write(
      `${what}: not tried in a browser. No ${CHROMIUM}: apt-get install chromium, or set CHROMIUM.\n`,
    );
  }
  return found;
}

/** Started by the first test file of a process that needs it, and used by those after it: a start costs half a second of CPU. */
let shared: Promise<Browser> | null = null;

async function start(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    handleSIGTERM: false,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      // Tabs of one context share a process, instead of starting one each.
      '--process-per-site',
      // No page lives as long as it takes to earn back what its optimised code costs.
      '--js-flags=--no-turbofan,--no-maglev',
      '--disable-background-networking',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${FEATURES_OFF.join(',')}`,
    ],
  });
  browser.once('disconnected', () => (shared = null));
  // Vitest ends its workers by it, which are killed half a second later. Once the browser is closed, nothing else listens for it.
  process.once('SIGTERM', () => void browser.close().finally(() => process.kill(process.pid, 'SIGTERM')));
  return browser;
}

/** The browser as one test file has it: closing it ends what the file opened. */
export interface TestBrowser extends Pick<Browser, 'newContext' | 'newPage' | 'close'> {
  /**
   * A context that was used before, as good as new: without cookies, storage and pages. It costs a quarter of a new one, since its
   * process and its cache are there already. For pages of one shop, which serves the web apps.
   */
  borrow(options: BorrowOptions): Promise<BorrowedContext>;
}

/** How pages are drawn that nobody looks at: nothing moves, and a quarter of the pixels will do. */
export const PLAIN = { reducedMotion: 'reduce', deviceScaleFactor: 0.5 } as const;

/** What a borrowed context is to be like. */
export interface BorrowOptions {
  /** The shop whose pages are opened. */
  url: string;
  locale: string;
  viewport: ViewportSize;
}

/** A context until it is given back. */
export interface BorrowedContext {
  context: BrowserContext;
  /** Opens a tab. */
  newPage(): Promise<Page>;
  /** Leaves the pages. Scripts and clocks that a test added would stay: such a test has a context of its own. */
  leave(): Promise<void>;
}

/** Opens the browser for a test file. Close it when the file is done. */
export async function launchBrowser(): Promise<TestBrowser> {
  shared ??= start().catch((error: unknown) => {
    shared = null;
    throw error;
  });
  const browser = await shared;
  const contexts = new Set<BrowserContext>();
  async function newContext(options?: BrowserContextOptions): Promise<BrowserContext> {
    const context = await browser.newContext(options);
    contexts.add(context);
    context.once('close', () => contexts.delete(context));
    return context;
  }
  const pools = new Map<string, Parked[]>();
  return {
    newContext,
    newPage: async (options) => (await newContext(options)).newPage(),
    async borrow({ url, locale, viewport }) {
      const pool = pools.get(locale) ?? [];
      pools.set(locale, pool);
      const { context, pages } = pool.pop() ?? {
        context: await newContext({ ...PLAIN, locale }),
        pages: [],
      };
      return {
        context,
        async newPage() {
          const page = pages.shift() ?? (await context.newPage());
          await page.setViewportSize(viewport);
          return page;
        },
        async leave() {
          pool.push({ context, pages: await park(context, url) });
        },
      };
    },
    async close() {
      await Promise.all(Array.from(contexts, (context) => context.close()));
    },
  };
}

interface Parked {
  context: BrowserContext;
  /** Blank pages of the shop's origin, which keep the process. */
  pages: Page[];
}

/** As many tabs as a test has at the same time in one context. */
const PARKED_PAGES = 2;

async function park(context: BrowserContext, url: string): Promise<Page[]> {
  const pages = context.pages();
  const left = pages.splice(PARKED_PAGES);
  await Promise.all(left.map((page) => page.close()));
  // A page of the same origin without a script.
  const parking = `${url}/robots.txt`;
  for (const page of pages) {
    if (page.url() === parking) continue;
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.goto(parking);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.evaluate(() => sessionStorage.clear());
  }
  await pages[0]?.evaluate(() => localStorage.clear());
  await context.clearCookies();
  return pages;
}
