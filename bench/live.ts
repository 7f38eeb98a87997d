import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { launchBrowser, openVisitor, PRODUCT_PATH } from './live/shoppers.ts';
import { startOwnShop } from './own-shop.ts';

// `npm run bench:live`: from a click on "Add to cart" in one browser to the level in another. See README.md.

const USAGE = `How long does it take from a click on "Add to cart" in one browser until another browser shows the new level?

  npm run bench:live -- [--clicks 200] [--within 1000] [--redis redis://127.0.0.1:6379]

  --clicks  how often one clicks (1 to 10000)
  --within  what 99 of 100 clicks may take, in milliseconds
  --redis   a Redis through which events and jobs go; by default they go within the process

Exit code: 0 within that time, 1 not, 2 wrong arguments.`;

/** How long a level may take to show before the run is given up. */
const GIVE_UP_MS = 60_000;
const WARM_UP = 5;

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = (await run(options)) ? 0 : 1;
}

/** Calls with everything that a page reports, in the order in which it does, and gives what waits for it. */
function reports<Report>(): {
  note: (report: Report) => void;
  next: (wanted: (report: Report) => boolean) => Promise<Report>;
} {
  const seen: Report[] = [];
  const waiting = new Set<() => void>();
  return {
    note(report) {
      seen.push(report);
      for (const wake of waiting) wake();
    },
    async next(wanted) {
      const until = Date.now() + GIVE_UP_MS;
      for (;;) {
        const at = seen.findIndex(wanted);
        if (at !== -1) {
          const [report] = seen.splice(0, at + 1).slice(-1);
          if (report !== undefined) return report;
        }
        if (Date.now() > until) throw new Error(`nothing was seen within ${GIVE_UP_MS} ms`);
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          const timer = setTimeout(wake, 1000);
          waiting.add(wake);
        });
      }
    },
  };
}

/** Notes the time of each click on a button of this name, by the clock that all pages of this machine share. */
async function noteClicks(page: Page, name: string): Promise<() => Promise<number>> {
  const clicks = reports<number>();
  await page.exposeFunction('noteClick', clicks.note);
  await page.evaluate((wanted) => {
    const note = (window as unknown as { noteClick: (at: number) => void }).noteClick;
    document.addEventListener(
      'click',
      ({ target, timeStamp }) => {
        if ((target as Element).closest('button')?.textContent === wanted) note(performance.timeOrigin + timeStamp);
      },
      true,
    );
  }, name);
  return () => clicks.next(() => true);
}

/** Notes each level that a page comes to show, with its time. */
async function noteLevels(page: Page): Promise<(level: number) => Promise<number>> {
  const levels = reports<{ level: number; at: number }>();
  await page.exposeFunction('noteLevel', (level: number, at: number) => levels.note({ level, at }));
  await page.evaluate(() => {
    const note = (window as unknown as { noteLevel: (level: number, at: number) => void }).noteLevel;
    let last = document.querySelector('main .stock-note')?.textContent ?? '';
    // Without a name: the loader of TypeScript adds a call to named functions that a page does not know.
    new MutationObserver(() => {
      const text = document.querySelector('main .stock-note')?.textContent ?? '';
      if (text === last) return;
      last = text;
      note(Number.parseInt(text.replaceAll(',', ''), 10) || 0, performance.timeOrigin + performance.now());
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return async (wanted) => (await levels.next(({ level }) => level === wanted)).at;
}

async function run({
  clicks,
  within,
  redis,
}: {
  clicks: number;
  within: number;
  redis: string | undefined;
}): Promise<boolean> {
  const shop = await startOwnShop({ RATE_LIMITS: 'off', ...(redis === undefined ? {} : { REDIS_URL: redis }) });
  const browsers = await Promise.all([launchBrowser(), launchBrowser()]);
  try {
    const [one, other] = await Promise.all(browsers.map((browser) => openVisitor(browser, shop.url + PRODUCT_PATH)));
    if (one === undefined || other === undefined) throw new Error('there is no browser');
    const level = Number.parseInt(
      (await other.locator('main .stock-note').first().innerText()).replaceAll(',', ''),
      10,
    );
    const clicked = await noteClicks(one, 'Add to cart');
    const shown = await noteLevels(other);
    const times: number[] = [];
    for (let click = 0; click < clicks + WARM_UP; click += 1) {
      await one.getByRole('button', { name: 'Add to cart', exact: true }).click();
      const [from, to] = [await clicked(), await shown(level - 1)];
      if (click >= WARM_UP) times.push(to - from);
      const drawer = one.getByRole('dialog');
      await drawer.getByRole('button', { name: 'Remove', exact: true }).click();
      await shown(level);
      await drawer.getByRole('button', { name: 'Close', exact: true }).click();
      await drawer.waitFor({ state: 'detached' });
    }
    return verdictOf(times, within);
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await shop.stop();
  }
}

function verdictOf(times: readonly number[], within: number): boolean {
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (part: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0;
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const passed = quantile(0.99) <= within;
  console.log(
    `${passed ? 'PASS' : 'FAIL'}  from the click to the level in another browser, ${times.length} clicks: ` +
      `median ${ms(quantile(0.5))}, p99 ${ms(quantile(0.99))}, at most ${ms(quantile(1))}; p99 may be ${ms(within)}`,
  );
  return passed;
}

function readOptions(args: string[]): { clicks: number; within: number; redis: string | undefined } | null {
  try {
    const { values } = parseArgs({
      args,
      options: {
        clicks: { type: 'string', default: '200' },
        within: { type: 'string', default: '1000' },
        redis: { type: 'string' },
      },
    });
    const [clicks, within] = [Number(values.clicks), Number(values.within)];
    const valid = Number.isInteger(clicks) && clicks >= 1 && clicks <= 10_000 && within > 0;
    return valid ? { clicks, within, redis: values.redis } : null;
  } catch {
    return null;
  }
}
