import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Letter } from '../../src/modules/mail/mail.types.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { known } from '../support/known.ts';
import { writeEveryLetter, type Texts } from '../support/letter-world.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';

/** Set it to look at the letters. */
const SHOTS = process.env.LETTER_SHOTS ?? null;

const PLAIN: Texts = {
  title: 'Organic Wildflower Honey',
  option: '500 g',
  sku: 'HON-WILD-500',
  name: 'Ada Lovelace',
  note: 'We could not find one that is good enough.\nThe money is on its way back to you.',
  picture: '/images/organic-wildflower-honey.svg',
};

const ATTACK = `<script>document.title='owned'</script>"><img src=x onerror=alert(1)>{{7*7}}</table></style>`;
const HOSTILE: Texts = {
  title: `${ATTACK} \u202Eevil\u202C שלום 👩‍👩‍👧‍👧 ${'W'.repeat(150)}`,
  option: `${ATTACK} ${'x'.repeat(80)}`,
  sku: `<b>${'S'.repeat(60)}`,
  name: `<script>document.title='owned'</script>"><img src=x onerror=alert(1)> مرحبا 🦄`,
  note: `${ATTACK}\r\nBcc: a@b.c\r\n\r\n${'N'.repeat(300)}`,
  picture: 'javascript:alert(1)',
};

const TEMPLATES = [
  'back-in-stock',
  'back-in-stock',
  'confirm-address',
  'low-stock',
  'order-placed',
  'order-status-changed',
  'order-status-changed',
  'order-status-changed',
  'password-changed',
  'password-reset',
  'welcome',
  'welcome',
];

describe.skipIf(!hasBrowser('Letters')).each([
  ['plain texts', PLAIN, 'Vitrine', 'https://honey.example'],
  ['hostile texts', HOSTILE, `${ATTACK} Shop`, null],
] as const)('every letter, with %s', (what, texts, shopName, storefront) => {
  let shop: QuietShop;
  let browser: TestBrowser | undefined;
  let letters: { name: string; mail: { template: string }; letter: Letter }[];
  beforeAll(async () => {
    shop = await openQuietShop({
      BCRYPT_COST: '4',
      SHOP_NAME: shopName,
      ...(storefront === null ? {} : { STOREFRONT_URL: storefront }),
    });
    letters = await writeEveryLetter(shop, texts);
    // In the end, so that what fails before leaves none behind.
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await shop.dispose();
  });

  test('is there, with a subject of one line, HTML and text', () => {
    expect(letters.map(({ mail }) => mail.template).toSorted()).toEqual(TEMPLATES);
    for (const { letter } of letters) {
      expect(letter.subject).toMatch(/^[^\p{Cc}\u202A-\u202E]{5,400}$/u);
      expect(letter.html).toMatch(/^<!DOCTYPE html/);
      expect(letter.html).not.toContain('<script');
      expect(letter.text.length).toBeGreaterThan(100);
      // A token is made of any letters.
      expect(letter.text.replaceAll(/token=[\w.-]+/g, 'token=')).not.toMatch(/<\/?(td|p|a)\b|undefined|null|\[object/);
    }
  });

  test('fits a screen of 390 and of 800 points, and holds nothing but what we put there', async () => {
    const folder = join(SHOTS ?? inject('postgres').runFolder, what.replace(' ', '-'));
    if (SHOTS !== null) mkdirSync(folder, { recursive: true });
    const context = await known(browser).newContext({ viewport: { width: 800, height: 900 } });
    const page = await context.newPage();
    await page.route('**/*', (route) =>
      route.request().url().startsWith(shop.url) ? route.continue() : route.abort(),
    );
    for (const { name, letter } of letters) {
      await page.setContent(letter.html, { waitUntil: 'load' });
      // What runs in the page is given as text: the tests' types know no DOM.
      const found = (await page.evaluate(`({
        overflow: document.documentElement.scrollWidth - innerWidth,
        title: document.title,
        scripts: document.querySelectorAll('script, iframe, form, input, b, object, embed').length,
        pictures: [...document.images].map((image) => image.src),
        handlers: [...document.querySelectorAll('*')].filter((element) =>
          [...element.attributes].some((attribute) => attribute.name.startsWith('on'))).length,
        links: [...document.links].map((link) => link.protocol),
        said: document.body.innerText,
      })`)) as {
        overflow: number;
        title: string;
        scripts: number;
        pictures: string[];
        handlers: number;
        links: string[];
        said: string;
      };
      expect([name, found.overflow, found.scripts, found.handlers]).toEqual([name, 0, 0, 0]);
      await page.setViewportSize({ width: 390, height: 900 });
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect([name, overflow]).toEqual([name, 0]);
      expect(found.title).not.toBe('owned');
      for (const picture of found.pictures) expect(picture.startsWith(`${shop.url}/images/`)).toBe(true);
      expect(found.links.filter((protocol) => !['http:', 'https:'].includes(protocol))).toEqual([]);
      // The text part says the same, but for how it is laid out.
      const words = (text: string) => new Set(text.match(/[\p{L}\p{N}]{4,}/gu));
      expect([...words(found.said)].filter((word) => !words(letter.text).has(word))).toEqual([]);
      for (const width of SHOTS === null ? [800] : [390, 800]) {
        await page.setViewportSize({ width, height: 900 });
        if (SHOTS === null) continue;
        await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: true });
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.screenshot({ path: join(folder, `${name}-${width}-dark.png`), fullPage: true });
        await page.emulateMedia({ colorScheme: 'light' });
      }
    }
    await context.close();
  });
});
