// What is known of the compiled shop in dist/shop: whether it was made from the present sources. Plain JavaScript, since it runs
// before anything is compiled, and without any package.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Where the compiled shop is. */
export const COMPILED = join(root, 'dist/shop');
/** Says what a build was made from. */
export const STAMP = '.made-from';

/** Bundled by Vite and not here. */
const WEB = join(root, 'src/web');

/**
 * What the shop would be compiled from now: names and sizes of its files, and the time of the latest change. Reading all of them would
 * cost each start more than it is worth.
 */
export function presentSources() {
  const hash = createHash('sha256').update(root);
  let latest = 0;
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0`);
    latest = Math.max(latest, mtimeMs);
  };
  const visit = (folder) => {
    const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) add(path);
      else if (path !== WEB) visit(path);
    }
  };
  visit(join(root, 'src'));
  // Names the packages that are compiled in. An image does without it: nothing is installed there any more.
  const lock = join(root, 'package-lock.json');
  const packages = existsSync(lock) ? createHash('sha256').update(readFileSync(lock)).digest('hex') : null;
  return { sources: hash.digest('hex'), packages, latest };
}

/** Whether dist/shop was made from the present sources. */
export function isCurrent() {
  let made;
  try {
    made = JSON.parse(readFileSync(join(COMPILED, STAMP), 'utf8'));
  } catch {
    return false;
  }
  const { sources, packages, latest } = presentSources();
  return made.sources === sources && latest <= made.latest && (packages === null || packages === made.packages);
}
