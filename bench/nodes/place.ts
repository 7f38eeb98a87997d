import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { createLogger } from '../../src/infra/logger.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_WITHIN_MS = 60_000;

export const ADMIN = { email: 'admin@example.com', password: 'a password of the bench' };

/** Where nodes are started: a PostgreSQL and a Redis of their own, in a folder that is thrown away. */
export interface Place {
  db: Database;
  /** Null where there is no redis-server. */
  redisUrl: string | null;
  /** Starts an API node; gives its address. */
  startNode(redisUrl: string | null): Promise<{ url: string; stop(): Promise<void> }>;
  dispose(): Promise<void>;
}

/** Starts both, as a shop would run them. */
export async function openPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  chmodSync(folder, 0o711); // as root, PostgreSQL is another user
  const children = new Set<ChildProcess>();
  const logger = createLogger({ level: 'error', pretty: false });
  // The time of each commit is what latency is counted from.
  const settings = { track_commit_timestamp: 'on' };
  const postgres = await startEmbeddedPostgres({ dataDir: folder, logger, settings });
  const db = openDatabase({ connectionString: postgres.connectionString, poolSize: 2, logger });

  async function stop(child: ChildProcess): Promise<void> {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }

  async function startRedis(): Promise<string | null> {
    if (spawnSync('redis-server', ['--version']).status !== 0) return null;
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
    children.add(spawn('redis-server', args, { stdio: 'ignore' }));
    const deadline = performance.now() + START_WITHIN_MS;
    while (!(await isListening(port))) {
      if (performance.now() > deadline) throw new Error('Redis does not start');
      await delay(20);
    }
    return `redis://127.0.0.1:${port}`;
  }

  return {
    db,
    redisUrl: await startRedis(),
    async startNode(redisUrl) {
      const child = spawn(process.execPath, ['--import', 'tsx', 'src/server.ts'], {
        cwd: ROOT,
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          PORT: '0',
          ROLES: 'api',
          DATA_DIR: folder,
          DATABASE_URL: postgres.connectionString,
          ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
          JWT_SECRET: 'a secret of the bench that is long enough',
          ADMIN_EMAIL: ADMIN.email,
          ADMIN_PASSWORD: ADMIN.password,
          BCRYPT_COST: '4',
          SEED: 'none',
          RATE_LIMITS: 'off',
          LOG_LEVEL: 'error',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.add(child);
      const url = await readUrl(child);
      const deadline = performance.now() + START_WITHIN_MS;
      for (;;) {
        const { status } = (await (await fetch(`${url}/health/ready`)).json()) as { status: string };
        if (status === 'ready') break;
        if (performance.now() > deadline) throw new Error(`the node is ${status}`);
        await delay(20);
      }
      return { url, stop: () => stop(child) };
    },
    async dispose() {
      await Promise.all([...children].map(stop));
      await db[Symbol.asyncDispose]();
      await postgres.dispose();
      rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 25 });
    },
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  let output = '';
  for await (const text of child.stdout ?? []) {
    output += String(text);
    const [, url] = /(http:\/\/localhost:\d+)\/graphql[^]*Ctrl-C/.exec(output) ?? [];
    if (url !== undefined) {
      child.stdout?.resume();
      return url;
    }
  }
  throw new Error(`a node did not start:\n${output}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
