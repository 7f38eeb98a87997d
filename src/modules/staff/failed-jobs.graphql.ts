import { z } from 'zod';
import { QueueAway, type FailedJob } from './failed-jobs.service.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/context/viewer.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const FailedJobRef = builder.objectRef<FailedJob>('FailedJob');

builder.node(FailedJobRef, {
  description:
    'A background job that failed in all its attempts. Failed jobs are kept for a week, at most 1,000 per ' +
    'queue. Staff only.',
  authScopes: { staff: true },
  id: {
    resolve: (job) => job.id,
    description: 'Global ID of the job, valid as long as the job is in the list of failed jobs.',
  },
  fields: (t) => ({
    queue: t.exposeString('queue', {
      nullable: false,
      description: 'Name of the queue, which stands for the kind of job.',
    }),
    name: t.exposeString('jobId', { nullable: false, description: 'ID of the job in its queue, as shown in logs.' }),
    attempts: t.exposeInt('attempts', { nullable: false, description: 'Number of attempts.' }),
    failedAt: t.expose('failedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last failed attempt.',
    }),
    reason: t.exposeString('reason', { nullable: false, description: 'Error of the last attempt.' }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'ID of the request that created the job, as shown in logs. Null if no request did.',
    }),
  }),
});

/** A queue that does not answer is a fault of this one field: the rest of the operation stands. */
async function orUnavailable<T>(look: Promise<T>): Promise<T> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof QueueAway)
      throw requestError('UNAVAILABLE', 'The job queue is not reachable. Try again later.');
    throw error;
  }
}

registerNode('FailedJob', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const jobs = new Map((await orUnavailable(ctx.services.failedJobs.byIds(ids))).map((job) => [job.id, job]));
  return ids.map((id) => jobs.get(id) ?? null);
});

const FailedJobConnectionRef = connectionType(FailedJobRef, 'failed jobs');

const instant = z.string().regex(/^\d{1,15}$/);
/** The queue is in the list's name: a cursor of one is none of another. */
const listOf = (queue: string): CursorType => ({ list: `failedJobs ${queue}`, values: [instant, cursorTypes.text] });

builder.queryField('failedJobs', (t) =>
  t.field({
    type: FailedJobConnectionRef,
    nullable: true,
    description:
      'Failed jobs of a queue, newest first. Fails with UNAVAILABLE if the queue cannot be reached. Staff only.',
    authScopes: { staff: true },
    args: {
      queue: t.arg.string({ required: true, description: 'Name of the queue.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { queue, ...args }, ctx) => {
      const { failedJobs } = ctx.services;
      if (!failedJobs.names.includes(queue)) {
        throw requestError('BAD_REQUEST', `\`queue\` must be one of: ${failedJobs.names.join(', ')}.`);
      }
      const type = listOf(queue);
      const page = await orUnavailable(failedJobs.page(queue, pageOf(args, type)));
      return toConnection(page, type, () => orUnavailable(failedJobs.count(queue)));
    },
  }),
);

const RetryInput = builder.inputType('FailedJobRetryInput', {
  description: 'Input of `failedJobRetry`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the failed job.' }) }),
});

const RetryPayload = payloadType<{ failedJob: FailedJob }>('FailedJobRetryPayload', 'Result of `failedJobRetry`.');

builder.objectField(RetryPayload, 'failedJob', (t) =>
  t.field({
    type: FailedJobRef,
    nullable: true,
    description: 'Job as it was before the retry. Null if the mutation failed.',
    resolve: (payload) => payload.failedJob ?? null,
  }),
);

builder.mutationField('failedJobRetry', (t) =>
  t.field({
    type: RetryPayload,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Puts a failed job back into its queue, with a full number of attempts, after its cause has been fixed. ' +
      'Fails with NOT_FOUND if the job is not in the list of failed jobs, and with UNAVAILABLE if the queue ' +
      'cannot be reached. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: RetryInput, required: true, description: 'Job to retry.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const id = inputId('FailedJob', input.id, ['id']);
        const { userId: actorId } = requireUser(ctx);
        return { failedJob: await ctx.services.failedJobs.retry(id, { actorId, path: ['id'] }) };
      }),
  }),
);
