// `node src/config/start.mjs src/server.ts …`: runs a file of the shop. It runs compiled where dist/shop was made from the present
// sources, or can be made from them now; else through tsx. Plain JavaScript, since it runs before anything is compiled.

import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { COMPILED, isCurrent } from './compiled-shop.mjs';
import { showSources } from './source-positions.mjs';

const root = join(import.meta.dirname, '../..');
const builder = join(root, 'scripts/build-shop.mjs');

/** Compiles the shop where the tools are there. @returns whether that was done */
async function build() {
  if (!existsSync(builder)) return false;
  try {
    const { buildShop, canCompile } = await import(pathToFileURL(builder).href);
    if (!canCompile()) return false;
    await buildShop();
    return true;
  } catch (error) {
    process.stderr.write(`The shop could not be compiled, and starts more slowly without that: ${error.message}\n`);
    return false;
  }
}

/** The compiled form of a file; null where there is none of the present sources. */
async function compiled(file) {
  if (!isCurrent() && !(await build())) return null;
  const path = join(COMPILED, relative(root, file).replace(/\.ts$/, '.mjs'));
  return existsSync(path) ? path : null;
}

// As if node had been started with the file.
process.argv.splice(1, 1);
const file = resolve(process.argv[1] ?? '');
process.argv[1] = file;

const path = await compiled(file);
if (path === null) await import('./register.mjs');
else showSources(COMPILED);
await import(pathToFileURL(path ?? file).href);
