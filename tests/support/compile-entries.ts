import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useCommonJs } from '../../scripts/common-js.mjs';
import { BANNER, compile } from '../../scripts/compile.mjs';
import { acquireFileLock } from '../../src/infra/file-lock.ts';
import { doneIn } from './compiled.ts';
import { PATIENCE_MS } from './patience.ts';

/*
 * node --import tsx tests/support/compile-entries.ts FOLDER: compiles the files that tests and torture runs start in processes of their own,
 * with the packages that they use, as an install compiles the shop. Does nothing if another process has done it.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const ENTRIES = [
  'src/server.ts',
  'src/worker.ts',
  'src/modules/mail/letters/render.worker.ts',
  ...readdirSync(join(ROOT, 'src/commands')).map((name) => `src/commands/${name}`),
  'bench/torture.ts',
  'bench/torture-events.ts',
  'bench/torture-faults.ts',
  'bench/replay/stream-child.ts',
  'tests/support/count-rows-child.ts',
  'tests/support/embedded-postgres-child.ts',
  'tests/support/letter-renderer-child.ts',
  'tests/support/loaded-modules-child.ts',
  'tests/support/shifted-clock.ts',
];

const [folder = ''] = process.argv.slice(2);
const release = await acquireFileLock(`${folder}.lock`, PATIENCE_MS);
try {
  if (!existsSync(doneIn(folder))) await compileInto();
} finally {
  release();
}

async function compileInto(): Promise<void> {
  // A compiler that was killed may have left a part.
  rmSync(folder, { recursive: true, force: true });
  // Without source maps, which nothing would read.
  await compile({ entries: ENTRIES, folder });
  await useCommonJs(folder, BANNER);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(doneIn(folder), '');
}
