import { readdirSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const HERE = JSON.stringify(import.meta.url);
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

/** Packages that stay as they are: most of them load machine code, threads or files that stand beside them. */
const UNBUNDLED = [
  // Nine megabytes for a page that no process of a test shows.
  '@graphql-yoga/render-graphiql',
  ...['bcrypt', 'msgpackr-extract', 'pg', 'pino', 'pino-pretty', 'tsx', 'esbuild', 'vite', 'playwright-core'],
  ...['embedded-postgres', '@embedded-postgres/*', '@prisma/*', '@bull-board/*', '@opentelemetry/*'],
];

/**
 * Compiles the entries and their packages once for a run, which cuts what each start of a process costs from four seconds of
 * processor time to less than two and a half: tsx compiles file by file, and node resolves and reads two thousand files of
 * packages. The compiled files are part of the run's folder.
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
    external: UNBUNDLED,
    // Packages written for `require` need one.
    banner: { js: `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(${HERE});` },
    format: 'esm',
    platform: 'node',
    // As node resolves packages. esbuild would add `module`: builds for bundlers, which `postinstall` deletes.
    conditions: [],
    target: 'node20',
    minifyWhitespace: true,
    keepNames: true,
    logLevel: 'error',
    plugins: [ownAddresses(folder), lettersAlone],
  });
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  process.env[FOLDER_VARIABLE] = folder;
}

/** A module finds files beside it, such as migrations, by its address: that of the source, wherever the code stands now. */
const ownAddresses = (folder: string): Plugin => ({
  name: 'own addresses',
  setup(bundler) {
    bundler.onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      if (!code.includes('import.meta.')) return undefined;
      const contents = code
        // A thread runs the compiled code, as its process does.
        .replaceAll(/new Worker\(new URL\('(.+)', import\.meta\.url\)/g, (_, file: string) => {
          const compiled = compiledPath(folder, resolve(dirname(path), file));
          return `new Worker(new URL(${JSON.stringify(pathToFileURL(compiled).href)})`;
        })
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' };
    });
  },
});

/** Letters use a few parts of one large package; what the others do when they are loaded (highlighting code, CSS) nobody needs. */
const lettersAlone: Plugin = {
  name: 'letters alone',
  setup(bundler) {
    const asked = new Set<string>();
    bundler.onResolve({ filter: /^@react-email\// }, async ({ path, ...rest }) => {
      const key = `${path} ${rest.importer}`;
      if (asked.has(key)) return undefined;
      asked.add(key);
      return { ...(await bundler.resolve(path, rest)), sideEffects: false };
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
