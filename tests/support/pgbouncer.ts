import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inject } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { freePort } from './redis.ts';

const PGBOUNCER = process.env.PGBOUNCER ?? 'pgbouncer';

/** Whether there is a PgBouncer to try; says so in one line where there is none. */
export function hasPgBouncer(what: string): boolean {
  const found = spawnSync(PGBOUNCER, ['--version']).status === 0;
  if (!found)
    process.stderr.write(`${what} is not tried behind PgBouncer: no ${PGBOUNCER}. Install it, or set PGBOUNCER.\n`);
  return found;
}

/** A PgBouncer of a test's own, with its defaults but for the mode. */
export interface PgBouncer {
  /** The address of a database through it. */
  through(url: string): string;
  dispose(): Promise<void>;
}

/** Starts one before a server. */
export async function startPgBouncer(serverUrl: string, mode: 'session' | 'transaction'): Promise<PgBouncer> {
  const server = new URL(serverUrl);
  const port = await freePort();
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'pgbouncer-'));
  const users = join(folder, 'users.txt');
  const settings = join(folder, 'pgbouncer.ini');
  const password = decodeURIComponent(server.password);
  writeFileSync(users, `"${server.username}" "${password}"\n`);
  writeFileSync(
    settings,
    [
      '[databases]',
      `* = host=${server.hostname} port=${server.port || 5432}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = plain',
      `auth_file = ${users}`,
      `pool_mode = ${mode}`,
    ].join('\n'),
  );
  // It does not run as root.
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout.trim() || '65534' : null;
  if (user !== null) {
    for (const path of [folder, users, settings]) chownSync(path, Number(user), statSync(path).gid);
    chmodSync(folder, 0o755);
  }
  const child: ChildProcess = spawn(PGBOUNCER, [settings], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(user === null ? {} : { uid: Number(user) }),
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  const atExit = () => child.kill('SIGKILL');
  process.once('exit', atExit);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const deadline = Date.now() + 20_000; !(await answers(port)); await delay(20)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`PgBouncer did not start:\n${log}`);
  }
  return {
    through(url) {
      const address = new URL(overTcp(url));
      address.hostname = '127.0.0.1';
      address.port = String(port);
      return address.href;
    },
    async dispose() {
      child.kill('SIGKILL');
      await exited;
      process.off('exit', atExit);
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
