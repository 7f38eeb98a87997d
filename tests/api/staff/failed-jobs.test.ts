import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { v7 as uuid } from 'uuid';
import { overTcp } from '../../../src/infra/postgres/embedded-postgres.ts';
import type { JobBackend } from '../../../src/jobs/backend.ts';
import { startJobWorkers } from '../../../src/jobs/workers.ts';
import { createCartExpiryJob } from '../../../src/modules/cart/cart.jobs.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { holdBarrier, watchLocks } from '../../support/barriers.ts';
import { rowsOf } from '../../support/books.ts';
import { failedJobId, failJobs } from '../../support/failed-jobs.ts';
import { globalId } from '../../support/fixtures.ts';
import { createTestJobs, JOB_BACKENDS, type QueueView, type TestJobs } from '../../support/job-backends.ts';
import { known } from '../../support/known.ts';
import { recordLogs } from '../../support/logs.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { changingNothing } from '../../support/state.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

const listDocument = graphql(`
  query FailedJobs($queue: String!, $first: Int, $after: String, $last: Int, $before: String) {
    failedJobs(queue: $queue, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          id
          queue
          name
          attempts
          failedAt
          reason
          requestId
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
      }
      totalCount
    }
  }
`);

const retryDocument = graphql(`
  mutation FailedJobRetry($id: ID!) {
    failedJobRetry(input: { id: $id }) {
      failedJob {
        id
        name
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const recordDocument = graphql(`
  query FailedJobsRecord($subjectId: ID!) {
    staffActions(filter: { subjectId: $subjectId }) {
      nodes {
        actor {
          id
        }
        kind
        subjectId
        subject {
          __typename
          id
        }
        changes {
          field
          before
          after
        }
        note
      }
    }
  }
`);

const nodeDocument = graphql(`
  query FailedJobsNode($id: ID!) {
    node(id: $id) {
      __typename
      id
    }
  }
`);

const QUEUE = 'cart-expiry';
const idOf = (jobId: string) => failedJobId(QUEUE, jobId);

describe.each(JOB_BACKENDS)('jobs on %s that failed for good', (kind) => {
  let jobs: TestJobs;
  let proxy: TcpProxy;
  let backend: JobBackend;
  let view: QueueView;
  let shop: TestShop;
  let staff: Person;
  beforeAll(async () => {
    jobs = await createTestJobs(kind);
    const { hostname, port } = new URL(jobs.redisUrl ?? overTcp(jobs.database.url));
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: { ROLES: 'api', ...(jobs.redisUrl === null ? {} : { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }) },
    });
    staff = await newStaff(shop);
  });
  afterAll(async () => {
    await shop.dispose();
    await proxy.dispose();
    await jobs.dispose();
  });
  beforeEach(async () => {
    backend = jobs.open();
    view = await jobs.look(QUEUE);
    const opened = [view, backend];
    onTestFinished(async () => {
      await view.obliterate();
      for (const thing of opened) await thing[Symbol.asyncDispose]();
    });
  });

  test('are listed, the latest first, with what went wrong and where they come from', async () => {
    const began = Date.now();
    await failJobs(backend, QUEUE, [
      { jobId: 'first', reason: 'it is broken', requestId: 'request-7', attempts: 3 },
      { jobId: 'second', reason: `no way to redis://shop:very-secret@10.0.0.1:6379, ${'x'.repeat(900)}` },
    ]);
    const { failedJobs } = await staff.client.data(listDocument, { queue: QUEUE });

    expect(failedJobs?.totalCount).toBe(2);
    expect(failedJobs?.edges.map(({ node }) => node)).toEqual([
      {
        id: idOf('second'),
        queue: QUEUE,
        name: 'second',
        attempts: 1,
        failedAt: expect.any(String) as string,
        reason: `no way to redis://…@10.0.0.1:6379, ${'x'.repeat(900)}`.slice(0, 500),
        requestId: null,
      },
      {
        id: idOf('first'),
        queue: QUEUE,
        name: 'first',
        attempts: 3,
        failedAt: expect.any(String) as string,
        reason: 'it is broken',
        requestId: 'request-7',
      },
    ]);
    for (const { node } of known(failedJobs).edges) {
      expect(Date.parse(node.failedAt)).toBeGreaterThanOrEqual(began);
      expect(Date.parse(node.failedAt)).toBeLessThanOrEqual(Date.now());
    }
    expect((await staff.client.data(nodeDocument, { id: idOf('first') })).node).toEqual({
      __typename: 'FailedJob',
      id: idOf('first'),
    });
  });

  test('are paged from either end; a cursor stands where it stood, also when its job is gone', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    await failJobs(
      backend,
      QUEUE,
      names.map((jobId) => ({ jobId, reason: 'no' })),
    );
    const page = async (variables: { first?: number; after?: string; last?: number; before?: string }) => {
      const { failedJobs } = await staff.client.data(listDocument, { queue: QUEUE, ...variables });
      const { edges, pageInfo } = known(failedJobs);
      return {
        names: edges.map(({ node }) => node.name).join(''),
        cursors: edges.map((edge) => edge.cursor),
        pageInfo,
      };
    };
    const first = await page({ first: 2 });
    expect([first.names, first.pageInfo]).toEqual(['ed', { hasNextPage: true, hasPreviousPage: false }]);
    const after = known(first.cursors[1]);
    const second = await page({ first: 2, after });
    expect([second.names, second.pageInfo]).toEqual(['cb', { hasNextPage: true, hasPreviousPage: true }]);
    const last = await page({ last: 2 });
    expect([last.names, last.pageInfo]).toEqual(['ba', { hasNextPage: false, hasPreviousPage: true }]);
    expect((await page({ last: 2, before: known(last.cursors[0]) })).names).toBe('dc');
    expect((await page({ first: 10, after: known(second.cursors[1]) })).names).toBe('a');

    await staff.client.data(retryDocument, { id: idOf('d') });
    expect((await page({ first: 2, after })).names).toBe('cb');
    expect((await page({ last: 2, before: after })).names).toBe('e');
    expect((await page({ first: 0 })).names).toBe('');
  });

  test('are run again by a retry, as if they had never been tried, which is recorded', async () => {
    await failJobs(backend, QUEUE, [{ jobId: 'broken', reason: 'it was broken', attempts: 2 }]);
    const { failedJobRetry } = await staff.client.data(retryDocument, { id: idOf('broken') });
    expect(failedJobRetry).toEqual({ failedJob: { id: idOf('broken'), name: 'broken' }, errors: [] });
    expect([await view.ids('failed'), await view.ids('waiting')]).toEqual([[], ['broken']]);
    expect((await staff.client.data(listDocument, { queue: QUEUE })).failedJobs).toMatchObject({
      edges: [],
      totalCount: 0,
    });
    const { staffActions } = await staff.client.data(recordDocument, { subjectId: idOf('broken') });
    expect(staffActions?.nodes).toEqual([
      {
        actor: { id: staff.userId },
        kind: 'FAILED_JOB_RETRIED',
        subjectId: idOf('broken'),
        subject: null,
        changes: [
          { field: 'reason', before: 'it was broken', after: null },
          { field: 'attempts', before: '2', after: '0' },
        ],
        note: 'cart-expiry broken',
      },
    ]);
    // A second time it is not there any more.
    const { failedJobRetry: again } = await changingNothing(shop, () =>
      staff.client.data(retryDocument, { id: idOf('broken') }),
    );
    expect(again).toMatchObject({ failedJob: null, errors: [{ code: 'NOT_FOUND', path: ['id'] }] });

    // A worker that can do it does so, with all the tries that there are.
    const seconds: number[] = [];
    const cart = {
      expireOverdue: () => Promise.resolve({ carts: 0, units: 0 }),
      nextDeadline: nextDeadlineNoting(seconds),
    };
    const workers = startJobWorkers({ backend, jobs: [createCartExpiryJob(cart)], logger: recordLogs().logger });
    await until('it is done', async () => (await view.ids('completed')).length === 1);
    await workers.drain();
    expect(await view.ids('completed')).toEqual(['broken']);
    expect(seconds).toEqual([2]);
  });

  test('are put back once if several callers retry them at the same time', async () => {
    await failJobs(backend, QUEUE, [{ jobId: 'wanted', reason: 'no' }]);
    const other = await newStaff(shop);
    // Both have found it, and wait to write it down.
    await using watch = await watchLocks(shop.db);
    await using barrier = await holdBarrier(shop.db, 'LOCK TABLE staff_actions IN SHARE MODE');
    const both = [staff, other].map(({ client }) => client.data(retryDocument, { id: idOf('wanted') }));
    await watch.untilWaiting(2, 'staff_actions');
    await barrier.release();
    const answers = (await Promise.all(both)).map(({ failedJobRetry }) => known(failedJobRetry));
    expect(answers.flatMap(({ errors }) => errors.map((error) => error.code))).toEqual(['NOT_FOUND']);
    expect(answers.filter(({ failedJob }) => failedJob !== null)).toHaveLength(1);
    expect(await view.ids('waiting')).toEqual(['wanted']);
    const { staffActions } = await staff.client.data(recordDocument, { subjectId: idOf('wanted') });
    expect(staffActions?.nodes).toHaveLength(1);
  });

  test('that cannot be recorded are not put back', async () => {
    await failJobs(backend, QUEUE, [{ jobId: 'kept', reason: 'no' }]);
    await rowsOf(shop.db, 'ALTER TABLE staff_actions ADD CONSTRAINT test_closed CHECK (false) NOT VALID');
    try {
      const answer = await changingNothing(shop, () => staff.client.execute(retryDocument, { id: idOf('kept') }));
      expect([answer.codes, answer.data]).toEqual([['INTERNAL_SERVER_ERROR'], { failedJobRetry: null }]);
    } finally {
      await rowsOf(shop.db, 'ALTER TABLE staff_actions DROP CONSTRAINT test_closed');
    }
    expect(await view.ids('failed')).toEqual(['kept']);
  });

  test.each([
    ['that never failed', idOf('nothing'), 'NOT_FOUND'],
    ['whose ID is of something else', globalId('Product', uuid()), 'INVALID_INPUT'],
    ['whose ID is none', 'nonsense', 'INVALID_INPUT'],
  ])('one %s is not retried', async (_what, id, code) => {
    await failJobs(backend, QUEUE, [{ jobId: 'other', reason: 'no' }]);
    const { failedJobRetry } = await changingNothing(shop, () => staff.client.data(retryDocument, { id }));
    expect(failedJobRetry).toMatchObject({ failedJob: null, errors: [{ code, path: ['id'] }] });
    expect(await view.ids('failed')).toEqual(['other']);
  });

  test('of a queue that there is not, or with the cursor of another list, are a bad request', async () => {
    const { codes } = await staff.client.execute(listDocument, { queue: 'nonsense' });
    expect(codes).toEqual(['BAD_REQUEST']);
    const after = Buffer.from(JSON.stringify(['failedJobs another', '1', 'x'])).toString('base64url');
    expect((await staff.client.execute(listDocument, { queue: QUEUE, after })).codes).toEqual(['BAD_REQUEST']);
  });

  test('are nobody else’s to see or to retry', async () => {
    await failJobs(backend, QUEUE, [{ jobId: 'secret', reason: 'no' }]);
    const id = idOf('secret');
    const customer = await newPerson(shop);
    for (const [client, code] of [
      [shop.client(), 'UNAUTHENTICATED'],
      [customer.client, 'FORBIDDEN'],
    ] as const) {
      const list = await client.execute(listDocument, { queue: QUEUE });
      expect([list.codes, list.data]).toEqual([[code], { failedJobs: null }]);
      const retry = await changingNothing(shop, () => client.execute(retryDocument, { id }));
      expect([retry.codes, retry.data]).toEqual([[code], { failedJobRetry: null }]);
      expect((await client.data(nodeDocument, { id })).node).toBeNull();
    }
    expect(await view.ids('failed')).toEqual(['secret']);
  });

  // On PostgreSQL the queue is away when the shop is.
  test.each(kind === 'Redis' ? [kind] : [])(
    'where the queue does not answer: the API says so without waiting for it, and nothing is done',
    async () => {
      await failJobs(backend, QUEUE, [{ jobId: 'unreached', reason: 'no' }]);
      const id = idOf('unreached');
      expect((await staff.client.data(listDocument, { queue: QUEUE })).failedJobs?.totalCount).toBe(1);
      proxy.block();
      onTestFinished(() => proxy.open());
      const list = await staff.client.execute(listDocument, { queue: QUEUE });
      expect([list.codes, list.data]).toEqual([['UNAVAILABLE'], { failedJobs: null }]);
      const { failedJobRetry } = await changingNothing(shop, () => staff.client.data(retryDocument, { id }));
      expect(failedJobRetry).toEqual({
        failedJob: null,
        errors: [{ code: 'UNAVAILABLE', message: 'The job queue is not reachable. Try again later.', path: ['id'] }],
      });
      expect(await view.ids('failed')).toEqual(['unreached']);
      proxy.open();
      const after = await until('it answers again', async () => {
        const { data } = await staff.client.execute(listDocument, { queue: QUEUE });
        return data?.failedJobs;
      });
      expect(after?.totalCount).toBe(1);
    },
  );
});

/** Notes by the end of which second a job was asked to see to. */
function nextDeadlineNoting(seconds: number[]) {
  return (before: Date) => {
    seconds.push(before.getTime() / 1000);
    return Promise.resolve(null);
  };
}
