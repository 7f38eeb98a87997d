import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeArguments } from '../support/compiled.ts';
import { ConfigError, loadConfig } from '../../src/config/config.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-data-dir-'));
  chmodSync(folder, 0o755);
});

afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true });
});

/** What a command prints that is run with this folder by a user who has no right to write to it. */
function run(dataDir: string, more: NodeJS.ProcessEnv = {}) {
  const { PATH } = process.env;
  return spawnSync(process.execPath, nodeArguments('src/commands/carts-expire.ts'), {
    env: { PATH, DATA_DIR: dataDir, ...more },
    encoding: 'utf8',
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
}

test('a data folder of another user is refused in words, with what to do', () => {
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  if (!isRoot) chmodSync(dataDir, 0o555);
  const { status, stderr } = run(dataDir);
  expect(stderr).toContain(`DATA_DIR cannot be used: ${dataDir} belongs to ${isRoot ? 'root' : 'user'}`);
  expect(stderr).toContain(`chown -R ${isRoot ? `${NOBODY}:${NOBODY}` : ''}`);
  expect(stderr).not.toContain('    at ');
  expect(status).toBe(1);
});

test.runIf(isRoot)('so is one where a file in it is closed, and one that cannot be made', () => {
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o777);
  writeFileSync(join(dataDir, 'jwt-secret'), 'x'.repeat(64), { mode: 0o600 });
  expect(run(dataDir).stderr).toContain(`DATA_DIR cannot be used: ${join(dataDir, 'jwt-secret')} belongs to root`);
  expect(run(join(folder, 'new/data')).stderr).toContain(`DATA_DIR cannot be used: ${folder} belongs to root`);
});

test('a file in its place is refused, and a folder that nothing is kept in is not looked at', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => loadConfig({ DATA_DIR: file })).toThrow(ConfigError);
  expect(() => loadConfig({ DATA_DIR: join(file, 'data') })).toThrow(/DATA_DIR .*is a file/);
  const elsewhere = { DATABASE_URL: 'postgresql://a@b/c', SMTP_URL: 'smtp://d', JWT_SECRET: 'x'.repeat(40) };
  expect(loadConfig({ DATA_DIR: file, ...elsewhere }).dataDir).toBe(file);
});
