import { chmodSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { findPostmaster, type Postmaster } from '../../src/infra/postgres/embedded-postgres-server.ts';
import { watchServer } from '../../src/infra/postgres/embedded-postgres-watch.ts';
import { identifySelf, isFrozen, isRunning } from '../../src/infra/process-identity.ts';
import { startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { until } from '../support/until.ts';

const logger = pino({ level: 'silent' });
const settings = { fsync: 'off' };
const WITHIN_MS = 25_000;

let dataDir: string;
let shop: ShopProcess;

beforeAll(async () => {
  dataDir = join(mkdtempSync(join(inject('postgres').runFolder, 'dies-')), 'data');
  chmodSync(join(dataDir, '..'), 0o711);
  mkdirSync(dataDir);
  shop = await startShopProcess({ DATA_DIR: dataDir, SEED: 'none', BCRYPT_COST: '4' });
});

afterAll(async () => {
  if (shop.child.exitCode === null) {
    shop.child.kill('SIGCONT'); // where a test failed half-way
    shop.child.kill('SIGTERM');
    await shop.exited;
  }
  if (server() !== null) await (await startEmbeddedPostgres({ dataDir, logger })).dispose();
});

describe('the embedded server', () => {
  test('killed, is started again by one of the processes that use it, and all of them go on', async () => {
    const guest = await startEmbeddedPostgres({ dataDir, logger, settings });
    try {
      for (const round of [1, 2]) {
        const before = running();
        process.kill(before.pid, 'SIGKILL');
        await until(`it runs again (${round})`, () => isAnother(before), WITHIN_MS);
        expect(running().port).toBe(before.port);
        await until('the shop is ready', isReady, WITHIN_MS);
        await until('the guest is served', () => answers(guest), WITHIN_MS);
      }
      expect(shop.output()).toContain('the embedded PostgreSQL has died');
    } finally {
      await guest.dispose();
    }
  });

  test('restarts by itself where one of its sessions is killed, and the shop goes on', async () => {
    const guest = await startEmbeddedPostgres({ dataDir, logger, settings });
    try {
      const before = running();
      const session = await connect(guest);
      const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
      await until('the guest is served', () => answers(guest), WITHIN_MS);
      await until('the shop is ready', isReady, WITHIN_MS);
      expect(running().identity).toBe(before.identity);
    } finally {
      await guest.dispose();
    }
  });

  test.runIf(process.platform === 'linux')('frozen, it or a session of it, is woken', async () => {
    const guest = await startEmbeddedPostgres({ dataDir, logger, settings });
    try {
      const session = await connect(guest);
      const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      process.kill(running().pid, 'SIGSTOP');
      process.kill(rows[0]?.pid ?? 0, 'SIGSTOP');
      expect((await session.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      expect(await until('the guest is served', () => answers(guest), WITHIN_MS)).toBe(true);
      await session.end();
    } finally {
      await guest.dispose();
    }
  });

  test.runIf(process.platform === 'linux')('is started again though a session of the dead one is frozen', async () => {
    const guest = await startEmbeddedPostgres({ dataDir, logger, settings });
    try {
      const before = running();
      const session = await connect(guest);
      const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const pid = rows[0]?.pid ?? 0;
      process.kill(pid, 'SIGSTOP');
      process.kill(before.pid, 'SIGKILL');
      await until('it runs again', () => isAnother(before), WITHIN_MS);
      expect(await until('the shop is ready', isReady, WITHIN_MS)).toBe(true);
    } finally {
      await guest.dispose();
    }
  });

  test('that comes back where a process cannot follow ends that process, in words', async () => {
    // A frozen process that held the lock on starts and stops would keep everybody else waiting.
    const pid = shop.child.pid ?? expect.fail();
    await until('the shop is frozen without the lock', async () => {
      shop.child.kill('SIGSTOP');
      await until('the shop is frozen', () => isFrozen(pid));
      if (!existsSync(join(dataDir, 'postgres.lock'))) return true;
      shop.child.kill('SIGCONT');
      return false;
    });
    const before = running();
    process.kill(before.pid, 'SIGKILL');
    await until('it is gone', () => !isRunning(before.identity));
    const elsewhere = await startEmbeddedPostgres({ dataDir, logger, settings });
    shop.child.kill('SIGCONT');
    expect(await shop.exited).toBe(1);
    expect(shop.output()).toMatch(
      /The embedded PostgreSQL has died, and this process cannot continue without it: it runs again on another port/,
    );
    await elsewhere.dispose();
    expect(server()).toBeNull();
  });

  test('that cannot be started again is given up after some attempts', async () => {
    const dead: Postmaster = { identity: identifySelf().replace(/ \d+/, ' 1'), pid: 1, port: 1, status: 'ready' };
    let attempts = 0;
    const revive = () => Promise.reject(new Error(`no space left (${(attempts += 1)})`));
    const pace = { lookMs: 1, leastWaitMs: 1, mostWaitMs: 2 };
    await using watch = watchServer({ server: dead, revive, logger, pace });
    expect((await watch.lost).message).toBe(
      'The embedded PostgreSQL has died, and this process cannot continue without it: no space left (8)',
    );
  });
});

async function isReady(): Promise<boolean> {
  return (await fetch(`${shop.url}/health/ready`)).status === 200;
}

async function answers({ connectionString }: EmbeddedPostgres): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect({ connectionString }: EmbeddedPostgres): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function isAnother(before: Postmaster): boolean {
  const now = server();
  return now !== null && now.identity !== before.identity && now.status === 'ready';
}

function running(): Postmaster {
  const found = server();
  if (found === null) throw new Error('no server runs');
  return found;
}

function server(): Postmaster | null {
  return findPostmaster(join(dataDir, 'postgres'));
}
