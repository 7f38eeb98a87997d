import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/*
 * src/config/register.mjs looks at the installation before anything of the shop is loaded. Each test lays out an installation
 * with one thing missing.
 */

const repository = join(import.meta.dirname, '..', '..');
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vitrine-install-'));
  mkdirSync(join(root, 'src/config'), { recursive: true });
  cpSync(join(repository, 'src/config/register.mjs'), join(root, 'src/config/register.mjs'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Installs a package of one file. */
function install(name: string, code: string): void {
  const folder = join(root, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), code);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports: './index.js' }));
}

const SHOW_CACHE = `process.on('exit', () => console.log('cache', process.env.TSX_DISABLE_CACHE ?? 'on'));`;

function installGenerated(): void {
  mkdirSync(join(root, 'src/generated/prisma'), { recursive: true });
  writeFileSync(join(root, 'src/generated/prisma/client.ts'), '');
}

interface Ran {
  status: number;
  output: string;
}

function start(env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const args = ['--import', join(root, 'src/config/register.mjs'), '-e', 'console.log("started")'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

describe('a start', () => {
  test('without packages says what to run', async () => {
    expect(await start()).toEqual({ status: 1, output: 'The packages are not installed. Run `npm ci` first.\n' });
  });

  test('without the generated client, and without its generator, says what to run', async () => {
    install('tsx', SHOW_CACHE);
    const { status, output } = await start();
    expect(status).toBe(1);
    expect(output).toMatch(/not generated, and its generator is not installed.\nRun `npm ci`/);
  });

  test('without the generated client generates it', async () => {
    install('tsx', SHOW_CACHE);
    mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
    const made = join(root, 'src/generated/prisma');
    const cli = `#!/bin/sh\n[ "$1" = generate ] && mkdir -p '${made}' && touch '${made}/client.ts'\n`;
    writeFileSync(join(root, 'node_modules/.bin/prisma'), cli, { mode: 0o755 });
    expect(await start()).toEqual({ status: 0, output: 'started\ncache on\n' });
  });

  test('without a writable folder for temporary files keeps no cache', async () => {
    install('tsx', SHOW_CACHE);
    installGenerated();
    expect(await start()).toEqual({ status: 0, output: 'started\ncache on\n' });
    expect(await start({ TMPDIR: '/proc/nowhere' })).toEqual({ status: 0, output: 'started\ncache 1\n' });
  });

  test('with the real tsx works without a writable folder for temporary files', async () => {
    const args = ['--import', join(repository, 'src/config/register.mjs'), '-e', 'console.log("started")'];
    const env = { PATH: process.env.PATH, TMPDIR: '/proc/nowhere' };
    const output = await new Promise((resolve) => {
      execFile(process.execPath, args, { env, cwd: repository }, (error, stdout) => resolve(error ?? stdout));
    });
    expect(output).toBe('started\n');
  });
});
