// Runs after `npm ci` and `npm install`. Plain JavaScript: nothing that it could be compiled with is certain to be there.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildWeb, canBuild } from './build-web.mjs';

const say = (line) => process.stdout.write(`${line}\n`);
const root = join(import.meta.dirname, '..');

/**
 * Removes files that are never loaded here from Prisma's client: the query compilers of the databases other than PostgreSQL, and
 * source maps. They are 60 of its 72 MB, and the package offers no way to leave them out.
 */
function trimPrismaClient() {
  const runtime = join(root, 'node_modules/@prisma/client/runtime');
  if (!existsSync(runtime)) return;
  for (const file of readdirSync(runtime)) {
    const foreign = /^query_compiler_\w+_bg\.(cockroachdb|mysql|sqlite|sqlserver)\./.test(file);
    if (foreign || file.endsWith('.map')) rmSync(join(runtime, file));
  }
}

/** Generates the database client, where the sources and the generator are there. */
function generate() {
  if (!existsSync(join(root, 'prisma/schema.prisma'))) {
    say('The sources are not here yet: run `npm run generate:client` once they are.');
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

trimPrismaClient();
generate();
await buildApps();
