import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A shop in a process of its own, with a data folder of its own, for one run of a benchmark. */
export interface OwnShop {
  url: string;
  /** Its DATA_DIR, which holds the embedded database. */
  dataDir: string;
  pid: number;
  /** What it logged as an error, one JSON object a line; and what is no log line at all. */
  errors: readonly string[];
  /** Null while it runs; else its exit status, or the signal that ended it. */
  ended(): number | string | null;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export const ADMIN = { email: 'admin@example.com', password: 'a password for benchmarks' };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a shop and waits until it is ready.
 * @param env added to the settings of the demo. DATABASE_URL of this process is not passed on
 * @param nodeOptions of its process
 * @param root folder of the shop's code; by default this one
 */
export async function startOwnShop(
  env: NodeJS.ProcessEnv = {},
  nodeOptions: readonly string[] = [],
  root = ROOT,
): Promise<OwnShop> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  const dataDir = join(folder, 'data');
  // PostgreSQL does not run as root: the user that it runs as then has to get through.
  chmodSync(folder, 0o711);
  const child = spawn(process.execPath, [...nodeOptions, '--import', 'tsx', 'src/server.ts'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: String(port),
      DATA_DIR: dataDir,
      LOG_LEVEL: 'error',
      BCRYPT_COST: '4',
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.includes('"level":50') || line.includes('"level":60') || (stream === child.stderr && line !== ''))
        errors.push(line);
    });
  }
  let end: number | string | null = null;
  const exited = once(child, 'exit').then(([status, signal]) => {
    end = (status ?? signal) as number | string;
  });
  const url = `http://localhost:${port}`;
  async function stop(): Promise<void> {
    if (end === null) child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
  for (let tries = 0; ; tries += 1) {
    const ready = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) break;
    if (end !== null || tries > 600) {
      await stop();
      throw new Error(`the shop did not start:\n${errors.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, dataDir, pid: child.pid ?? 0, errors, ended: () => end, stop };
}
