// Runs after `npm ci` and `npm install`. Plain JavaScript: nothing that it could be compiled with is certain to be there.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildWeb, canBuild } from './build-web.mjs';

const say = (line) => process.stdout.write(`${line}\n`);
const root = join(import.meta.dirname, '..');

const modules = join(root, 'node_modules');
/** Only debuggers read source maps. */
const SOURCE_MAP = /\.[cm]?[jt]s\.map$/;

/**
 * Removes files that are never loaded here and that their packages offer no way to leave out: about 100 MB of a production install.
 * `scripts/production-size.mjs` starts a shop without them.
 */
function trim() {
  // Of Prisma's query compilers the generated client imports one, by its ES module. All others are for other databases or builds.
  const runtime = join(modules, '@prisma/client/runtime');
  for (const file of existsSync(runtime) ? readdirSync(runtime) : []) {
    const isOurs = /^query_compiler_fast_bg\.postgresql\.(wasm-base64\.)?mjs$/.test(file);
    if (file.startsWith('query_compiler_') && !isOurs) rmSync(join(runtime, file));
  }
  // 9 MB of GraphiQL, once more for `require`.
  rmSync(join(modules, '@graphql-yoga/render-graphiql/cjs/graphiql.js'), { force: true });
  // 10 MB of types, once more for `require`. TypeScript takes those of the ES modules.
  removeFiles(join(modules, 'stripe/cjs'), /\.d\.ts$/);
  // Builds for bundlers: node takes `build/src`.
  const telemetry = join(modules, '@opentelemetry');
  for (const name of existsSync(telemetry) ? readdirSync(telemetry) : []) {
    for (const build of ['esm', 'esnext'])
      rmSync(join(telemetry, name, 'build', build), { recursive: true, force: true });
  }
  for (const folder of productionPackages()) removeFiles(folder, SOURCE_MAP);
}

/** The folders of all packages that production needs; empty without a lock file. */
function productionPackages() {
  const lock = join(root, 'package-lock.json');
  if (!existsSync(lock)) return [];
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'));
  return Object.keys(packages)
    .filter((path) => path !== '' && packages[path].dev !== true)
    .map((path) => join(root, path))
    .filter((folder) => existsSync(folder));
}

/** Removes files by their names, in a folder and those below it. Packages inside have their own entry in the lock file. */
function removeFiles(folder, name) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') removeFiles(path, name);
    else if (entry.isFile() && name.test(entry.name)) rmSync(path);
  }
}

/** Generates the database client, where the sources and the generator are there. */
function generate() {
  if (!existsSync(join(root, 'prisma/schema.prisma'))) {
    say('The sources are not here yet: run `node scripts/postinstall.mjs` once they are.');
    return;
  }
  const cli = join(root, 'node_modules/.bin/prisma');
  if (existsSync(cli)) execFileSync(cli, ['generate'], { cwd: root, stdio: 'inherit' });
  else if (!existsSync(join(root, 'src/generated'))) {
    say('The database client is not generated, and its generator is a development dependency.');
    say('For production run `npm ci`, then `npm prune --omit=dev`.');
  }
}

/** Builds the shop window and the dashboard, where the sources and the tools are there. The API runs without them. */
async function buildApps() {
  if (!canBuild()) return;
  try {
    if (await buildWeb()) say('The shop window and the dashboard are built.');
  } catch (error) {
    say(`The shop window and the dashboard could not be built; the first start tries again. ${error.message}`);
  }
}

/** Compiles the shop, where the sources and the compiler are there. The first start does so otherwise, or runs through tsx. */
async function compileShop() {
  // How it is compiled stands beside the sources, too.
  if (!existsSync(join(root, 'src/config/compiled-shop.mjs'))) return;
  const { buildShop, canCompile } = await import('./build-shop.mjs');
  if (!canCompile()) return;
  try {
    if (await buildShop()) say('The shop is compiled.');
  } catch (error) {
    say(`The shop could not be compiled; the first start tries again. ${error.message}`);
  }
}

trim();
generate();
await Promise.all([buildApps(), compileShop()]);
