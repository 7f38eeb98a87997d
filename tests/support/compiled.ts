import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledPath } from '../../scripts/compile.mjs';
import { PATIENCE_MS } from './patience.ts';

/** Names the folder of compiled entries to every process of a test run. */
const FOLDER_VARIABLE = 'COMPILED_ENTRIES';
const COMPILER = fileURLToPath(new URL('compile-entries.mjs', import.meta.url));

/** Says that a folder has all of its files. */
const doneIn = (folder: string) => join(folder, 'done');

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
 * Compiles the entries into a folder unless that is done, or waits while another process does. A run of a few files that start no process
 * spends nothing on it.
 * @throws Error with what the compiler says
 */
export function ensureCompiled(folder: string): void {
  const lock = `${folder}.lock`;
  const deadline = Date.now() + PATIENCE_MS;
  while (!existsSync(doneIn(folder))) {
    if (takeLock(lock)) {
      try {
        if (!existsSync(doneIn(folder))) compileInto(folder);
      } finally {
        rmdirSync(lock);
      }
    } else if (Date.now() > deadline) {
      throw new Error(`Another process has been compiling into ${folder} for ${PATIENCE_MS / 1000} s.`);
    } else {
      sleepSync(50);
    }
  }
}

function compileInto(folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, [COMPILER, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The entries could not be compiled:\n${stderr}`);
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
