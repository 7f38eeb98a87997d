// What is known of the compiled shop in dist/shop: whether it was made from the present sources. Plain JavaScript, since it runs
// before anything is compiled, and without any package.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Where the compiled shop is. */
export const COMPILED = join(root, 'dist/shop');
/** Says what a build was made from. */
export const STAMP = '.made-from';

/** Bundled by Vite and not here. */
const WEB = join(root, 'src/web');

/** What is compiled: the shop, and the seed that its commands load. */
const SOURCES = ['src', 'prisma/seed'];

/**
 * What the shop would be compiled from now, as hashes of contents: times and sizes say too little where files are unpacked or copied
 * with the times that they had elsewhere.
 * @returns {{ sources: string, packages: string | null, compiler: string | null, converter: string | null }} null where a file is not there
 */
export function presentSources() {
  const hash = createHash('sha256').update(root);
  const visit = (folder) => {
    const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) hash.update(`${path}\0`).update(hashOf(path));
      else if (path !== WEB) visit(path);
    }
  };
  for (const name of SOURCES) if (existsSync(join(root, name))) visit(join(root, name));
  // An image has neither: nothing is installed or compiled there any more.
  return {
    sources: hash.digest('hex'),
    packages: hashIfThere('package-lock.json'),
    compiler: hashIfThere('scripts/compile.mjs'),
    converter: hashIfThere('scripts/common-js.mjs'),
  };
}

/** Whether dist/shop was made from the present sources. */
export function isCurrent() {
  const made = stampOf(COMPILED);
  if (made === null) return false;
  const now = presentSources();
  return Object.entries(now).every(([name, hash]) => hash === null || hash === made[name]);
}

/** What the stamp of a build says; null where there is none. */
export function stampOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, STAMP), 'utf8'));
  } catch {
    return null;
  }
}

const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

function hashIfThere(name) {
  const path = join(root, name);
  return existsSync(path) ? hashOf(path) : null;
}
