import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inject } from 'vitest';
import { until } from './until.ts';

/** A real Redis of a test's own, for as long as it lives. */
export interface TestRedis {
  url: string;
  /** Kills it as a power cut would; what it held is gone. */
  kill(): Promise<void>;
  /** Starts it anew, at the same address. */
  start(): Promise<void>;
  /** It keeps its connections and takes new ones, and says nothing. */
  freeze(): void;
  thaw(): void;
  dispose(): Promise<void>;
}

const FOUND = spawnSync('redis-server', ['--version']).status === 0;

/** Whether there is a Redis to be started here; says so where there is not. */
export function hasRedis(what: string): boolean {
  if (!FOUND)
    process.stderr.write(`${what} is not tried with a real Redis: no redis-server. apt-get install redis-server.\n`);
  return FOUND;
}

/** A port on which nobody listens, now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts one, and waits until it answers. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'redis-'));
  let child: ChildProcess | null = null;
  const killNow = () => child?.kill('SIGKILL');
  // It ends with this process, whatever becomes of the test.
  process.once('exit', killNow);

  async function start(): Promise<void> {
    const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', logfile: 'redis.log' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    child = spawn('redis-server', args, { stdio: 'ignore' });
    await until('Redis answers', () => answers(port));
  }

  async function kill(): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    killNow();
    await exited;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async dispose() {
      await kill();
      process.off('exit', killNow);
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data: Buffer) => done(data.toString().startsWith('+PONG')));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
}
