import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openVisitor } from '../bench/live/shoppers.ts';
import { startOwnShop } from '../bench/own-shop.ts';
import { animate, type Frame } from './moving-picture/animated-webp.ts';

/*
 * npm run moving-picture: records docs/images/live.webp, in which two shoppers look at one product and the level of the one follows
 * what the other puts into the cart. Starts a shop of its own, and needs Chromium.
 */

const TARGET = fileURLToPath(new URL('../docs/images/live.webp', import.meta.url));
const VIEW = { width: 480, height: 640 };
const QUALITY = 0.72;
const SETTLE_MS = 450;

interface Side {
  page: Page;
  /** Where the pointer is, drawn into the picture: a screenshot has none. */
  pointer: { x: number; y: number } | null;
}

const shop = await startOwnShop({ RATE_LIMITS: 'off' });
const browser = await launchBrowser();
try {
  const frames = await record(browser, `${shop.url}/products/acacia-honey?variant=ACACIA-1000`);
  const picture = animate(frames, { width: 2 * VIEW.width, height: VIEW.height });
  writeFileSync(TARGET, picture);
  process.stdout.write(`${TARGET}: ${frames.length} frames, ${Math.ceil(picture.length / 1000)} kB\n`);
} finally {
  await browser.close();
  await shop.stop();
}

/** Plays the scene, and gives a frame for each moment of it. */
async function record(of: Browser, url: string): Promise<Frame[]> {
  const options = { viewport: VIEW, colorScheme: 'light' } as const;
  const ada: Side = { page: await openVisitor(of, url, options), pointer: null };
  const eve: Side = { page: await openVisitor(of, url, options), pointer: null };
  const studio = await (await of.newContext()).newPage();
  const frames: Frame[] = [];
  const shoot = async (durationMs: number) => {
    const [left, right] = await Promise.all([ada, eve].map((side) => shotOf(side)));
    frames.push({ durationMs, webp: await compose(studio, left ?? '', right ?? '') });
  };
  /** Presses a button; with `level`, both pages show that level before the next frame. */
  const press = async (
    side: Side,
    name: string,
    { inCart = false, level }: { inCart?: boolean; level?: number } = {},
  ) => {
    const target = side.page.locator(inCart ? '[role=dialog]' : 'main').getByRole('button', { name, exact: true });
    await target.scrollIntoViewIfNeeded();
    const box = await target.boundingBox();
    if (box === null) throw new Error(`there is no button ${name} to be seen`);
    side.pointer = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    await shoot(700);
    await target.click();
    if (level !== undefined) {
      const shown = (page: Page) => page.locator('main .stock-note', { hasText: `${level} in stock` }).first();
      await Promise.all([ada, eve].map(({ page }) => shown(page).waitFor({ state: 'attached' })));
    }
    await side.page.waitForTimeout(SETTLE_MS);
    await shoot(1300);
  };
  for (const { page } of [ada, eve]) {
    await page.locator('.product-price').scrollIntoViewIfNeeded();
    await page.evaluate(() => document.querySelector('.product-words')?.scrollIntoView({ block: 'start' }));
  }
  await eve.page.waitForTimeout(SETTLE_MS);
  await shoot(1500);
  for (let units = 1; units < 3; units += 1) await press(ada, 'One more');
  const level = Number.parseInt(await ada.page.locator('main .stock-note').first().innerText(), 10);
  await press(ada, 'Add to cart', { level: level - 3 });
  await press(ada, 'Close', { inCart: true });
  await press(eve, 'Add to cart', { level: level - 4 });
  await press(eve, 'Remove', { inCart: true, level: level - 3 });
  await press(eve, 'Close', { inCart: true });
  ada.pointer = null;
  eve.pointer = null;
  await shoot(1800);
  return frames;
}

async function shotOf({ page, pointer }: Side): Promise<string> {
  await page.evaluate((at) => {
    document.querySelector('[data-pointer]')?.remove();
    if (at === null) return;
    const dot = document.createElement('div');
    dot.dataset['pointer'] = '';
    // By properties: the policy of the page takes no style attributes.
    Object.assign(dot.style, {
      position: 'fixed',
      left: `${at.x - 14}px`,
      top: `${at.y - 14}px`,
      width: '28px',
      height: '28px',
      borderRadius: '50%',
      background: 'rgb(232 169 44 / 55%)',
      border: '2px solid #7d5200',
      zIndex: '99',
      pointerEvents: 'none',
    });
    document.body.append(dot);
  }, pointer);
  return (await page.screenshot({ type: 'png' })).toString('base64');
}

/** Two pictures beside each other, as a WebP. */
async function compose(studio: Page, left: string, right: string): Promise<Buffer> {
  const encoded = await studio.evaluate(
    async ({ pictures, width, height, quality }) => {
      const canvas = document.createElement('canvas');
      canvas.width = width * pictures.length;
      canvas.height = height;
      const context = canvas.getContext('2d');
      for (const [index, picture] of pictures.entries()) {
        const image = new Image();
        image.src = `data:image/png;base64,${picture}`;
        await image.decode();
        context?.drawImage(image, index * width, 0);
      }
      if (context !== null) {
        context.fillStyle = '#8d7c63';
        context.fillRect(width - 1, 0, 2, height);
      }
      return canvas.toDataURL('image/webp', quality);
    },
    { pictures: [left, right], ...VIEW, quality: QUALITY },
  );
  return Buffer.from(encoded.slice(encoded.indexOf(',') + 1), 'base64');
}
