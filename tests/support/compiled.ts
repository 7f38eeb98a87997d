import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useCommonJs } from '../../scripts/common-js.mjs';
import { BANNER, compile, compiledPath } from '../../scripts/compile.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** Names the folder of compiled entries to every process of a test run. */
const FOLDER_VARIABLE = 'COMPILED_ENTRIES';

/** Files that tests and torture runs start in processes of their own. */
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

/**
 * Compiles the entries and their packages once for a run, as an install does. Through tsx, which compiles file by file while node reads
 * two thousand files of packages, a start takes twice as much processor time. The compiled files are part of the run's folder.
 */
export async function compileEntries(runFolder: string): Promise<void> {
  const folder = join(runFolder, 'compiled');
  await compile({ entries: ENTRIES, folder, sourcemap: true });
  await useCommonJs(folder, BANNER);
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  process.env[FOLDER_VARIABLE] = folder;
}

/** The arguments with which node runs files of this repository: compiled where the run compiled them, else through tsx. */
export function nodeArguments(...args: readonly string[]): string[] {
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined) return ['--import', 'tsx', ...args];
  return args.map((arg) => (arg.endsWith('.ts') ? compiledPath(folder, arg) : arg));
}

/** What a process must inherit to start others in the same way. */
export function compiledEnv(): NodeJS.ProcessEnv {
  const folder = process.env[FOLDER_VARIABLE];
  return folder === undefined ? {} : { [FOLDER_VARIABLE]: folder };
}
