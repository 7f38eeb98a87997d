import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { createJobBackend } from '../../src/jobs/backend-choice.ts';
import type { JobBackend } from '../../src/jobs/backend.ts';
import { defineJob } from '../../src/jobs/define-job.ts';
import { createJobQueues, type JobQueues } from '../../src/jobs/queues.ts';
import { startJobWorkers, type JobWorkers } from '../../src/jobs/workers.ts';
import { graphql } from '../generated/gql/index.ts';
import { createTestJobs, JOB_BACKENDS, type TestJobs } from '../support/job-backends.ts';
import { levelOf, makeVariant } from '../support/fixtures.ts';
import { recordLogs, WARN } from '../support/logs.ts';
import { freePort } from '../support/redis.ts';
import { createTestShop } from '../support/shop.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { turnsDuring } from '../support/turns.ts';
import { until } from '../support/until.ts';

const { logger, logs } = recordLogs();

describe.each(JOB_BACKENDS)('a job queue on %s that does not answer', (kind) => {
  let jobs: TestJobs;
  let proxy: TcpProxy;
  let backend: JobBackend;
  let queues: JobQueues;
  let workers: JobWorkers | undefined;
  let ran: number[];

  const job = defineJob({
    name: 'try',
    schema: z.object({ n: z.int() }),
    async run({ n }) {
      ran.push(n);
    },
  });

  beforeEach(async () => {
    ran = [];
    logs.length = 0;
    workers = undefined;
    jobs = await createTestJobs(kind);
    const { hostname, port } = new URL(jobs.redisUrl ?? overTcp(jobs.database.url));
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const through = (address: string) => {
      const url = new URL(address);
      url.hostname = '127.0.0.1';
      url.port = String(proxy.port);
      return url.href;
    };
    backend = createJobBackend({
      config: { redisUrl: jobs.redisUrl === null ? null : through(jobs.redisUrl) },
      connectionString: through(overTcp(jobs.database.url)),
      shop: async () => 'away',
      logger,
    });
    queues = createJobQueues({ backend, logger });
  });
  afterEach(async () => {
    proxy.open();
    await workers?.drain();
    await queues[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await proxy.dispose();
    await jobs.dispose();
  });

  test('keeps no caller waiting: the first job is refused within the limit, and the jobs after it at once', async () => {
    proxy.block();
    // Both answers come while it is still away; those of the many without so much as a look at it.
    expect(await queues.enqueue(job, { n: 1 })).toBe(false);
    let answers: boolean[] = [];
    const turns = await turnsDuring(async () => {
      answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => queues.enqueue(job, { n })));
    });
    expect(turns).toBeLessThan(10);
    expect(answers).not.toContain(true);
    expect(logs.filter((line) => line.level === WARN)).toMatchObject([{ msg: 'a job could not be enqueued' }]);
  });

  test('gets its jobs, and runs them, once it answers again', async () => {
    proxy.block();
    workers = startJobWorkers({ backend, jobs: [job], logger });
    expect(await queues.enqueue(job, { n: 1 }, { id: 'one' })).toBe(false);
    proxy.open();
    await until('it takes jobs', () => queues.enqueue(job, { n: 1 }, { id: 'one' }));
    await until('it has run', () => ran.length > 0);

    expect(ran).toEqual([1]);
  });

  test('does not keep the shop from closing', async () => {
    proxy.block();
    workers = startJobWorkers({ backend, jobs: [job], logger });
    void queues.enqueue(job, { n: 1 });
    // It closes while the queue is still away.
    await workers.drain();
    await queues[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    expect(ran).toEqual([]);
  });
});

test('a worker whose pool is closed under it, with jobs in hand, leaves the process alone', async () => {
  const jobs = await createTestJobs('PostgreSQL');
  const backend = jobs.open();
  let begun = 0;
  let finish: () => void = () => {};
  const held = new Promise<void>((resolve) => (finish = resolve));
  let faults = 0;
  const worker = await backend.openWorker(
    'hold',
    () => {
      begun += 1;
      return held;
    },
    { concurrency: 2 },
  );
  worker.on('error', () => {
    faults += 1;
    // It would go on for ever, and nothing else would have its turn: not even what ends this test.
    if (faults === 100) void worker.close();
  });
  const queues = createJobQueues({ backend, logger });
  const holding = defineJob({ name: 'hold', schema: z.object({}), run: () => held });
  for (let n = 0; n < 3; n += 1) expect(await queues.enqueue(holding, {})).toBe(true);
  await until('two run', () => begun === 2);
  await backend[Symbol.asyncDispose]();
  finish();
  await until('it asks in vain', () => faults > 0);
  await delay(1500);

  // Each of the two asks once a second, for the end of its job and for the next one. Without a pause there would be a
  // hundred within milliseconds.
  expect(faults).toBeLessThan(100);
  await worker.close().catch(() => {});
  await jobs.dispose();
});

const addDocument = graphql(`
  mutation JobsAwayAdd($variantId: ID!) {
    cartLinesAdd(input: { lines: [{ variantId: $variantId, quantity: 2 }] }) {
      cart {
        id
        expiresAt
      }
      errors {
        code
      }
    }
  }
`);

test('without its queue the shop starts and sells, and a timer gives units back', async () => {
  const shop = await createTestShop({
    env: { REDIS_URL: `redis://127.0.0.1:${await freePort()}`, CART_HOLD_SECONDS: '1' },
  });
  try {
    const variant = await makeVariant({ db: shop.db, eventLog: shop.app.eventLog }, { onHand: 5 });
    const { cartLinesAdd } = await shop.client().data(addDocument, { variantId: variant.globalId });
    expect(cartLinesAdd?.errors).toEqual([]);
    await until(
      'the units are back',
      async () => (await levelOf({ db: shop.db, eventLog: shop.app.eventLog }, variant.id)).held === 0,
    );
    expect(shop.logs.map((line) => line.msg)).toContain('the job queue is not reachable');
    expect((await shop.request({ path: '/health/ready' })).status).toBe(200);
  } finally {
    await shop.dispose();
  }
});
