import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { z } from 'zod';
import { createJobBackend } from '../../src/jobs/backend-choice.ts';
import type { JobBackend } from '../../src/jobs/backend.ts';
import { defineJob } from '../../src/jobs/define-job.ts';
import { createJobQueues } from '../../src/jobs/queues.ts';
import { startJobWorkers } from '../../src/jobs/workers.ts';
import { hasRedis, KEEPS_DATA, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const logger = pino({ level: 'silent' });

describe.skipIf(!hasRedis('Two shops on one Redis'))('two shops on one Redis', () => {
  let redis: TestRedis;
  const opened: AsyncDisposable[] = [];
  beforeEach(async () => {
    redis = await startRedis(KEEPS_DATA);
  });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
    await redis.dispose();
  });

  function open(shop: string): JobBackend {
    const config = { redisUrl: redis.url };
    const backend = createJobBackend({ config, connectionString: 'unused', shop: async () => shop, logger });
    opened.push(backend);
    return backend;
  }

  test('run their own jobs alone, whatever their ids', async () => {
    const ran: string[] = [];
    for (const shop of ['honey', 'tea']) {
      const backend = open(shop);
      const job = defineJob({
        name: 'tell',
        schema: z.object({ of: z.string() }),
        run: async ({ of }) => void ran.push(`${shop}: ${of}`),
      });
      const queues = createJobQueues({ backend, logger });
      opened.push(queues);
      for (let n = 1; n <= 3; n += 1) {
        expect(await queues.enqueue(job, { of: `${shop} ${n}` }, { id: `same-${n}` })).toBe(true);
      }
      const workers = startJobWorkers({ backend, jobs: [job], logger });
      opened.push({ [Symbol.asyncDispose]: () => workers.drain() });
    }
    await until('all are done', () => ran.length === 6);
    expect(ran.toSorted()).toEqual(
      [1, 2, 3].map((n) => `honey: honey ${n}`).concat([1, 2, 3].map((n) => `tea: tea ${n}`)),
    );
  });
});
