import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { redisName } from '../../src/events/log-home.ts';
import { createJobBackend } from '../../src/jobs/backend-choice.ts';
import { defineJob } from '../../src/jobs/define-job.ts';
import { createJobQueues } from '../../src/jobs/queues.ts';
import { watchQueue } from '../../src/jobs/queue-watch.ts';
import { startJobWorkers } from '../../src/jobs/workers.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { hasRedis, KEEPS_DATA, startRedis, type TestRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { rowsOf } from '../support/books.ts';
import { openDatabase } from '../../src/infra/postgres/database.ts';

const logger = pino({ level: 'silent' });
const shop = redisName({ epoch: '0123456789abcdef', home: '01234567' });
const opened: (() => PromiseLike<unknown>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

function open(redisUrl: string | null, connectionString = 'unused') {
  const ran: number[] = [];
  const job = defineJob({
    name: 'try',
    schema: z.object({ n: z.int() }),
    run: async ({ n }) => void ran.push(n),
  });
  const backend = createJobBackend({ config: { redisUrl }, connectionString, shop: async () => shop, logger });
  opened.push(() => backend[Symbol.asyncDispose]());
  const queues = createJobQueues({ backend, logger });
  opened.push(() => queues[Symbol.asyncDispose]());
  return { backend, queues, job, ran };
}

describe.skipIf(!hasRedis('A failover of Redis'))('jobs in Redis', () => {
  let first: TestRedis;
  beforeEach(async () => {
    first = await startRedis(KEEPS_DATA);
    opened.push(() => first.dispose());
  });

  test('go on after a failover that keeps the connections to the former master open', async () => {
    const second = await startRedis(KEEPS_DATA);
    opened.push(() => second.dispose());
    const target = { host: '127.0.0.1', port: first.port };
    const proxy = await startTcpProxy(target);
    opened.push(() => proxy.dispose());
    const { backend, queues, job, ran } = open(`redis://127.0.0.1:${proxy.port}`);
    const workers = startJobWorkers({ backend, jobs: [job], logger });
    opened.push(() => workers.drain());
    await until('it takes jobs', () => queues.enqueue(job, { n: 1 }));
    await until('the first one has run', () => ran.includes(1));
    await backend.check();

    const former = new Redis(first.url);
    await former.replicaof('127.0.0.1', second.port);
    former.disconnect();
    target.port = second.port; // as a name that leads to the new master, for whoever asks anew

    // A job that is put in twice, since it took long the first time, is one job.
    await until('it takes jobs again', () => queues.enqueue(job, { n: 2 }, { id: 'second' }), 20_000);
    await until('the job has run', () => ran.includes(2), 20_000);
    await until('the queue is found well', () =>
      backend.check().then(
        () => true,
        () => false,
      ),
    );
    expect(ran.filter((n) => n === 2)).toEqual([2]);
  });

  test('run in a cluster, which keeps all keys of a script in one slot', async () => {
    const cluster = await startRedis({ ...KEEPS_DATA, 'cluster-enabled': 'yes' });
    opened.push(() => cluster.dispose());
    const node = new Redis(cluster.url);
    await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until('the cluster is up', async () =>
      String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
    node.disconnect();
    const { backend, queues, job, ran } = open(cluster.url);
    const workers = startJobWorkers({ backend, jobs: [job], logger });
    opened.push(() => workers.drain());
    await until('it takes jobs', () => queues.enqueue(job, { n: 1 }, { id: 'first' }));
    expect(await queues.enqueue(job, { n: 2 }, { delayMs: 50 })).toBe(true);
    await until('both have run', () => new Set(ran).size === 2);
    expect(new Set(ran)).toEqual(new Set([1, 2]));
    expect(await backend.check()).toBeUndefined();
  });

  test('are asked for once a second while a cluster is down, and run afterwards', async () => {
    const cluster = await startRedis({ ...KEEPS_DATA, 'cluster-enabled': 'yes' });
    opened.push(() => cluster.dispose());
    const node = new Redis(cluster.url);
    opened.push(async () => node.disconnect());
    await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const { backend, queues, job } = open(cluster.url);
    await until('it takes jobs', () => queues.enqueue(job, { n: 0 }));
    for (const n of [1, 2]) expect(await queues.enqueue(job, { n })).toBe(true);

    const ran = new Set<number>();
    let goOn: () => void = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const worker = await backend.openWorker(
      job.name,
      async ({ data }) => {
        ran.add((data as { payload: { n: number } }).payload.n);
        await held;
      },
      { concurrency: 1 },
    );
    opened.push(() => worker.close());
    let faults = 0;
    worker.on('error', () => {
      faults += 1;
      // Without a pause it would go on for ever, and nothing else would have its turn: not even what ends this test.
      if (faults === 100) void worker.close();
    });
    await until('the first one runs', () => ran.size === 1);
    await node.call('CLUSTER', 'DELSLOTSRANGE', '0', '16383');
    const began = performance.now();
    goOn();
    await until('it has asked several times', () => faults >= 5);
    // The end of the first job and the first request for the next come at once.
    expect(faults).toBeLessThanOrEqual(3 + (performance.now() - began) / 1000);
    await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until('the others have run', () => ran.size === 3);
  });

  test('that cannot be enqueued are reported as degraded with the cause, until they can be again', async () => {
    const { backend } = open(first.url);
    await using watch = watchQueue(backend, logger, 50);
    await until('it was looked at', () =>
      watch.check().then(
        () => true,
        () => false,
      ),
    );
    await first.kill();
    await until(
      'it is away',
      () =>
        watch.check().then(
          () => false,
          () => true,
        ),
      20_000,
    );
    await first.start();
    await until(
      'it is back',
      () =>
        watch.check().then(
          () => true,
          () => false,
        ),
      20_000,
    );
    expect(await watch.check()).toBeUndefined();
  });
});

test('jobs in a database whose role may not create a schema are reported as away, with the cause', async () => {
  const database = await createTestDatabase();
  opened.push(() => database.dispose());
  const role = `poor_${Date.now()}`;
  const db = openDatabase({ connectionString: database.url, poolSize: 1, logger });
  await rowsOf(db, `CREATE ROLE ${role} LOGIN PASSWORD 'poor'`);
  const url = new URL(database.url);
  [url.username, url.password] = [role, 'poor'];
  const { backend } = open(null, url.href);
  const watch = watchQueue(backend, logger, 50);
  const cause = await until('it was looked at', () =>
    watch.check().then(
      () => null,
      (error: Error) => error.message,
    ),
  );
  await watch[Symbol.asyncDispose]();
  await rowsOf(db, `DROP ROLE ${role}`);
  await db[Symbol.asyncDispose]();
  expect(cause).toMatch(/permission denied for database/);
});
