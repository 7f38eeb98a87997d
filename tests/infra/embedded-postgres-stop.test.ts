import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { findPostmaster } from '../../src/infra/postgres/embedded-postgres-server.ts';
import { startProcess } from '../support/shop-process.ts';
import { until } from '../support/until.ts';

function newDataDir(): string {
  const dataDir = join(mkdtempSync(join(inject('postgres').runFolder, 'stopped-')), 'data');
  chmodSync(join(dataDir, '..'), 0o711);
  mkdirSync(dataDir);
  return dataDir;
}

const hasInitdb = (dataDir: string) => readdirSync(dataDir).some((name) => name.startsWith('postgres-initdb-'));
const hasPidFile = (dataDir: string) => existsSync(join(dataDir, 'postgres/postmaster.pid'));

/** Nothing of the shop runs or is held any more. */
async function expectNothingLeft(dataDir: string): Promise<void> {
  await until('the server is gone', () => findPostmaster(join(dataDir, 'postgres')) === null);
  expect(readdirSync(join(dataDir, 'postgres-clients'))).toEqual([]);
  expect(hasInitdb(dataDir)).toBe(false);
}

test.each([
  ['while the data folder is made', hasInitdb],
  ['while PostgreSQL starts', hasPidFile],
])('a start that is stopped %s leaves no server behind', async (_moment, isThere) => {
  const dataDir = newDataDir();
  const { child, exited, output } = startProcess('src/server.ts', { DATA_DIR: dataDir, PORT: '0', SEED: 'none' });
  await until(`it is that far: ${output()}`, () => isThere(dataDir), 25_000);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  await expectNothingLeft(dataDir);
});

test('a command that is interrupted stops the server that it started', async () => {
  const dataDir = newDataDir();
  const { child, exited, output } = startProcess('src/commands/migrate.ts', { DATA_DIR: dataDir });
  await until(`its server runs: ${output()}`, () => hasPidFile(dataDir), 25_000);
  child.kill('SIGINT');
  expect(await exited).toBe(130);
  await expectNothingLeft(dataDir);
});
