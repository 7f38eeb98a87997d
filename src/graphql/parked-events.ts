import type { ParkedEvent } from '../events/parked-events.ts';
import { readClock } from '../infra/clock.ts';
import { changesBetween } from '../modules/staff/staff.service.ts';
import { refuse } from '../modules/user-error.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from './connection.ts';
import { inputId } from './global-id.ts';
import { registerNode } from './node.ts';
import { payloadType } from './payload.ts';
import { orErrors } from './user-errors.ts';
import { isStaff, requireUser } from './viewer.ts';
import { GENERAL_LIMIT_SUFFICES } from './limited-fields.ts';

const ParkedEventRef = builder.objectRef<ParkedEvent>('ParkedEvent');

builder.node(ParkedEventRef, {
  description: 'Something that happened of which a part of the shop could not take notice; the rest went on. (staff)',
  authScopes: { staff: true },
  id: { resolve: (parked) => parked.id, description: 'Names it.' },
  fields: (t) => ({
    consumer: t.exposeString('consumer', { nullable: false, description: 'Which part of the shop could not.' }),
    eventType: t.exposeString('type', { nullable: false, description: 'What kind of event it is, as the log has it.' }),
    payload: t.string({
      nullable: false,
      description: 'What the event holds: IDs of rows and numbers, as JSON.',
      resolve: (parked) => JSON.stringify(parked.payload),
    }),
    error: t.exposeString('error', { nullable: false, description: 'What went wrong the last time.' }),
    attempts: t.exposeInt('attempts', { nullable: false, description: 'How often it was tried.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'When it happened.' }),
    parkedAt: t.expose('parkedAt', { type: 'DateTime', nullable: false, description: 'When it was given up.' }),
    resolvedAt: t.expose('resolvedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was dealt with after all; null while it waits.',
    }),
  }),
});

registerNode('ParkedEvent', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const events = new Map((await ctx.parkedEvents.byIds(ids)).map((event) => [event.id, event]));
  return ids.map((id) => events.get(id) ?? null);
});

const ParkedEventConnectionRef = connectionType(ParkedEventRef, 'events that wait for somebody');
const ofParked: CursorType = { list: 'parkedEvents', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('parkedEvents', (t) =>
  t.field({
    type: ParkedEventConnectionRef,
    nullable: true,
    description: 'Events that could not be handled, the latest first: those that wait, unless asked for more. (staff)',
    authScopes: { staff: true },
    args: {
      includeResolved: t.arg.boolean({
        required: true,
        defaultValue: false,
        description: 'Those, too, that were dealt with after all.',
      }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { includeResolved: resolved, ...args }, ctx) => {
      const page = await ctx.parkedEvents.page({ resolved }, pageOf(args, ofParked));
      return toConnection(page, ofParked, () => ctx.parkedEvents.count({ resolved }));
    },
  }),
);

const RetryInput = builder.inputType('ParkedEventRetryInput', {
  description: 'Which event to try once more.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The parked event.' }) }),
});

const RetryPayload = payloadType<{ parkedEvent: ParkedEvent }>(
  'ParkedEventRetryPayload',
  'What came of trying an event once more.',
);

builder.objectField(RetryPayload, 'parkedEvent', (t) =>
  t.field({
    type: ParkedEventRef,
    nullable: true,
    description: 'The event, dealt with.',
    resolve: (payload) => payload.parkedEvent ?? null,
  }),
);

builder.mutationField('parkedEventRetry', (t) =>
  t.field({
    type: RetryPayload,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Tries an event once more, at once: after what stood in its way was put right. One that was dealt with
already is left as it is. (staff)`,
    authScopes: { staff: true },
    args: { input: t.arg({ type: RetryInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const id = inputId('ParkedEvent', input.id, ['id']);
        const { userId: actorId } = requireUser(ctx);
        const { staff } = ctx.services;
        const outcome = await ctx.parkedEvents.retry(id, async (tx, { error, consumer }) => {
          const subject = { type: 'ParkedEvent', id } as const;
          const changes = changesBetween({ error }, { error: null });
          const at = await readClock(tx);
          await staff.record(tx, at, { actorId, kind: 'PARKED_EVENT_RETRIED', subject, changes, note: consumer });
        });
        if (outcome === 'NO_CONSUMER') refuse('CONFLICT', 'Nothing in the shop handles it any more.', ['id']);
        if (typeof outcome === 'object') refuse('CONFLICT', `It failed again: ${outcome.fault}`, ['id']);
        const [parkedEvent] = await ctx.parkedEvents.byIds([id]);
        return { parkedEvent: parkedEvent ?? refuse('NOT_FOUND', 'There is no such event.', ['id']) };
      }),
  }),
);
