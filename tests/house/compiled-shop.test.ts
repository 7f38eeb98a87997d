import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/*
 * src/config/start.mjs runs the compiled shop where it was made from the present sources. Each test lays out an installation of
 * its own, with a compiled file that says that it is one.
 */

const repository = join(import.meta.dirname, '..', '..');
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vitrine-compiled-'));
  for (const name of ['start.mjs', 'compiled-shop.mjs', 'source-positions.mjs', 'register.mjs']) {
    cpSync(join(repository, 'src/config', name), join(root, 'src/config', name));
  }
  write('src/entry.mjs', `console.log('source', process.argv.slice(1));`);
  write('src/generated/prisma/client.ts', '');
  write('src/web/page.ts', 'one');
  write('package-lock.json', '{}');
  write('node_modules/tsx/package.json', JSON.stringify({ name: 'tsx', type: 'module', exports: './index.js' }));
  write('node_modules/tsx/index.js', '');
  write('dist/shop/src/entry.mjs', `console.log('compiled', process.argv.slice(1));`);
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Stamps dist/shop as made from what is there now. */
async function stamp(): Promise<void> {
  const code = `import { presentSources, STAMP } from './src/config/compiled-shop.mjs';
    import { writeFileSync } from 'node:fs';
    writeFileSync('dist/shop/' + STAMP, JSON.stringify(presentSources()));`;
  await run('--input-type=module', '-e', code);
}

function run(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, env: { PATH: process.env.PATH } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(stdout + stderr));
    });
  });
}

/** Which form of the entry a start runs. */
const started = async () => (await run('src/config/start.mjs', 'src/entry.mjs')).split(' ')[0];

/** Moves the time of a file's last change. */
function age(path: string, seconds: number): void {
  const { atimeMs, mtimeMs } = statSync(join(root, path));
  utimesSync(join(root, path), atimeMs / 1000 + seconds, mtimeMs / 1000 + seconds);
}

describe('a start', () => {
  test('runs the compiled file, with the arguments as if node had been given the source', async () => {
    await stamp();
    const output = await run('src/config/start.mjs', 'src/entry.mjs', '--flag', 'x');
    expect(output).toBe(`compiled ${"[ '"}${join(root, 'src/entry.mjs')}', '--flag', 'x' ]\n`);
  });

  test('runs the source where nothing was compiled', async () => {
    expect(await started()).toBe('source');
  });

  test('runs the source where a file was changed, also to one of the same size, or is new, or is gone', async () => {
    for (const change of [
      () => write('src/entry.mjs', `console.log('source', 'longer than before');`),
      () => age('src/entry.mjs', 5),
      () => write('src/another.ts', ''),
      () => rmSync(join(root, 'src/another.ts')),
    ]) {
      await stamp();
      expect(await started()).toBe('compiled');
      change();
      expect(await started()).toBe('source');
    }
  });

  test('runs the source where packages were changed, and the compiled file where nothing says which there are', async () => {
    await stamp();
    write('package-lock.json', '{"changed":true}');
    expect(await started()).toBe('source');
    rmSync(join(root, 'package-lock.json'));
    expect(await started()).toBe('compiled');
  });

  test('does not mind changes of the web apps, or times that a copy has cut off', async () => {
    await stamp();
    write('src/web/page.ts', 'another');
    age('src/entry.mjs', -1);
    expect(await started()).toBe('compiled');
  });

  test('runs the source where the folder was moved: compiled files name those beside their sources', async () => {
    await stamp();
    const moved = `${root}-moved`;
    cpSync(root, moved, { recursive: true, preserveTimestamps: true });
    const before = root;
    root = moved;
    try {
      expect(await started()).toBe('source');
    } finally {
      rmSync(moved, { recursive: true });
      root = before;
    }
  });
});

test('a stack trace of the compiled shop names the source, and the line there', async () => {
  const source = `interface Unused {\n  a: string;\n}\n\nexport function fail(): never {\n  throw new TypeError('broken');\n}\nfail();\n`;
  const { code, map } = await transform(source, {
    loader: 'ts',
    sourcemap: 'external',
    sourcefile: '../../../src/faulty.ts',
    minifyWhitespace: true,
    format: 'esm',
  });
  write('dist/shop/src/entry.mjs', code);
  write('dist/shop/src/entry.mjs.map', map);
  await stamp();
  const output = await run('src/config/start.mjs', 'src/entry.mjs').catch((error: Error) => error.message);
  expect(output).toContain('TypeError: broken');
  expect(output).toContain(`at fail (${join(root, 'src/faulty.ts')}:6:9)`);
  expect(output).not.toContain(pathToFileURL(join(root, 'dist/shop')).href.concat('/src/entry.mjs:1:'));
});
