import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { overTcp, startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { findPostmaster, socketFolderOf, type Postmaster } from '../../src/infra/postgres/embedded-postgres-server.ts';
import { identify, identifySelf, isRunning } from '../../src/infra/process-identity.ts';
import { nodeArguments } from '../support/compiled.ts';
import type { Answer } from '../support/embedded-postgres-child.ts';

const isRoot = process.getuid?.() === 0;
const logger = pino({ level: 'silent' });
const settings = { fsync: 'off' };

/** Data to be copied, where how they are made does not matter. */
let made: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  made = newDataDir();
  await (await startEmbeddedPostgres({ dataDir: made, logger, settings })).dispose();
});

beforeEach(() => {
  dataDir = newDataDir();
});

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  // Whoever comes last stops what a failed test may have left.
  if (server() !== null) await (await startEmbeddedPostgres({ dataDir, logger })).dispose();
});

function newDataDir(): string {
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'embedded-'));
  chmodSync(folder, 0o711);
  return join(folder, 'data');
}

function copyData(): void {
  execFileSync('cp', ['-a', made, dataDir]);
}

describe('one process', () => {
  test('makes the data on the first start and finds it on the second', async () => {
    const first = await startEmbeddedPostgres({ dataDir, logger, settings });
    expect(first.attached).toBe(false);
    expect(new URL(first.connectionString)).toMatchObject({ hostname: '127.0.0.1', pathname: '/vitrine' });
    expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
    await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const running = server();
    await first.dispose();
    await first.dispose();
    expectStopped(running);

    const second = await startEmbeddedPostgres({ dataDir, logger, settings });
    expect(second.attached).toBe(false);
    expect(await query(second.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.dispose();
    expectStopped(server());
  });

  test('treats letters alike on every machine, and listens on loopback and on a socket in its data folder alone', async () => {
    copyData();
    const { connectionString, dispose } = await startEmbeddedPostgres({ dataDir, logger, settings });
    const [row] = await query(
      connectionString,
      `SELECT lower('ÉCLAIR') AS folded, 'B' < 'a' AS by_code_point, current_setting('listen_addresses') AS addresses,
              current_setting('unix_socket_directories') AS sockets, inet_server_addr() AS over_tcp, current_setting('server_encoding') AS encoding,
              to_tsvector('simple', 'ÉCLAIR “Honey” l’été…')::text AS words`,
    );
    expect(row).toEqual({
      folded: 'éclair',
      by_code_point: true,
      addresses: '127.0.0.1',
      sockets: realpathSync(join(dataDir, 'postgres')),
      over_tcp: null,
      encoding: 'UTF8',
      words: `'honey':2 'l':3 'éclair':1 'été':4`,
    });
    // Proxies and other tools take host and port of the address.
    const loopback = [{ address: '127.0.0.1' }];
    expect(await query(overTcp(connectionString), 'SELECT host(inet_server_addr()) AS address')).toEqual(loopback);
    await dispose();
  });

  test('is reached over TCP alone if the path of its data folder is too long for a socket', () => {
    const long = join(dataDir, 'a'.repeat(100));
    mkdirSync(long, { recursive: true });
    expect(socketFolderOf(long)).toBeNull();
  });

  test('may hold it more than once', async () => {
    copyData();
    const holds = await Promise.all([1, 2, 3].map(() => startEmbeddedPostgres({ dataDir, logger, settings })));
    expect(new Set(holds.map((hold) => hold.connectionString)).size).toBe(1);
    expect(holds.filter((hold) => !hold.attached)).toHaveLength(1);
    const [last, ...others] = holds;
    await Promise.all(others.map((hold) => hold.dispose()));
    expect(await query(last?.connectionString ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const running = server();
    await last?.dispose();
    expectStopped(running);
  });

  test('removes what an initdb that was cut off left, and a lock whose holder is gone', async () => {
    const ended = spawn(process.execPath, ['-e', '']);
    const identity = identify(ended.pid ?? 0) ?? '';
    await once(ended, 'exit');
    mkdirSync(join(dataDir, 'postgres-initdb-abc123/data'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres-initdb-abc123/data/PG_VERSION'), '18');
    writeFileSync(join(dataDir, 'postgres.lock'), identity);

    const { dispose } = await startEmbeddedPostgres({ dataDir, logger, settings });
    expect(readdirSync(dataDir).toSorted()).toEqual([
      ...['postgres', 'postgres-clients', 'postgres-password', 'postgres.log'],
    ]);
    await dispose();
  });

  test('refuses data of another major version, and says which', async () => {
    copyData();
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '16\n');
    await expect(startEmbeddedPostgres({ dataDir, logger, settings })).rejects.toThrow(
      /was created by PostgreSQL 16, but this version of the shop includes 18\.\d+\. Dump it/,
    );
    expectStopped(server());
  });

  test.runIf(isRoot)('names the folder that PostgreSQL cannot enter, and the ways out', async () => {
    chmodSync(join(dataDir, '..'), 0o700);
    const attempt = startEmbeddedPostgres({ dataDir, logger, settings });
    await expect(attempt).rejects.toThrow(join(dataDir, '..'));
    await expect(attempt).rejects.toThrow(/chmod o\+x .*DATA_DIR=.*DATABASE_URL=/s);
  });
});

describe('several processes', () => {
  test('that start at once make the data once, and have one server', async () => {
    const [one, two] = await Promise.all([attach(), attach()]);
    expect(one.connectionString).toBe(two.connectionString);
    expect(one.attached).toBe(!two.attached);
    const running = server();
    await Promise.all([leave(one.child), leave(two.child)]);
    expectStopped(running);
  });
});

describe('several processes with data', () => {
  beforeEach(copyData);

  test('share it until the last one stops, in whatever order they started', async () => {
    const starter = await attach();
    const guest = await startEmbeddedPostgres({ dataDir, logger });
    expect(guest).toMatchObject({ connectionString: starter.connectionString, attached: true });
    const running = server();
    await leave(starter.child);
    await kill(starter.child);
    expect(await query(guest.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(server()).toEqual(running);
    await guest.dispose();
    expectStopped(running);
  });

  test('killed with its whole group, one leaves a server that the next one takes over and stops', async () => {
    const owner = await attach();
    const running = server();
    process.kill(-(owner.child.pid ?? 0), 'SIGKILL');
    await once(owner.child, 'exit');
    expect(server()).toEqual(running);

    const next = await startEmbeddedPostgres({ dataDir, logger });
    expect(next).toMatchObject({ connectionString: owner.connectionString, attached: true });
    await next.dispose();
    expectStopped(running);
  });

  test('killed together with its server, one leaves data that start again, though the pid is another process’s', async () => {
    const owner = await attach();
    await query(owner.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const before = server();
    if (before === null) throw new Error('no server');
    await kill(owner.child);
    process.kill(before.pid, 'SIGKILL');
    await vi.waitFor(() => expect(isRunning(before.identity)).toBe(false));
    // Of the same user as the server, since PostgreSQL itself sees through a process of another.
    const { uid, gid } = statSync(join(dataDir, 'postgres'));
    const stranger = spawn(
      process.execPath,
      ['-e', 'setInterval(() => {}, 1000)'],
      isRoot ? { uid, gid, cwd: '/' } : {},
    );
    children.push(stranger);
    const pidFile = join(dataDir, 'postgres/postmaster.pid');
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(stranger.pid)));

    const next = await startEmbeddedPostgres({ dataDir, logger, settings });
    expect(next.attached).toBe(false);
    expect(await query(next.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(identify(stranger.pid ?? 0)).not.toBeNull();
    await next.dispose();
    expectStopped(server());
  });

  test('wait for a server that restarts after a crash of a session', async () => {
    const owner = await attach();
    const session = new pg.Client(owner.connectionString);
    session.on('error', () => undefined);
    await session.connect();
    const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
    const next = await startEmbeddedPostgres({ dataDir, logger });
    expect(next).toMatchObject({ connectionString: owner.connectionString, attached: true });
    await next.dispose();
    await leave(owner.child);
  });

  test('wait for a server that shuts down, and start it anew', async () => {
    const owner = await attach();
    const session = new pg.Client(owner.connectionString);
    await session.connect();
    const before = server();
    process.kill(before?.pid ?? 0, 'SIGTERM'); // waits for its sessions to end
    await vi.waitFor(() => expect(server()?.status).toBe('stopping'));

    let isUp = false;
    const next = startEmbeddedPostgres({ dataDir, logger, settings }).finally(() => (isUp = true));
    await vi.waitFor(() => expect(existsSync(join(dataDir, 'postgres.lock'))).toBe(true));
    expect(isUp).toBe(false);
    await session.end();
    const { attached, dispose } = await next;
    expect(attached).toBe(false);
    expect(server()?.identity).not.toBe(before?.identity);
    await leave(owner.child);
    await dispose();
    expectStopped(server());
  });

  test('forget those whose pid belongs to another process by now', async () => {
    const { dispose } = await startEmbeddedPostgres({ dataDir, logger, settings });
    writeFileSync(join(dataDir, 'postgres-clients', `${process.pid}-recycled`), identifySelf().replace(/ \d+ /, ' 1 '));
    const running = server();
    expect(running?.status).toBe('ready');
    await dispose();
    expectStopped(running);
  });
});

/** Starts a process, in a group of its own, that uses the server. */
async function attach(): Promise<{ child: ChildProcess; connectionString: string; attached: boolean }> {
  const [script = '', ...execArgv] = nodeArguments('tests/support/embedded-postgres-child.ts').toReversed();
  const child = fork(script, [dataDir], { execArgv: execArgv.toReversed(), detached: true });
  children.push(child);
  const answer = await nextAnswer(child);
  if (answer === 'left' || 'error' in answer) throw new Error(JSON.stringify(answer));
  return { child, ...answer };
}

async function leave(child: ChildProcess): Promise<void> {
  child.send('leave');
  expect(await nextAnswer(child)).toBe('left');
}

async function nextAnswer(child: ChildProcess): Promise<Answer> {
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function server(): Postmaster | null {
  return findPostmaster(join(dataDir, 'postgres'));
}

function expectStopped(running: Postmaster | null): void {
  if (running !== null) expect(isRunning(running.identity)).toBe(false);
  expect(server()).toBeNull();
  expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false);
  expect(readdirSync(join(dataDir, 'postgres-clients'))).toEqual([]);
  expect(existsSync(join(dataDir, 'postgres.lock'))).toBe(false);
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
