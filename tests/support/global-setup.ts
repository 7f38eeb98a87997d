import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { migrate } from '../../src/infra/migrations/migrations.ts';
import { createDatabase, dropDatabase, dropOldDatabases } from './databases.ts';
import { createRunFolder, removeRunFolder, removeRunFolderAtExit, sweepRunFolders } from './test-folders.ts';

const logger = pino({ level: 'warn' });

/** Nothing in a test's database needs to survive a power cut. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

/**
 * One PostgreSQL for the whole run, or the one at TEST_DATABASE_URL, and in it a migrated database to clone for each
 * test file.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await sweepRunFolders();
  const runFolder = createRunFolder();
  // Vitest does not call the teardown when it is interrupted. What SIGKILL leaves, the next run sweeps.
  const atExit = () => existsSync(runFolder) && removeRunFolderAtExit(runFolder);
  process.once('exit', atExit);

  const external = process.env.TEST_DATABASE_URL;
  const server =
    external === undefined
      ? await startEmbeddedPostgres({ dataDir: join(runFolder, 'server'), logger, settings: SETTINGS })
      : { connectionString: external, dispose: () => Promise.resolve() };
  const serverUrl = server.connectionString;
  if (external !== undefined) await dropOldDatabases(serverUrl);
  const template = await createDatabase(serverUrl);
  await migrate({ connectionString: template.url, logger });
  project.provide('postgres', { serverUrl, template: template.name, runFolder });

  return async () => {
    await dropDatabase(serverUrl, template.name);
    await server.dispose();
    await removeRunFolder(runFolder);
    process.off('exit', atExit);
  };
}
