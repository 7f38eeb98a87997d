import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A Redis of the run's own, which keeps nothing. */
export interface Redis {
  url: string;
  /** Kills it, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same address. */
  restart(): Promise<void>;
}

const READY_WITHIN_MS = 20_000;

/** Starts one in a folder; null where there is no redis-server. It dies with this process at the latest. */
export async function startRedis(folder: string): Promise<Redis | null> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return null;
  const port = await freePort();
  let child: ChildProcess | undefined;
  const killNow = () => child?.kill('SIGKILL');

  async function start(): Promise<void> {
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    child = spawn('redis-server', settings, { stdio: 'ignore' });
    process.once('exit', killNow);
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await isListening(port))) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error('Redis does not start');
      await delay(20);
    }
  }

  async function kill(): Promise<void> {
    process.off('exit', killNow);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    killNow();
    await gone;
  }

  await start();
  return { url: `redis://127.0.0.1:${port}`, kill, restart: start };
}

/** A port that nobody has now. */
export async function freePort(): Promise<number> {
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
