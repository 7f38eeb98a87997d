import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { freemem, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../src/infra/postgres/embedded-postgres-binaries.ts';
import { findPostmaster, stopPostmaster } from '../../src/infra/postgres/embedded-postgres-server.ts';
import { identifySelf, isRunning } from '../../src/infra/process-identity.ts';

/** Where Linux keeps files in memory. Containers often have only 64 MB of it. */
const MEMORY = '/dev/shm';
const MEMORY_NEEDED = 4_000_000_000;

// <parent>/vitrine-tests-<uid>/<run>/<data folder>/postgres: outside the checkout, and in one place, so that what a killed run
// left behind is found by the next one. In memory where there is enough: PostgreSQL makes and deletes hundreds of files for each
// database of a test, and spends a quarter of its processor time on that where the files are on a disk.
const PARENT = join(isRoomy(MEMORY) ? MEMORY : tmpdir(), `vitrine-tests-${userInfo().uid}`);

function isRoomy(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= MEMORY_NEEDED && freemem() >= MEMORY_NEEDED;
  } catch {
    return false;
  }
}

/** Makes the folder of this test run; data folders of servers go right into it. */
export function createRunFolder(): string {
  mkdirSync(PARENT, { recursive: true });
  const folder = mkdtempSync(join(PARENT, 'run-'));
  writeFileSync(join(folder, 'owner'), identifySelf());
  chmodSync(folder, 0o711); // as root, PostgreSQL is another user
  return folder;
}

/** Stops and removes what runs left behind that were killed. */
export async function sweepRunFolders(): Promise<void> {
  mkdirSync(PARENT, { recursive: true });
  for (const name of readdirSync(PARENT)) {
    const folder = join(PARENT, name);
    if (isAbandoned(folder)) await removeRunFolder(folder);
  }
}

/** Stops the servers of a run, whoever still uses them, and removes its folder. */
export async function removeRunFolder(folder: string): Promise<void> {
  for (const clusterDir of clustersIn(folder)) {
    const postmaster = findPostmaster(clusterDir);
    if (postmaster !== null) await stopPostmaster(postmaster, await findBinaries(), clusterDir);
  }
  remove(folder);
}

/**
 * The same in the moments that a process has left while it exits: nothing can be waited for. A server that is only just
 * starting may be missed; it ends by itself within a minute, when it notices that its folder is gone.
 */
export function removeRunFolderAtExit(folder: string): void {
  for (const clusterDir of clustersIn(folder)) {
    const postmaster = findPostmaster(clusterDir);
    if (postmaster !== null) process.kill(postmaster.pid, 'SIGQUIT');
  }
  remove(folder);
}

function clustersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name, 'postgres'));
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 25 });
}

function isAbandoned(folder: string): boolean {
  try {
    return !isRunning(readFileSync(join(folder, 'owner'), 'utf8'));
  } catch {
    // Made this moment by another run, or never finished.
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats !== undefined && stats.mtimeMs < Date.now() - 60_000;
  }
}
