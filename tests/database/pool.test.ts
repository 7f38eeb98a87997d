import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { openPool } from '../../src/infra/postgres/connection-pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let proxy: TcpProxy;
beforeAll(async () => {
  database = await createTestDatabase();
  const { hostname, port } = new URL(overTcp(database.url));
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
});
afterAll(async () => {
  await proxy.dispose();
  await database.dispose();
});

/** A pool of three connections through the proxy. */
function open(openingMs: number, patienceMs = 5): pg.Pool {
  const url = new URL(overTcp(database.url));
  url.port = String(proxy.port);
  const pool = openPool({
    connectionString: url.href,
    name: 'the test',
    max: 3,
    idleMs: 60_000,
    openingMs,
    patienceMs,
  });
  onTestFinished(() => pool.end());
  return pool;
}

const ask = (pool: pg.Pool, count: number) =>
  Promise.allSettled(Array.from({ length: count }, (_, i) => pool.query<{ i: string }>('SELECT $1 AS i', [i])));
const answersOf = (outcomes: Awaited<ReturnType<typeof ask>>) =>
  outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.rows[0]?.i : 'failed'));

describe('a pool to which many come at once', () => {
  test('opens one connection at a time, and answers all of them', async () => {
    const pool = open(600_000);
    proxy.block();
    const asked = ask(pool, 6);
    expect([pool.totalCount, pool.waitingCount]).toEqual([1, 5]);
    proxy.open();
    expect(answersOf(await asked)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(pool.totalCount).toBeLessThanOrEqual(3);
  });

  test('does not wait for a connection that takes long to open', async () => {
    const pool = open(5);
    proxy.block();
    const asked = ask(pool, 6);
    await until('others are being opened', () => pool.totalCount === 3);
    proxy.open();
    expect(answersOf(await asked)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('makes them wait for a connection that is in use, and opens another one where that takes long', async () => {
    const patient = open(600_000, 600_000);
    expect(answersOf(await ask(patient, 6))).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(patient.totalCount).toBe(1);

    const pool = open(600_000);
    const held = await pool.connect();
    const others = await Promise.all([pool.connect(), pool.connect()]);
    expect(pool.totalCount).toBe(3);
    for (const client of [held, ...others]) client.release();
  });

  test('opens another connection only for a caller that has itself waited so long', async () => {
    const pool = open(600_000, 50);
    const first = await pool.connect();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const second = pool.connect();
    vi.advanceTimersByTime(30);
    first.release();
    const served = await second;
    const third = pool.connect();
    vi.advanceTimersByTime(49);
    expect(pool.totalCount).toBe(1);
    vi.advanceTimersByTime(1);
    expect(pool.totalCount).toBe(2);
    for (const client of [served, await third]) client.release();
  });

  test('fails all of them where the server cannot be reached, and none later', async () => {
    const pool = open(600_000);
    proxy.refuse();
    expect(answersOf(await ask(pool, 6))).toEqual(Array.from({ length: 6 }, () => 'failed'));
    proxy.accept();
    expect(answersOf(await ask(pool, 2))).toEqual(['0', '1']);
  });
});
