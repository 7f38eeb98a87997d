// `node --import ./src/config/register.mjs src/server.ts`: runs TypeScript through tsx, after looking at what tsx and the
// shop need of the machine. Plain JavaScript, since it runs before anything can be compiled.

import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  // oxlint-disable-next-line unicorn/no-process-exit -- nothing is running yet that could be ended in order
  process.exit(1);
}

/** After `npm ci --ignore-scripts` the database client is missing: generate it, or say what to run. */
function ensureGenerated() {
  if (existsSync(join(root, 'src/generated/prisma/client.ts'))) return;
  const cli = join(root, 'node_modules/.bin/prisma');
  if (!existsSync(cli)) {
    fail(
      'The database client is not generated, and its generator is not installed.\n' +
        'Run `npm ci` (with development dependencies); for production run `npm prune --omit=dev` after that.',
    );
  }
  try {
    execFileSync(cli, ['generate'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    fail('The database client is not generated, and generating it failed. Run `npm run generate:client`.');
  }
}

if (!existsSync(join(root, 'node_modules/tsx'))) fail('The packages are not installed. Run `npm ci` first.');
// A container may have a read-only root file system: tsx then has nowhere to keep what it compiled.
if (!isWritable(tmpdir())) process.env.TSX_DISABLE_CACHE = '1';
ensureGenerated();
await import('tsx');
