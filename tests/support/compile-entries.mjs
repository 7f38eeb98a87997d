// node tests/support/compile-entries.mjs FOLDER: compiles what tests and torture runs start in processes of their own, and the packages
// that it uses, as an install compiles the shop. Through tsx, which compiles file by file while node reads two thousand files of packages,
// a start takes twice as much processor time.

import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useCommonJs } from '../../scripts/common-js.mjs';
import { BANNER, compile } from '../../scripts/compile.mjs';

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

const [folder] = process.argv.slice(2);
// A compiler that was killed may have left a part.
rmSync(folder, { recursive: true, force: true });
// Without source maps, which nothing would read.
await compile({ entries: ENTRIES, folder });
await useCommonJs(folder, BANNER);
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
writeFileSync(join(folder, 'done'), '');
