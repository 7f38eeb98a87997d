import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JobBackend } from '../../src/jobs/backend.ts';
import { defineJob, type Job, type JobRun } from '../../src/jobs/define-job.ts';
import { createJobQueues, type JobQueues } from '../../src/jobs/queues.ts';
import { startJobWorkers, type JobWorkers } from '../../src/jobs/workers.ts';
import { createTestJobs, JOB_BACKENDS, type QueueView, type TestJobs } from '../support/job-backends.ts';
import { ERROR, recordLogs, WARN } from '../support/logs.ts';
import { until } from '../support/until.ts';

const { logger, logs } = recordLogs();

test('a job has a name that a queue can have', () => {
  const define = (name: string) => () => defineJob({ name, schema: z.object({}), run: async () => {} });
  expect(define('send-mail')().name).toBe('send-mail');
  for (const name of ['', 'Mail', 'send:mail', 'send mail', '1st'])
    expect(define(name)).toThrow('not a valid name for a job');
});

test('thousands of jobs are enqueued a few at a time, none is refused, and no other kind waits for them', async () => {
  const define = (name: string) => defineJob({ name, schema: z.object({}), run: async () => {} });
  const order: string[] = [];
  let [busy, most] = [0, 0];
  const queueOf = (name: string) => ({
    async add() {
      order.push(name);
      most = Math.max(most, (busy += 1));
      await new Promise(setImmediate);
      busy -= 1;
    },
    close: async () => {},
  });
  const openQueue = async (name: string) => queueOf(name) as unknown as Awaited<ReturnType<JobBackend['openQueue']>>;
  await using queues = createJobQueues({ backend: { openQueue } as unknown as JobBackend, logger });
  const [many, other] = [define('many'), define('other')];
  const answers = Array.from({ length: 25_000 }, () => queues.enqueue(many, {}));
  answers.push(queues.enqueue(other, {}));
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]));
  expect(order).toHaveLength(25_001);
  expect(most).toBeLessThanOrEqual(9);
  expect(order.indexOf('other')).toBeLessThan(100);
});

