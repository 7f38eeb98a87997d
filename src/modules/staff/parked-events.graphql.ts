import type { ParkedEvent } from '../../events/parked-events.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { changesBetween } from './staff.service.ts';
import { refuse } from '../user-error.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/context/viewer.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const ParkedEventRef = builder.objectRef<ParkedEvent>('ParkedEvent');

builder.node(ParkedEventRef, {
  description: 'An event that a consumer could not process. The consumer has gone on with later events. Staff only.',
  authScopes: { staff: true },
  id: { resolve: (parked) => parked.id, description: 'Global ID of the parked event.' },
  fields: (t) => ({
    consumer: t.exposeString('consumer', {
      nullable: false,
      description: 'Name of the consumer that could not process the event.',
    }),
    eventType: t.exposeString('type', {
      nullable: false,
      description: 'Type of the event, as named in the event log.',
    }),
    payload: t.string({
      nullable: false,
      description: 'Content of the event as JSON: row IDs and numbers.',
      resolve: (parked) => JSON.stringify(parked.payload),
    }),
    error: t.exposeString('error', { nullable: false, description: 'Error of the last attempt.' }),
    attempts: t.exposeInt('attempts', { nullable: false, description: 'Number of attempts.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'Time of the event.' }),
    parkedAt: t.expose('parkedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the event was parked.',
    }),
    resolvedAt: t.expose('resolvedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the event was processed successfully. Null while it is parked.',
    }),
  }),
});

registerNode('ParkedEvent', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const events = new Map((await ctx.services.parkedEvents.byIds(ids)).map((event) => [event.id, event]));
  return ids.map((id) => events.get(id) ?? null);
});

const ParkedEventConnectionRef = connectionType(ParkedEventRef, 'parked events');
const ofParked: CursorType = { list: 'parkedEvents', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('parkedEvents', (t) =>
  t.field({
    type: ParkedEventConnectionRef,
    nullable: true,
    description: 'Events that a consumer could not process, most recently parked first. Staff only.',
    authScopes: { staff: true },
    args: {
      includeResolved: t.arg.boolean({
        required: true,
        defaultValue: false,
        description: 'Whether to include parked events that have been processed since. Defaults to false.',
      }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { includeResolved: resolved, ...args }, ctx) => {
      const page = await ctx.services.parkedEvents.page({ resolved }, pageOf(args, ofParked));
      return toConnection(page, ofParked, () => ctx.services.parkedEvents.count({ resolved }));
    },
  }),
);

const RetryInput = builder.inputType('ParkedEventRetryInput', {
  description: 'Input of `parkedEventRetry`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the parked event.' }) }),
});

const RetryPayload = payloadType<{ parkedEvent: ParkedEvent }>(
  'ParkedEventRetryPayload',
  'Result of `parkedEventRetry`.',
);

builder.objectField(RetryPayload, 'parkedEvent', (t) =>
  t.field({
    type: ParkedEventRef,
    nullable: true,
    description: 'Parked event, now processed. Null if the mutation failed.',
    resolve: (payload) => payload.parkedEvent ?? null,
  }),
);

builder.mutationField('parkedEventRetry', (t) =>
  t.field({
    type: RetryPayload,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Processes a parked event again, immediately, after its cause has been fixed. An event that has already ' +
      'been processed is returned unchanged. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: RetryInput, required: true, description: 'Event to process again.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const id = inputId('ParkedEvent', input.id, ['id']);
        const { userId: actorId } = requireUser(ctx);
        const { staff } = ctx.services;
        const outcome = await ctx.services.parkedEvents.retry(id, async (tx, { error, consumer }) => {
          const subject = { type: 'ParkedEvent', id } as const;
          const changes = changesBetween({ error }, { error: null });
          const at = await readClock(tx);
          await staff.record(tx, at, { actorId, kind: 'PARKED_EVENT_RETRIED', subject, changes, note: consumer });
        });
        if (outcome === 'NO_CONSUMER')
          refuse('CONFLICT', 'No consumer of the shop processes events of this type.', ['id']);
        if (typeof outcome === 'object') refuse('CONFLICT', `The event failed again: ${outcome.fault}`, ['id']);
        const [parkedEvent] = await ctx.services.parkedEvents.byIds([id]);
        return { parkedEvent: parkedEvent ?? refuse('NOT_FOUND', 'Parked event not found.', ['id']) };
      }),
  }),
);
