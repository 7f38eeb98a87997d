import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

declare const axe: {
  run(
    options: object,
  ): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }>;
};
declare const window: { innerWidth: number };
declare const document: {
  documentElement: { scrollWidth: number };
  querySelectorAll(
    selector: string,
  ): Iterable<{ tagName: string; className: string; getBoundingClientRect(): { right: number } }>;
};

/** Both ends of the widths, and both colour schemes. */
const LOOKS = [
  { width: 360, colorScheme: 'dark' },
  { width: 1440, colorScheme: 'light' },
] as const;

/**
 * What axe finds wrong with a page, one line each; nothing moves while it looks. The first look after a page is loaded costs a second of
 * processor time, further ones a fifth of it: tests look at many states of a page that is loaded once.
 */
export async function findBarriers(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'], preload: false }));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll('\n', ' ')}`),
  );
}

/**
 * What axe finds wrong with a page at both ends of the widths, and where the page is wider than its window. One end is looked at in dark
 * and the other in light colours, since colours do not depend on the width. Leaves the page wide, in light colours.
 */
export async function findBarriersInAllLooks(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const { width, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const barriers = await findBarriers(page);
    found.push(...barriers.map((text) => `${colorScheme} ${width}: ${text.slice(0, 400)}`));
    const wide = await page.evaluate(() => {
      const excess = document.documentElement.scrollWidth - window.innerWidth;
      if (excess <= 0) return null;
      const beyond = Array.from(document.querySelectorAll('body *')).filter(
        (element) => element.getBoundingClientRect().right > window.innerWidth,
      );
      return `${excess} px wider than the window: ${beyond.map(({ tagName, className }) => `${tagName}.${className}`).join(' ')}`;
    });
    if (wide !== null) found.push(`${width}: ${wide.slice(0, 400)}`);
  }
  return found;
}
