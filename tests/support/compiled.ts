import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledPath } from '../../scripts/compile.mjs';

/** Names the folder of compiled entries to every process of a test run. */
const FOLDER_VARIABLE = 'COMPILED_ENTRIES';
const COMPILER = fileURLToPath(new URL('compile-entries.ts', import.meta.url));

/** Says that a folder has all of its files. */
export const doneIn = (folder: string) => join(folder, 'done');

/** Has processes that tests start run compiled entries from a folder, which the first of them to start fills. */
export function useCompiledEntries(runFolder: string): void {
  process.env[FOLDER_VARIABLE] = join(runFolder, 'compiled');
}

/** Has the entries compiled again when they are next needed: their sources may have changed. */
export function forgetCompiledEntries(runFolder: string): void {
  rmSync(join(runFolder, 'compiled'), { recursive: true, force: true });
}

/** The arguments with which node runs files of this repository: compiled where the run compiles them, else through tsx. */
export function nodeArguments(...args: readonly string[]): string[] {
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined) return ['--import', 'tsx', ...args];
  ensureCompiled(folder);
  return args.map((arg) => (arg.endsWith('.ts') ? compiledPath(folder, arg) : arg));
}

/** What a process must inherit to start others in the same way. */
export function compiledEnv(): NodeJS.ProcessEnv {
  const folder = process.env[FOLDER_VARIABLE];
  return folder === undefined ? {} : { [FOLDER_VARIABLE]: folder };
}

/**
 * Compiles the entries into a folder unless that is done. A run of a few files that start no process spends nothing on it.
 * @throws Error with what the compiler says
 */
function ensureCompiled(folder: string): void {
  if (existsSync(doneIn(folder))) return;
  // Of several processes that come here at the same time, one compiles and the others wait.
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', COMPILER, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The entries could not be compiled:\n${stderr}`);
}