describe.each(JOB_BACKENDS)('jobs on %s', (kind) => {
  let jobs: TestJobs;
  let view: QueueView;
  let opened: { queues: JobQueues[]; workers: JobWorkers[]; backends: JobBackend[] };

  beforeEach(async () => {
    jobs = await createTestJobs(kind);
    view = await jobs.look('try');
    opened = { queues: [], workers: [], backends: [] };
    logs.length = 0;
  });
  afterEach(async () => {
    await view[Symbol.asyncDispose]();
    await Promise.all(opened.workers.map((workers) => workers.drain()));
    await Promise.all(opened.queues.map((queues) => queues[Symbol.asyncDispose]()));
    await Promise.all(opened.backends.map((made) => made[Symbol.asyncDispose]()));
    await jobs.dispose();
  });

  function backend(): JobBackend {
    const made = jobs.open(logger);
    opened.backends.push(made);
    return made;
  }

  function openQueues(): JobQueues {
    const queues = createJobQueues({ backend: backend(), logger });
    opened.queues.push(queues);
    return queues;
  }

  function work(job: Job<{ n: number }>): JobWorkers {
    const workers = startJobWorkers({ backend: backend(), jobs: [job], logger });
    opened.workers.push(workers);
    return workers;
  }

  /** A job that keeps what it is given. */
  function makeJob(run: (payload: { n: number }, run: JobRun) => Promise<void> | void = () => {}) {
    const ran: number[] = [];
    const job = defineJob({
      name: 'try',
      schema: z.object({ n: z.int() }),
      attempts: 3,
      backoffMs: 10,
      concurrency: 2,
      async run(payload, given) {
        ran.push(payload.n);
        await run(payload, given);
      },
    });
    return { job, ran };
  }

  test('run once with what they were given, and know the request that they come from', async () => {
    const { job, ran } = makeJob((_payload, { logger: log }) => log.info('it runs'));
    const queues = openQueues();
    expect(await queues.enqueue(job, { n: 1 }, { id: 'first', requestId: 'request-7' })).toBe(true);
    work(job);
    await until('it is done', async () => (await view.ids('completed')).length === 1);
    expect(await queues.enqueue(job, { n: 2 })).toBe(true);
    await until('the other is done', async () => (await view.ids('completed')).length === 2);

    expect(ran).toEqual([1, 2]);
    expect(logs.filter((line) => line.msg === 'it runs')).toMatchObject([
      { job: 'try', jobId: 'first', requestId: 'request-7' },
      { job: 'try' },
    ]);
    expect(logs.filter((line) => line.level >= WARN)).toEqual([]);
  });

  test('are refused with a payload that is none, and with an id that no queue takes', async () => {
    const { job } = makeJob();
    const queues = openQueues();
    await expect(queues.enqueue(job, { n: 1.5 })).rejects.toThrow(/expected int/);
    for (const id of ['17', 'a:b', ''])
      await expect(queues.enqueue(job, { n: 1 }, { id })).rejects.toThrow('not a valid ID');

    expect(await view.ids('waiting')).toEqual([]);
  });

  test('with something else in the queue fail for good, at once, and are not run', async () => {
    const { job, ran } = makeJob();
    await view.addRaw({ payload: { n: 'one' }, requestId: null });
    await view.addRaw({ n: 1 });
    work(job);
    await until('both have failed', async () => (await view.ids('failed')).length === 2);

    expect(ran).toEqual([]);
    const failures = await view.failures();
    expect(failures.map(({ tries }) => tries)).toEqual([1, 1]);
    expect(failures.every(({ reason }) => reason.startsWith('invalid payload for try: '))).toBe(true);
  });

  test('that a newer version knows are left to it; of what it adds to those that we know, nothing is minded', async () => {
    const { job, ran } = makeJob();
    await using newer = await jobs.look('of-next-year');
    await newer.addRaw({ payload: { year: 2027 }, requestId: null });
    await view.addRaw({ payload: { n: 1, and: 'more' }, requestId: null, trace: 'abc' });
    work(job);
    await until('it is done', async () => (await view.ids('completed')).length === 1);

    expect(ran).toEqual([1]);
    expect(await newer.ids('waiting')).toHaveLength(1);
    expect(logs.filter((line) => line.level >= WARN)).toEqual([]);
  });

  test('of one id are one job', async () => {
    const { job, ran } = makeJob();
    const [one, other] = [openQueues(), openQueues()];
    for (let round = 0; round < 5; round += 1) {
      expect(await one.enqueue(job, { n: 1 }, { id: 'same', delayMs: 200 })).toBe(true);
      expect(await other.enqueue(job, { n: 2 }, { id: 'same', delayMs: 200 })).toBe(true);
    }
    expect(await view.ids('delayed')).toEqual(['same']);
    work(job);
    await until('it is done', async () => (await view.ids('completed')).length === 1);

    expect(ran).toEqual([1]);
  });

  test('that are delayed run when it is time', async () => {
    let ranAt = 0;
    const { job } = makeJob(() => {
      ranAt = Date.now();
    });
    work(job);
    const began = Date.now();
    await openQueues().enqueue(job, { n: 1 }, { delayMs: 400 });
    await until('it has run', () => ranAt > 0);

    // A millisecond less is the clock's rounding.
    expect(ranAt - began).toBeGreaterThanOrEqual(399);
  });

  test('that fail are tried again, and rest among the failed ones in the end, with what went wrong', async () => {
    const { job, ran } = makeJob(({ n }) => {
      if (n === 1 || ran.filter((other) => other === n).length === 1) throw new Error(`number ${n} is broken`);
    });
    work(job);
    const queues = openQueues();
    // A busy queue may look as if it were away.
    for (const n of [1, 2]) await until('it is enqueued', () => queues.enqueue(job, { n }, { id: `number-${n}` }));
    await until('one has failed', async () => (await view.ids('failed')).length === 1);
    await until('the other is done', async () => (await view.ids('completed')).length === 1);
    // The worker reports a failure after the queue has recorded it.
    await until('it is logged', () => logs.some((line) => line.level === ERROR));

    expect(ran.filter((n) => n === 1)).toHaveLength(3);
    expect(ran.filter((n) => n === 2)).toHaveLength(2);
    expect(await view.failures()).toEqual([{ reason: 'number 1 is broken', tries: 3 }]);
    expect(logs.filter((line) => line.level === ERROR)).toMatchObject([{ msg: 'job failed permanently', tries: 3 }]);
  });

  test('that find the database away use up no try, however often', async () => {
    let outages = 6;
    const { job, ran } = makeJob(() => {
      if ((outages -= 1) >= 0) throw Object.assign(new Error('the database system is starting up'), { code: '57P03' });
    });
    work(job);
    const queues = openQueues();
    await until('it is enqueued', () => queues.enqueue(job, { n: 1 }, { id: 'patient' }));
    await until('it is done', async () => {
      if ((await view.ids('delayed')).length === 1) await view.promote();
      return (await view.ids('completed')).length === 1;
    });
    expect(ran).toHaveLength(7);
    expect(await view.failures()).toEqual([]);
    const warnings = logs.filter((line) => line.level >= WARN).map(({ msg }) => msg);
    expect(new Set(warnings)).toEqual(new Set(['a job is put off: the database is away']));
  });

  test('that run are finished when the shop closes, and nothing new is begun', async () => {
    let goOn = () => {};
    let told = false;
    const released = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { job, ran } = makeJob(async (_payload, { signal }) => {
      signal.addEventListener('abort', () => (told = true));
      await released;
    });
    const workers = work(job);
    const queues = openQueues();
    await queues.enqueue(job, { n: 1 });
    await until('it runs', () => ran.length === 1);
    const drained = workers.drain();
    expect(told).toBe(true);
    await queues.enqueue(job, { n: 2 }, { id: 'later' });
    goOn();
    await drained;

    expect(await view.ids('completed')).toHaveLength(1);
    expect(await view.ids('waiting')).toEqual(['later']);
    expect(ran).toEqual([1]);
  });

  test('go on after all connections were cut', async () => {
    const { job, ran } = makeJob();
    work(job);
    const queues = openQueues();
    await queues.enqueue(job, { n: 1 });
    // Having run is not enough: a job whose end is not recorded when the queue goes away runs again.
    await until('the first is completed', async () => (await view.ids('completed')).length === 1);
    if (jobs.redis === null) {
      await cutConnections(jobs.database.url);
    } else {
      await jobs.redis.kill();
      // It gives up while Redis is still away.
      expect(await queues.enqueue(job, { n: 0 })).toBe(false);
      await jobs.redis.start();
    }
    await until('it takes jobs again', () => queues.enqueue(job, { n: 2 }, { id: 'second' }));
    await until('the second has run', () => ran.includes(2));

    expect(ran).toEqual([1, 2]);
  });
});

async function cutConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(rowCount).toBeGreaterThan(1);
  } finally {
    await client.end();
  }
}
