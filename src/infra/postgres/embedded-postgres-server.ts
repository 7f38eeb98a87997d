import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { postgresEnv, type Binaries, type User } from './embedded-postgres-binaries.ts';
import { clusterName, endOrphans } from './embedded-postgres-orphans.ts';
import { identify, isPostmaster, isRunning } from '../process-identity.ts';

const POLL_MS = 25;
const READY_WITHIN_MS = 60_000;
const FAST_SHUTDOWN_MS = 8_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;
const START_ATTEMPTS_WITHIN_MS = 10_000;
const LOG_LIMIT = 10_000_000;
/** Greater than any pid of any system: stands for no process. */
const NO_PID = 2_147_483_647;

/** A running PostgreSQL server, as described by its `postmaster.pid`. */
export interface Postmaster {
  /** Its process, by `identify`. */
  identity: string;
  pid: number;
  port: number;
  status: string;
}

/** Bytes of a socket's path that every platform takes. */
const LONGEST_SOCKET_PATH = 103;

/**
 * Where the server listens on a Unix socket, which costs less than TCP: in its data folder, which no other user may enter. Null if the
 * platform has none, or the path would be too long or would be read as a list.
 */
export function socketFolderOf(clusterDir: string): string | null {
  const folder = realpathSync(clusterDir);
  const isUsable = process.platform !== 'win32' && !/[",]/.test(folder);
  return isUsable && Buffer.byteLength(socketIn(folder, 65_535)) <= LONGEST_SOCKET_PATH ? folder : null;
}

/** The file of the socket for this port. */
export function socketIn(folder: string, port: number): string {
  return join(folder, `.s.PGSQL.${port}`);
}

/** The server of a data folder, or null where none runs; a file that a dead one left behind does not count. */
export function findPostmaster(clusterDir: string): Postmaster | null {
  const lines = readPidFile(clusterDir);
  const pid = Number(lines?.[0]);
  if (lines === null || !Number.isInteger(pid) || !isPostmaster(pid, realpathSync(clusterDir))) return null;
  const identity = identify(pid);
  if (identity === null) return null;
  // The file grows while the server starts: what is not yet there is not yet known.
  return { identity, pid, port: Number(lines[3] ?? 0), status: lines[7]?.trim() ?? 'starting' };
}

/**
 * Waits while a server starts, recovers or shuts down. Gives it once it takes connections, null once it is gone.
 */
export async function settle(clusterDir: string, signal?: AbortSignal): Promise<Postmaster | null> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    signal?.throwIfAborted();
    const found = findPostmaster(clusterDir);
    if (found === null || found.status === 'ready') return found;
    if (Date.now() > deadline) {
      throw new Error(
        `PostgreSQL (process ${found.pid}, ${clusterDir}) is still ${found.status} after 60 s. Try again later.`,
      );
    }
    await delay(POLL_MS);
  }
}

/**
 * Starts the server on 127.0.0.1, in a process group of its own: neither Ctrl-C nor a kill of our group reaches it.
 * Resolves once it takes connections.
 * @param options.port null: one that is free
 * @param options.meanwhile called while the server starts
 * @param options.signal stops the server again and rejects with its reason
 */
