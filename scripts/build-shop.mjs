// Compiles the shop into dist/shop, unless that was made from the present sources. A start of the compiled shop takes half the time
// and half the memory. Run by the install, and by a start that finds that the sources have changed.

import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILED, isCurrent, presentSources, STAMP, stampOf } from '../src/config/compiled-shop.mjs';
import { removeLeftovers } from './leftovers.mjs';

const root = join(import.meta.dirname, '..');

/** Whether the compiler is installed: it is a development dependency. */
export function canCompile() {
  return existsSync(join(root, 'node_modules/esbuild')) && existsSync(join(root, 'src/generated/prisma/client.ts'));
}

/**
 * Compiles, unless dist/shop was made from the present sources.
 * @returns {Promise<boolean>} whether it was compiled
 */
export async function buildShop() {
  if (isCurrent()) return false;
  const [{ BANNER, compile }, { isPart, useCommonJs }] = await Promise.all([
    import('./compile.mjs'),
    import('./common-js.mjs'),
  ]);
  // Looked at first: a file that changes meanwhile makes the build out of date from the start.
  const sources = presentSources();
  const made = join(root, `dist/.shop-${randomUUID()}`);
  const commands = readdirSync(join(root, 'src/commands')).map((name) => `src/commands/${name}`);
  try {
    await compile({
      entries: ['src/server.ts', 'src/worker.ts', 'src/modules/mail/letters/render.worker.ts', ...commands],
      folder: made,
      // Files refer to each other by where they will be.
      home: COMPILED,
      sourcemap: true,
    });
    await useCommonJs(made, BANNER);
    const parts = (await readdir(made)).filter(isPart);
    await writeFile(join(made, STAMP), JSON.stringify({ ...sources, parts }));
    // Another process may have been quicker, and runs what it made.
    if (!isCurrent()) {
      await carryOver(made, isPart);
      await swapIn(made);
    }
  } finally {
    await rm(made, { recursive: true, force: true });
    await removeLeftovers('.shop-');
  }
  return true;
}

const MONTH_MS = 30 * 24 * 3600 * 1000;

/** A running shop loads some parts late: those of earlier builds stay for a month after they were replaced. */
async function carryOver(made, isPart) {
  const names = await readdir(COMPILED).catch(() => []);
  const replaced = new Set(stampOf(COMPILED)?.parts);
  for (const name of names.filter(isPart)) {
    const [from, to] = [join(COMPILED, name), join(made, name)];
    try {
      const { mtime } = await stat(from);
      const since = replaced.has(name) ? new Date() : mtime;
      if (existsSync(to) || Date.now() - since.getTime() > MONTH_MS) continue;
      await copyFile(from, to);
      await utimes(to, since, since);
    } catch (error) {
      // Another process has replaced the build meanwhile, and carried the file over.
      if (error.code !== 'ENOENT') throw error;
    }
  }
}

/** Two processes may compile at the same time: each puts a whole folder in place, and the last one stays. */
async function swapIn(made) {
  const old = join(root, `dist/.shop-${randomUUID()}`);
  await mkdir(join(root, 'dist'), { recursive: true });
  await rename(COMPILED, old).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  try {
    await rename(made, COMPILED);
  } catch (error) {
    // The other process was quicker between the two steps.
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  }
  await rm(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildShop();
