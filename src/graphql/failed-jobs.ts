import { z } from 'zod';
import { QueueAway, type FailedJob } from '../modules/staff/failed-jobs.service.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from './connection.ts';
import { inputId } from './global-id.ts';
import { registerNode } from './node.ts';
import { payloadType } from './payload.ts';
import { requestError } from './request-error.ts';
import { orErrors } from './user-errors.ts';
import { isStaff, requireUser } from './viewer.ts';
import { GENERAL_LIMIT_SUFFICES } from './limited-fields.ts';

const FailedJobRef = builder.objectRef<FailedJob>('FailedJob');

builder.node(FailedJobRef, {
  description: `Something that the shop was to do in the background and could not, however often it tried. It is kept for a
week, and so are at most a thousand of a queue. (staff)`,
  authScopes: { staff: true },
  id: { resolve: (job) => job.id, description: 'Names it, as long as it is among the failed ones.' },
  fields: (t) => ({
    queue: t.exposeString('queue', { nullable: false, description: 'The queue it is in: what kind of job it is.' }),
    name: t.exposeString('jobId', { nullable: false, description: 'Its name in the queue, as logs have it.' }),
    attempts: t.exposeInt('attempts', { nullable: false, description: 'How often it was tried.' }),
    failedAt: t.expose('failedAt', { type: 'DateTime', nullable: false, description: 'When it was given up.' }),
    reason: t.exposeString('reason', { nullable: false, description: 'What went wrong the last time.' }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The request that it came from, as logs have it; null where it came from none.',
    }),
  }),
});

/** A queue that does not answer is a fault of this one field: the rest of the operation stands. */
async function orUnavailable<T>(look: Promise<T>): Promise<T> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof QueueAway) throw requestError('UNAVAILABLE', 'The job queue is away: try again later.');
    throw error;
  }
}

registerNode('FailedJob', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const jobs = new Map((await orUnavailable(ctx.failedJobs.byIds(ids))).map((job) => [job.id, job]));
  return ids.map((id) => jobs.get(id) ?? null);
});

const FailedJobConnectionRef = connectionType(FailedJobRef, 'jobs that failed for good');

const instant = z.string().regex(/^\d{1,15}$/);
/** The queue is in the list's name: a cursor of one is none of another. */
const listOf = (queue: string): CursorType => ({ list: `failedJobs ${queue}`, values: [instant, cursorTypes.text] });

builder.queryField('failedJobs', (t) =>
  t.field({
    type: FailedJobConnectionRef,
    nullable: true,
    description: 'Jobs of a queue that failed for good, the latest first. UNAVAILABLE where the queue is away. (staff)',
    authScopes: { staff: true },
    args: {
      queue: t.arg.string({ required: true, description: 'Which queue: what kind of jobs.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { queue, ...args }, ctx) => {
      const { failedJobs } = ctx;
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
  description: 'Which job to run again.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The failed job.' }) }),
});

const RetryPayload = payloadType<{ failedJob: FailedJob }>(
  'FailedJobRetryPayload',
  'What came of putting a job back into its queue.',
);

builder.objectField(RetryPayload, 'failedJob', (t) =>
  t.field({
    type: FailedJobRef,
    nullable: true,
    description: 'The job as it was; it is not among the failed ones now.',
    resolve: (payload) => payload.failedJob ?? null,
  }),
);

builder.mutationField('failedJobRetry', (t) =>
  t.field({
    type: RetryPayload,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Puts a job that failed for good back into its queue, as if it had never been tried: after what stood in
its way was put right. Where it fails again it is among the failed ones again. NOT_FOUND where it is not among them;
UNAVAILABLE where the queue is away. (staff)`,
    authScopes: { staff: true },
    args: { input: t.arg({ type: RetryInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const id = inputId('FailedJob', input.id, ['id']);
        const { userId: actorId } = requireUser(ctx);
        return { failedJob: await ctx.failedJobs.retry(id, { actorId, path: ['id'] }) };
      }),
  }),
);
