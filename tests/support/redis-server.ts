import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inject } from 'vitest';

const REDIS = process.env.REDIS_SERVER ?? 'redis-server';

/** Whether there is a Redis to try; says so in one line where there is none. */
export function hasRedis(what: string): boolean {
  const found = spawnSync(REDIS, ['--version']).status === 0;
  if (!found) process.stderr.write(`${what} is not tried on Redis: no ${REDIS}. Install it, or set REDIS_SERVER.\n`);
  return found;
}

/** A Redis of a test's own, that keeps what it is told. */
export interface RedisServer {
  url: string;
  port: number;
  /** As a machine that loses its power. */
  kill(): Promise<void>;
  /** Starts it again, with what it had. */
  start(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Starts one, on a port that was free, in the folder of the test run.
 * @param more settings beside its own
 */
export async function startRedis(more: Record<string, string> = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(inject('postgres').runFolder, 'redis-'));
  const port = await freePort();
  const settings = { port, dir, bind: '127.0.0.1', save: '', appendonly: 'yes', appendfsync: 'always', ...more };
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const started = spawn(REDIS, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    // A test that fails may not come to dispose of it.
    const atExit = () => started.kill('SIGKILL');
    process.once('exit', atExit);
    started.once('exit', () => process.off('exit', atExit));
    let output = '';
    const ready = new Promise<void>((resolve) => {
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('Ready to accept connections')) resolve();
      });
    });
    const failed = once(started, 'exit').then(() => {
      throw new Error(`Redis did not start:\n${output}`);
    });
    await Promise.race([ready, failed]);
    failed.catch(() => {});
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  await start();
  return { url: `redis://127.0.0.1:${port}`, port, kill, start, dispose: kill };
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
