import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { nodeArguments } from '../../tests/support/compiled.ts';
import type { Credentials } from '../options.ts';
import { ShopNotReachable } from '../torture/shop.ts';
import { freePort, startRedis, type Redis } from './redis.ts';

/** A shop of the run's own: two API nodes and a worker, each a process, and a Redis between them. */
export interface Nodes {
  /** Of the API nodes. */
  urls: readonly string[];
  databaseUrl: string;
  admin: Credentials;
  /** Null where there is no redis-server: then they have none. */
  redis: Redis | null;
  /** Kills an API node, as a power cut would. */
  kill(url: string): Promise<void>;
  /** Starts it again, at the same address, and waits until it is ready. */
  restart(url: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Tests start this process without optimised code. The nodes live for seconds then, too, and leave it out as well. */
const execArgv = process.execArgv.filter((argument) => argument === '--no-opt');
const ROOT = join(import.meta.dirname, '../..');
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 12_000;

/**
 * Starts two API nodes and a worker, on the given database or on a PostgreSQL in a temporary folder.
 * @param options `admin`: the ADMIN to create if the database has none; `env`: the environment that the processes inherit
 */
export async function startNodes(options: {
  databaseUrl: string | null;
  admin: Credentials | null;
  env: NodeJS.ProcessEnv;
}): Promise<Nodes> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-torture-'));
  chmodSync(folder, 0o711); // as root, PostgreSQL is another user
  const admin = options.admin ?? { email: 'torture@example.com', password: randomBytes(18).toString('base64url') };
  const secret = randomBytes(32).toString('hex');
  const running = new Map<string, ChildProcess>();
  const killAll = () => {
    for (const child of running.values()) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  let redis: Redis | null = null;
  let postgres: { connectionString: string; dispose(): Promise<void> } | null = null;

  async function start(url: string, entry: string): Promise<void> {
    const { DATABASE_URL: _one, REDIS_URL: _two, ...inherited } = options.env;
    const child = spawn(process.execPath, [...execArgv, ...nodeArguments(entry)], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...inherited,
        DATABASE_URL: databaseUrl,
        ...(redis === null ? {} : { REDIS_URL: redis.url }),
        DATA_DIR: folder,
        HOST: '127.0.0.1',
        PORT: new URL(url).port,
        ROLES: 'api',
        SEED: 'none',
        RATE_LIMITS: 'off',
        BCRYPT_COST: '4',
        JWT_SECRET: secret,
        ADMIN_EMAIL: admin.email,
        ADMIN_PASSWORD: admin.password,
        LOG_LEVEL: 'silent',
      },
    });
    running.set(url, child);
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await isReady(url))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new ShopNotReachable(`A node did not start at ${url} (exit code ${child.exitCode}).`);
      }
      await delay(50);
    }
  }

  async function stop(url: string, signal: NodeJS.Signals): Promise<void> {
    const child = running.get(url);
    running.delete(url);
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await Promise.race([gone, delay(STOP_WITHIN_MS, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
  }

  async function dispose(): Promise<void> {
    await Promise.all([...running.keys()].map((url) => stop(url, 'SIGTERM')));
    process.off('exit', killAll);
    await redis?.kill();
    await postgres?.dispose();
    rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 25 });
  }

  let databaseUrl = options.databaseUrl ?? '';
  try {
    if (options.databaseUrl === null) {
      postgres = await startEmbeddedPostgres({
        dataDir: folder,
        logger: createLogger({ level: 'error', pretty: false }),
      });
      databaseUrl = postgres.connectionString;
    }
    redis = await startRedis(folder);
    const urls = [await freeAddress(), await freeAddress()];
    const worker = await freeAddress();
    // The first one migrates and makes the ADMIN; so the others are quicker, and one at a time they are not too much at once.
    for (const url of urls) await start(url, 'src/server.ts');
    await start(worker, 'src/worker.ts');
    return {
      urls,
      databaseUrl,
      admin,
      redis,
      kill: (url) => stop(url, 'SIGKILL'),
      restart: (url) => start(url, 'src/server.ts'),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${url}/health/ready`);
    return status === 200;
  } catch {
    return false;
  }
}

/** An address that nobody has now; a node keeps it over its restart. */
async function freeAddress(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
