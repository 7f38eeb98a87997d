import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inject } from 'vitest';
import { until } from './until.ts';

/** A real Redis server that belongs to one test or file. */
export interface TestRedis {
  url: string;
  port: number;
  /** Kills the server, as a power cut would. Unless it keeps its data, they are gone. */
  kill(): Promise<void>;
  /** Starts the server again, at the same address. Has no effect on one that runs. */
  start(): Promise<void>;
  /** The server keeps its connections and accepts new ones, but answers nothing until `thaw`. */
  freeze(): void;
  thaw(): void;
  dispose(): Promise<void>;
}

const REDIS = process.env.REDIS_SERVER ?? 'redis-server';
const FOUND = spawnSync(REDIS, ['--version']).status === 0;

/** Settings of a server that writes each change to its disk, and has it after a restart. */
export const KEEPS_DATA: Readonly<Record<string, string>> = { appendonly: 'yes', appendfsync: 'always' };

/** Whether a Redis server is installed. Prints a line if not. */
export function hasRedis(what: string): boolean {
  if (!FOUND) process.stderr.write(`${what} is not tried on Redis: no ${REDIS}. Install it, or set REDIS_SERVER.\n`);
  return FOUND;
}

/** A port on which nothing listens at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a server on a free port, in the folder of the test run, and waits until it answers.
 * @param more settings besides the usual ones, by which it keeps nothing
 */
export async function startRedis(more: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'redis-'));
  let child: ChildProcess | null = null;
  const killNow = () => child?.kill('SIGKILL');
  // The server must not outlive this process, however the test ends.
  process.once('exit', killNow);

  const isRunning = () => child !== null && child.exitCode === null && child.signalCode === null;

  async function start(): Promise<void> {
    if (isRunning()) return;
    const settings = {
      port,
      bind: '127.0.0.1',
      dir: folder,
      save: '',
      appendonly: 'no',
      logfile: 'redis.log',
      ...more,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    child = spawn(REDIS, args, { stdio: 'ignore' });
    await until('Redis answers', () => answers(port));
  }

  async function kill(): Promise<void> {
    if (child === null || !isRunning()) return;
    const exited = once(child, 'exit');
    killNow();
    await exited;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
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
