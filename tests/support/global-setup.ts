import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { migrate } from '../../src/infra/migrations/migrations.ts';
import { createPostgresJobs } from '../../src/jobs/postgres-backend.ts';
import { forgetCompiledEntries, useCompiledEntries } from './compiled.ts';
import { createDatabase, dropDatabase, dropOldDatabases } from './databases.ts';
import { createRunFolder, removeRunFolder, removeRunFolderAtExit, sweepRunFolders } from './test-folders.ts';

const logger = pino({ level: 'warn' });

/** Nothing in a test's database needs to survive a power cut. */
const SETTINGS = {
  ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  // What is read is in memory anyway: processes of its own that read files would only be started and woken.
  io_method: 'sync',
  // Each of its workers costs as much as a connection, for each database.
  autovacuum: 'off',
  // Connections that live for seconds would plan a statement anew for each of its first five executions.
  plan_cache_mode: 'force_generic_plan',
};

/**
 * One PostgreSQL for the whole run, or the one at TEST_DATABASE_URL, and in it a migrated database to clone for each
 * test file.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Beside the start of PostgreSQL, which leaves a processor idle.
  const documents = generateDocuments();
  // `prepare` awaits it; until then a failure must not end the process.
  documents.catch(() => {});
  await sweepRunFolders();
  const runFolder = createRunFolder();
  // Vitest does not call the teardown when it is interrupted. What SIGKILL leaves, the next run sweeps.
  const atExit = () => existsSync(runFolder) && removeRunFolderAtExit(runFolder);
  process.once('exit', atExit);

  useCompiledEntries(runFolder);
  const external = process.env.TEST_DATABASE_URL;
  const server =
    external === undefined
      ? await startEmbeddedPostgres({ dataDir: join(runFolder, 'server'), logger, settings: settingsOf(runFolder) })
      : { connectionString: external, dispose: () => Promise.resolve() };
  // The address of a Unix socket, where there is one. Tests with a proxy take `overTcp(…)` of it.
  const serverUrl = server.connectionString;
  async function prepare() {
    if (external !== undefined) await dropOldDatabases(serverUrl);
    const made = await createDatabase(serverUrl);
    await migrate({ connectionString: made.url, logger });
    await makeJobTables(made.url);
    await documents;
    return made;
  }
  const template = await prepare().catch(async (error: unknown) => {
    await server.dispose();
    throw error;
  });
  project.onTestsRerun(() => forgetCompiledEntries(runFolder));
  project.provide('postgres', { serverUrl, template: template.name, runFolder });

  return async () => {
    await dropDatabase(serverUrl, template.name);
    await server.dispose();
    await removeRunFolder(runFolder);
    process.off('exit', atExit);
  };
}

/** Generates typed documents where their sources have changed. @throws Error that says which document is wrong */
async function generateDocuments(): Promise<void> {
  const args = ['--import', 'tsx', 'scripts/graphql-codegen.ts', '--if-changed'];
  await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '../..') }).catch(
    ({ stderr }: { stderr: string }) => {
      throw new Error(`The typed documents could not be generated:\n${stderr}`);
    },
  );
}

/** Thousands of connections are opened, and each would spend milliseconds on proving a password. */
function settingsOf(runFolder: string): Record<string, string> {
  const hbaFile = join(runFolder, 'pg_hba.conf');
  writeFileSync(hbaFile, 'local all all trust\nhost all all 127.0.0.1/32 trust\n');
  return { ...SETTINGS, hba_file: hbaFile };
}

/** Every shop would make them when its first worker opens. */
async function makeJobTables(connectionString: string): Promise<void> {
  await using jobs = createPostgresJobs({ connectionString, logger });
  await jobs.check();
}
