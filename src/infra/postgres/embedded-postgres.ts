import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { keptSecret } from '../../config/kept-secret.ts';
import { assertReachable, chooseUser, findBinaries, giveTo } from './embedded-postgres-binaries.ts';
import { clientsOf } from './embedded-postgres-clients.ts';
import { createCluster, isCluster, SUPERUSER } from './embedded-postgres-cluster.ts';
import {
  findPostmaster,
  settle,
  socketFolderOf,
  socketIn,
  startPostmaster,
  stopPostmaster,
  type Postmaster,
} from './embedded-postgres-server.ts';
import { atAbruptExit } from './embedded-postgres-exit.ts';
import { watchServer } from './embedded-postgres-watch.ts';
import { acquireFileLock } from '../file-lock.ts';
import type { Logger } from '../logger.ts';
import { isRunning } from '../process-identity.ts';

/** This process's hold on the embedded PostgreSQL of a data folder. */
export interface EmbeddedPostgres {
  connectionString: string;
  /** Whether the server was running already. */
  attached: boolean;
  /** Resolves where the server has died and cannot be started again: with what to say of it. The process should end. */
  lost: Promise<Error>;
  /** Lets go of the server; the last process to do so stops it, and waits until it is gone. */
  dispose(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Holds the data in `postgres/`, beside it password, log, lock and the list of processes that use the server. */
  dataDir: string;
  logger: Logger;
  /** Settings of the server, such as `fsync`. Of no effect on one that runs already. */
  settings?: Record<string, string>;
  /** Called, perhaps more than once, while a server is being made or started; not where one runs already. */
  meanwhile?: (() => void) | undefined;
  /** Reads something over the connection that shows that the server answers. */
  look?: ((client: pg.ClientBase) => Promise<void>) | undefined;
  /** Gives the start up, and leaves nothing running. */
  signal?: AbortSignal | undefined;
}

const DATABASE = 'vitrine';
/** Longer than all that may be waited for under the lock. */
const LOCK_TIMEOUT_MS = 200_000;
const CONNECT_WITHIN_MS = 60_000;
const POLL_MS = 25;

/**
 * Starts PostgreSQL on a data folder, which is created if it does not exist, or attaches to the server that another process started
 * there or left running when it was killed. The last process to leave stops the server. If the server dies, the processes that use it
 * start it again, on the same port.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { logger, settings = {}, meanwhile, look, signal } = options;
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const unlock = await lock(dataDir);
  try {
    const name = clientsOf(dataDir).enter();
    const forget = atAbruptExit(() => abandon(dataDir, name));
    try {
      const began = performance.now();
      const running = await settle(clusterIn(dataDir), signal);
      const server = running ?? (await start(dataDir, { settings, port: null, meanwhile, signal }));
      const connectionString = await connect(dataDir, server, { look, signal });
      const attached = running !== null;
      const facts = { dataDir, port: server.port, ms: Math.round(performance.now() - began) };
      logger.info(facts, attached ? 'attached to the embedded PostgreSQL' : 'embedded PostgreSQL started');
      const watch = watchServer({ server, logger, revive: () => revive(dataDir, settings, server.port) });
      let disposal: Promise<void> | undefined;
      const dispose = async () => {
        await watch[Symbol.asyncDispose]();
        await leave(dataDir, name, logger);
        forget();
      };
      return { connectionString, attached, lost: watch.lost, dispose: () => (disposal ??= dispose()) };
    } catch (error) {
      forget();
      clientsOf(dataDir).leave(name);
      await stopIfUnused(dataDir, logger).catch((err: unknown) =>
        logger.error({ err }, 'embedded PostgreSQL did not stop'),
      );
      throw error;
    }
  } finally {
    unlock();
  }
}

/** Of several processes that find the server dead one starts it, and the others find it running. */
async function revive(dataDir: string, settings: Record<string, string>, port: number): Promise<Postmaster> {
  const unlock = await lock(dataDir);
  try {
    const server = (await settle(clusterIn(dataDir))) ?? (await start(dataDir, { settings, port }));
    await connect(dataDir, server);
    return server;
  } finally {
    unlock();
  }
}

async function leave(dataDir: string, name: string, logger: Logger): Promise<void> {
  const unlock = await lock(dataDir);
  try {
    clientsOf(dataDir).leave(name);
    await stopIfUnused(dataDir, logger);
  } finally {
    unlock();
  }
}

/** Leaves without a wait, and so without the lock: should another process attach in this moment, it starts the server again. */
function abandon(dataDir: string, name: string): void {
  clientsOf(dataDir).leave(name);
  const server = clientsOf(dataDir).anyLeft() ? null : findPostmaster(clusterIn(dataDir));
  if (server !== null) process.kill(server.pid, 'SIGINT');
}

/** Start and stop happen one at a time: two processes that start together get one server, and nobody one that stops. */
function lock(dataDir: string): Promise<() => void> {
  return acquireFileLock(join(dataDir, 'postgres.lock'), LOCK_TIMEOUT_MS);
}

async function stopIfUnused(dataDir: string, logger: Logger): Promise<void> {
  if (clientsOf(dataDir).anyLeft()) return;
  const postmaster = findPostmaster(clusterIn(dataDir));
  if (postmaster === null) return;
  await stopPostmaster(postmaster, await findBinaries(), clusterIn(dataDir));
  logger.info({ dataDir }, 'embedded PostgreSQL stopped');
}

async function start(
  dataDir: string,
  {
    settings,
    port,
    meanwhile,
    signal,
  }: {
    settings: Record<string, string>;
    port: number | null;
    meanwhile?: (() => void) | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<Postmaster> {
  const clusterDir = clusterIn(dataDir);
  const binaries = await findBinaries();
  const user = chooseUser(clusterDir);
  assertReachable(user, dirname(binaries.postgres));
  assertReachable(user, dataDir);
  if (isCluster(clusterDir)) giveTo(user, clusterDir);
  else {
    const sync = settings.fsync !== 'off';
    await createCluster({ binaries, user, clusterDir, password: password(dataDir), sync, meanwhile, signal });
  }
  const logFile = join(dataDir, 'postgres.log');
  return startPostmaster({ binaries, user, clusterDir, logFile, settings, port, meanwhile, signal });
}

/** Makes sure that the server answers and that our database is there; gives its address. */
async function connect(
  dataDir: string,
  { identity, port }: Postmaster,
  { look = ask('SELECT 1'), signal }: Pick<EmbeddedPostgresOptions, 'look' | 'signal'> = {},
): Promise<string> {
  const address = (database: string) => addressOf(dataDir, port, database);
  const deadline = Date.now() + CONNECT_WITHIN_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await run(address(DATABASE), look);
      return address(DATABASE);
    } catch (error) {
      const cannotPass = !isRunning(identity) || Date.now() > deadline;
      if (hasCode(error, '3D000')) {
        await run(address('postgres'), ask(`CREATE DATABASE ${DATABASE}`));
      } else if (hasCode(error, '28P01')) {
        const file = join(dataDir, PASSWORD);
        throw new Error(`The password in ${file} does not match the database beside it.`, { cause: error });
      } else if (cannotPass || !isPassing(error)) {
        throw error;
      }
      await delay(POLL_MS);
    }
  }
}

/**
 * The address over TCP, which the log names for other tools, with the folder of the Unix socket as `host`: drivers prefer it. A server
 * that an older version of the shop started, and left running, has no socket.
 */
function addressOf(dataDir: string, port: number, database: string): string {
  const url = new URL(`postgresql://${SUPERUSER}:${password(dataDir)}@127.0.0.1:${port}/${database}`);
  const folder = socketFolderOf(clusterIn(dataDir));
  if (folder !== null && existsSync(socketIn(folder, port))) url.searchParams.set('host', folder);
  return url.href;
}

/**
 * The address of an embedded server without its Unix socket: for a proxy, a pooler or a tool that reaches the server by host and port.
 * @param connectionString as `startEmbeddedPostgres` gives it
 */
export function overTcp(connectionString: string): string {
  const url = new URL(connectionString);
  url.searchParams.delete('host');
  return url.href;
}

const PASSWORD = 'postgres-password';

/** After a crash of one of its children the server ends all sessions, and restarts: until then it refuses new ones. */
function isPassing(error: unknown): boolean {
  const codes = ['57P01', '57P02', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT'];
  return codes.some((code) => hasCode(error, code)) || String(error).includes('Connection terminated');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function password(dataDir: string): string {
  if (isCluster(clusterIn(dataDir)) && !existsSync(join(dataDir, PASSWORD))) {
    throw new Error(
      `${join(dataDir, PASSWORD)} is missing. The data in ${clusterIn(dataDir)} cannot be opened without it.`,
    );
  }
  return keptSecret(dataDir, PASSWORD);
}

function clusterIn(dataDir: string): string {
  return join(dataDir, 'postgres');
}

const ask =
  (sql: string) =>
  async (client: pg.ClientBase): Promise<void> =>
    void (await client.query(sql));

async function run(connectionString: string, work: (client: pg.ClientBase) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined); // what breaks it also fails the query
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end();
  }
}
