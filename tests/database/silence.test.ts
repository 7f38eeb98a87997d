import { afterAll, beforeAll, expect, test } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { openDatabase } from '../../src/infra/postgres/database.ts';
import { OutcomeUnknownError } from '../../src/infra/postgres/database-faults.ts';
import { recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let url: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const address = new URL(overTcp(database.url));
  proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
  address.hostname = '127.0.0.1';
  address.port = String(proxy.port);
  url = address.href;
});
afterAll(async () => {
  await proxy.dispose();
  await database.dispose();
});

const { logger } = recordLogs();
const PID = { name: 'pid', text: 'SELECT pg_backend_pid() AS pid' };
const WRITE = { name: 'write', text: 'UPDATE event_sequence SET last = last' };
/** Far below what the shop has by default, which is in the list of its time limits. */
const limits = { silence: 1500, statement: 1000 };

/** Opens as many connections as the pool may have, and leaves them idle. */
async function filled(poolSize: number) {
  const db = openDatabase({ connectionString: url, poolSize, logger, limits });
  const areOpen = () => until('all connections are open', () => db.poolState().total === poolSize);
  await Promise.all(Array.from({ length: poolSize }, () => db.transaction(areOpen)));
  return db;
}

test('when connections die silently, one statement finds out and the next ones go by new connections', async () => {
  await using db = await filled(5);
  proxy.forget();
  await expect(db.query(PID)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  // None of the other four is tried: each would take as long as the first.
  expect(db.poolState().idle).toBe(0);
  const answers = await Promise.all(Array.from({ length: 5 }, () => db.query(PID)));
  expect(answers).toHaveLength(5);
});

test('PostgreSQL finds out as well, within two minutes, and gives the places of the lost connections free', async () => {
  await using db = await filled(1);
  const own = await db.connect();
  const names = ['tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count'];
  const settings = {
    name: 'keepalive',
    text: `SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name`,
  };
  const expected = [
    { name: 'tcp_keepalives_count', setting: '3' },
    { name: 'tcp_keepalives_idle', setting: '60' },
    { name: 'tcp_keepalives_interval', setting: '10' },
  ];
  expect(await db.query(settings, [names])).toEqual(expected);
  expect((await own.query(settings.text, [names])).rows).toEqual(expected);
  await own.end();
});

test('Prisma, transactions and connections of their own find out as well', async () => {
  await using db = await filled(3);
  const own = await db.connect();
  await own.query('SELECT 1');
  proxy.forget();
  const outcomes = await Promise.allSettled([
    db.prisma.user.count(),
    db.transaction((tx) => tx.query(PID)),
    own.query('SELECT 1'),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await db.prisma.user.count()).toBe(0);
  expect(await db.transaction((tx) => tx.query(PID))).toHaveLength(1);
  await own.end();
});

test('a change whose answer never came has an unknown outcome; one that was not committed has not', async () => {
  await using db = await filled(1);
  const commit = proxy.cutAfter('COMMIT');
  await expect(db.transaction((tx) => tx.query(WRITE))).rejects.toBeInstanceOf(OutcomeUnknownError);
  await commit;
  const write = proxy.cutAfter('UPDATE event_sequence');
  const error = await db.transaction((tx) => tx.query(WRITE)).catch((failed: unknown) => failed);
  await write;
  expect(error).not.toBeInstanceOf(OutcomeUnknownError);
  const alone = proxy.cutAfter('UPDATE event_sequence');
  await expect(db.query(WRITE)).rejects.toBeInstanceOf(OutcomeUnknownError);
  await alone;
  expect(await db.query(PID)).toHaveLength(1);
});