export async function startPostmaster(options: {
  binaries: Binaries;
  user: User | null;
  clusterDir: string;
  logFile: string;
  settings: Record<string, string>;
  port: number | null;
  meanwhile?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<Postmaster> {
  await endOrphans(options.clusterDir);
  disownPidFile(options.clusterDir);
  const deadline = Date.now() + START_ATTEMPTS_WITHIN_MS;
  for (;;) {
    const outcome = await attemptStart(options, options.port ?? (await freePort()));
    if (typeof outcome !== 'string') return outcome;
    // Another process was quicker to take the port, or children of a killed server have not ended yet.
    const passing = /could not create any TCP\/IP sockets|shared memory block .* is still in use/.test(outcome);
    if (!passing || Date.now() > deadline) throw new Error(explain(outcome, options));
    await delay(POLL_MS);
  }
}

/** Stops a server and waits until its process is gone: sessions are ended first, and after 8 s it stops at once. */
export async function stopPostmaster(
  { identity, pid }: Postmaster,
  binaries: Binaries,
  clusterDir: string,
): Promise<void> {
  await shutDown('fast');
  if (await isGoneWithin(identity, FAST_SHUTDOWN_MS)) return;
  await shutDown('immediate');
  if (await isGoneWithin(identity, IMMEDIATE_SHUTDOWN_MS)) return;
  throw new Error(`PostgreSQL (process ${pid}, ${clusterDir}) does not stop.`);

  async function shutDown(mode: 'fast' | 'immediate'): Promise<void> {
    if (process.platform === 'win32') {
      // No signals there. It may have stopped by itself, which is no fault.
      const stop = promisify(execFile)(binaries.pg_ctl, ['stop', '--no-wait', '-m', mode, '-D', clusterDir]);
      await stop.catch(() => undefined);
    } else if (isRunning(identity)) {
      process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    }
  }
}

async function isGoneWithin(identity: string, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (isRunning(identity)) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** One start; gives what the server wrote where it ended instead of getting ready. */
async function attemptStart(
  { binaries, user, clusterDir, logFile, settings, meanwhile, signal }: Parameters<typeof startPostmaster>[0],
  port: number,
): Promise<Postmaster | string> {
  const isLong = (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT;
  const log = openSync(logFile, isLong ? 'w' : 'a', 0o600);
  const begin = fstatSync(log).size;
  const ours = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: socketFolderOf(clusterDir) ?? '',
    cluster_name: clusterName(clusterDir),
  };
  const all = { ...ours, ...settings };
  const child = spawn(
    binaries.postgres,
    [
      '-D',
      realpathSync(clusterDir),
      '-p',
      String(port),
      ...Object.entries(all).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    {
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
      env: postgresEnv,
      cwd: clusterDir, // ours may be closed to the user it runs as
      ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
    },
  );
  closeSync(log);
  child.unref();
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', () => (failure ??= readFileSync(logFile).subarray(begin).toString('utf8')));
  // Until other processes can find the server, only this one knows of it, and must not leave it behind.
  const abandon = () => child.kill('SIGQUIT');
  process.once('exit', abandon);
  meanwhile?.();
  const deadline = Date.now() + READY_WITHIN_MS;
  try {
    while (failure === undefined) {
      signal?.throwIfAborted();
      const found = findPostmaster(clusterDir);
      if (found?.status === 'ready' && found.pid === child.pid) {
        // Its end is no failed start any more, and its log may be gone by then.
        child.removeAllListeners('exit');
        return found;
      }
      if (Date.now() > deadline) throw new Error(`PostgreSQL is not ready after 60 s. See ${logFile}.`);
      await delay(POLL_MS);
    }
    return failure;
  } catch (error) {
    // The data survives that as they survive a loss of power.
    child.kill('SIGQUIT');
    if (failure === undefined) await Promise.race([once(child, 'exit'), delay(IMMEDIATE_SHUTDOWN_MS)]);
    throw error;
  } finally {
    process.off('exit', abandon);
  }
}

/**
 * After a crash the pid in the file may belong to an unrelated process by now, and PostgreSQL would refuse to start. The
 * file stays, without an owner: the rest of it lets PostgreSQL see whether children of the old server still use the data.
 */
function disownPidFile(clusterDir: string): void {
  const lines = readPidFile(clusterDir);
  if (lines === null) return;
  writeFileSync(pidFile(clusterDir), [NO_PID, ...lines.slice(1)].join('\n'));
}

function readPidFile(clusterDir: string): string[] | null {
  try {
    return readFileSync(pidFile(clusterDir), 'utf8').split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function pidFile(clusterDir: string): string {
  return `${clusterDir}/postmaster.pid`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function explain(output: string, { clusterDir, logFile }: { clusterDir: string; logFile: string }): string {
  const versions =
    /initialized by PostgreSQL version (\S+),\s+which is not compatible with this version (\S+?)\.?\s/.exec(output);
  if (versions !== null) {
    return (
      `The data in ${clusterDir} was created by PostgreSQL ${versions[1]}, but this version of the shop includes ${versions[2]}. Dump it with the old ` +
      'version and load it into an empty folder, set another DATA_DIR, or run the old version yourself and set DATABASE_URL.'
    );
  }
  return `PostgreSQL did not start (${clusterDir}). Last lines of ${logFile}:\n${output.trim().split('\n').slice(-12).join('\n')}`;
}
