// Builds the shop window and the dashboard into dist/web, unless the sources are those of the last build. Run by the install,
// and by a start that finds no build of the present sources. Plain JavaScript, like the other scripts that run before or
// without TypeScript.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { removeLeftovers } from './leftovers.mjs';

const root = join(import.meta.dirname, '..');
const sources = join(root, 'src/web');
const target = join(root, 'dist/web');
/** Holds the digest of the sources that a build was made from. */
const STAMP = '.sources';
/** Fonts and raster pictures are compressed in their formats. */
const COMPRESSIBLE = new Set(['.js', '.css', '.svg', '.json', '.webmanifest', '.txt']);

/** Whether the tools of the build are installed: they are development dependencies. */
export function canBuild() {
  return existsSync(join(root, 'node_modules/vite')) && existsSync(join(sources, 'vite.config.ts'));
}

/**
 * Builds, unless dist/web was built from the present sources.
 * @returns {Promise<boolean>} whether a build was made
 */
export async function buildWeb() {
  const digest = digestOfSources();
  if (isBuiltFrom(digest)) return false;
  const made = join(root, `dist/.web-${randomUUID()}`);
  try {
    // Whatever the shop itself runs as: a development build is large, and talks to the console.
    // oxlint-disable-next-line no-restricted-properties -- Vite takes it from there alone
    process.env.NODE_ENV = 'production';
    const { build } = await import('vite');
    await build({
      configFile: join(sources, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: made, emptyOutDir: true },
    });
    await compress(made);
    await writeFile(join(made, STAMP), digest);
    await swapIn(made);
  } finally {
    await rm(made, { recursive: true, force: true });
    await removeLeftovers('.web-');
  }
  return true;
}

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Whether dist/web was built from the present sources. */
export function isCurrent() {
  return isBuiltFrom(digestOfSources());
}

function isBuiltFrom(digest) {
  try {
    return readFileSync(join(target, STAMP), 'utf8') === digest;
  } catch {
    return false;
  }
}

/** Synchronous, since each start does it: a promise for each of hundreds of small files costs more than to read the file. */
function digestOfSources() {
  const hash = createHash('sha256');
  const generated = join(sources, 'generated');
  const entries = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(generated))
    .toSorted();
  for (const file of [...files, join(root, 'examples/resume.ts'), join(root, 'package.json')])
    hash.update(relative(root, file)).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

/** The server answers with these files as they are, so that no request costs compression. */
async function compress(folder) {
  for (const file of await filesIn(folder)) {
    if (!COMPRESSIBLE.has(extname(file))) continue;
    const bytes = await readFile(file);
    const options = {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    };
    const [br, gz] = await Promise.all([
      promisify(brotliCompress)(bytes, options),
      promisify(gzip)(bytes, { level: 9 }),
    ]);
    if (br.length < bytes.length) await writeFile(`${file}.br`, br);
    if (gz.length < bytes.length) await writeFile(`${file}.gz`, gz);
  }
}

/** Two processes may build at the same time: each puts a whole folder in place, and the last one stays. */
async function swapIn(made) {
  const old = join(root, `dist/.web-${randomUUID()}`);
  await mkdir(join(root, 'dist'), { recursive: true });
  await rename(target, old).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  try {
    await rename(made, target);
  } catch (error) {
    // The other process was quicker between the two steps.
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  }
  await rm(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb();
