import { readdirSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** Names the folder of compiled entries to every process of a test run. */
const FOLDER_VARIABLE = 'COMPILED_ENTRIES';

/** Files that tests and torture runs start in processes of their own. */
const ENTRIES = [
  'src/server.ts',
  'src/worker.ts',
  ...readdirSync(join(ROOT, 'src/commands')).map((name) => `src/commands/${name}`),
  'bench/torture.ts',
  'bench/torture-events.ts',
  'bench/torture-faults.ts',
  'bench/replay/stream-child.ts',
  'tests/support/count-rows-child.ts',
  'tests/support/embedded-postgres-child.ts',
  'tests/support/shifted-clock.ts',
];

/**
 * Compiles the entries once for a run, which halves what each start of a process costs: tsx compiles file by file. Packages
 * are left as they are. The compiled files are part of the run's folder.
 */
export async function compileEntries(runFolder: string): Promise<void> {
  const folder = join(runFolder, 'compiled');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outbase: ROOT,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    keepNames: true,
    logLevel: 'error',
    plugins: [ownAddresses],
  });
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  process.env[FOLDER_VARIABLE] = folder;
}

/** A module finds files beside it, such as migrations, by its address: that of the source, wherever the code stands now. */
const ownAddresses: Plugin = {
  name: 'own addresses',
  setup(bundler) {
    bundler.onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      if (!code.includes('import.meta.')) return undefined;
      const contents = code
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' };
    });
  },
};

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

function compiledPath(folder: string, file: string): string {
  return join(folder, relative(ROOT, resolve(ROOT, file)).replace(/\.ts$/, '.mjs'));
}
