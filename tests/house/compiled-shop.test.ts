import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
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
    expect(output).toBe(`compiled [ '${join(root, 'src/entry.mjs')}', '--flag', 'x' ]\n`);
  });

  test('runs the source where nothing was compiled', async () => {
    expect(await started()).toBe('source');
  });

  test('runs the source where a file was changed, also to one of the same size and time, or is new, or is gone', async () => {
    for (const change of [
      () => write('src/entry.mjs', `console.log('source', 'longer than before');`),
      () => {
        const { atime, mtime } = statSync(join(root, 'src/entry.mjs'));
        write('src/entry.mjs', `console.log('source', 'longer than BEFORE');`);
        utimesSync(join(root, 'src/entry.mjs'), atime, mtime);
      },
      () => write('src/another.ts', ''),
      () => rmSync(join(root, 'src/another.ts')),
      () => write('prisma/seed/seed.ts', 'price: 1'),
      () => write('prisma/seed/seed.ts', 'price: 2'),
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

  test('does not mind changes of the web apps, or times that a copy has changed', async () => {
    await stamp();
    write('src/web/page.ts', 'another');
    age('src/entry.mjs', -1);
    age('src/generated/prisma/client.ts', 5);
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

describe('a build', () => {
  const partsOf = () => readdirSync(join(root, 'dist/shop')).filter((name) => /^later-.*\.cjs$/.test(name));

  beforeEach(() => {
    for (const name of ['build-shop.mjs', 'compile.mjs', 'common-js.mjs', 'leftovers.mjs']) {
      cpSync(join(repository, 'scripts', name), join(root, 'scripts', name));
    }
    symlinkSync(join(repository, 'node_modules/esbuild'), join(root, 'node_modules/esbuild'));
    write(
      'src/server.ts',
      `console.log('ready'); process.stdin.once('data', async () => { console.log((await import('./later.ts')).word); process.exit(); });`,
    );
    for (const name of ['worker', 'modules/mail/letters/render.worker', 'commands/check']) write(`src/${name}.ts`, '');
    write('src/later.ts', `export const word: string = 'first';`);
    rmSync(join(root, 'dist'), { recursive: true });
  });

  test('leaves a shop that runs the files that it loads later, and drops them after a month', async () => {
    const shop = spawn(process.execPath, ['src/config/start.mjs', 'src/server.ts'], { cwd: root });
    try {
      let said = '';
      shop.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      while (!said.includes('ready')) await once(shop.stdout, 'data');
      const [first] = partsOf();
      write('src/later.ts', `export const word: string = 'second';`);
      await run('src/config/start.mjs', 'src/commands/check.ts');
      expect(partsOf()).toHaveLength(2);
      shop.stdin.write('go on');
      await once(shop, 'exit');
      expect(said).toBe('ready\nfirst\n');
      // What is carried over keeps its time, and so is not kept for ever.
      age(`dist/shop/${first}`, -29 * 24 * 3600);
      write('src/later.ts', `export const word: string = 'third';`);
      await run('src/config/start.mjs', 'src/commands/check.ts');
      expect(partsOf()).toHaveLength(3);
      age(`dist/shop/${first}`, -2 * 24 * 3600);
      write('src/later.ts', `export const word: string = 'fourth';`);
      await run('src/config/start.mjs', 'src/commands/check.ts');
      expect(partsOf()).toHaveLength(3);
      expect(partsOf()).not.toContain(first);
    } finally {
      shop.kill();
    }
  });

  test('does not replace what another process has made meanwhile, and removes what is left of builds that were killed', async () => {
    write('dist/.shop-killed/part.mjs', '');
    age('dist/.shop-killed', -7200);
    write('dist/.shop-under-way/part.mjs', '');
    // The other process is quicker.
    write(
      'scripts/compile.mjs',
      `import { mkdirSync, writeFileSync } from 'node:fs';
      import { presentSources } from '../src/config/compiled-shop.mjs';
      export async function compile({ folder, home }) {
        for (const path of [folder, home]) mkdirSync(path + '/src', { recursive: true });
        writeFileSync(home + '/.made-from', JSON.stringify(presentSources()));
        writeFileSync(home + '/src/server.mjs', 'console.log("of the other process")');
      }`,
    );
    expect(await run('src/config/start.mjs', 'src/server.ts')).toBe('of the other process\n');
    expect(readdirSync(join(root, 'dist')).toSorted()).toEqual(['.shop-under-way', 'shop']);
  });
});

test('parts of a build, early and late ones, name their sources in stack traces and see the same modules', async () => {
  for (const name of ['build-shop.mjs', 'compile.mjs', 'common-js.mjs', 'leftovers.mjs']) {
    cpSync(join(repository, 'scripts', name), join(root, 'scripts', name));
  }
  symlinkSync(join(repository, 'node_modules/esbuild'), join(root, 'node_modules/esbuild'));
  rmSync(join(root, 'dist'), { recursive: true });
  write(
    'src/shared.ts',
    `export let count = 0;\nexport const raise = (): number => (count += 1);\nexport default 'as it is';\n`,
  );
  write(
    'src/later.ts',
    `import { raise } from './shared.ts';
export const further = () => import('./further.ts');
export const isStrict = (function (this: unknown) { return this === undefined; })();
export function fail(): never {
  raise();
  throw new TypeError('late');
}
`,
  );
  write('src/further.ts', `export const text = 'further';\n`);
  const entry = `import { ok as alike } from 'node:assert';
import text, { count, raise } from './shared.ts';
raise();
alike(count === 1);
console.log(text);
const { fail, further, isStrict } = await import('./later.ts');
alike(isStrict && (await further()).text === 'further');
try {
  fail();
} catch (error) {
  console.log(count, (error as Error).stack);
}
`;
  write('src/server.ts', entry);
  write('src/worker.ts', `import './shared.ts';`);
  for (const name of ['modules/mail/letters/render.worker', 'commands/check']) write(`src/${name}.ts`, '');
  const output = await run('src/config/start.mjs', 'src/server.ts');
  expect(output).toMatch(/^as it is\n2 TypeError: late\n/);
  expect(output).toContain(`at fail (${join(root, 'src/later.ts')}:6:9)`);
  expect(readdirSync(join(root, 'dist/shop')).filter((name) => name.endsWith('.mjs'))).toEqual([]);
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
