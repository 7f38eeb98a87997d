import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { loadNode, registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/context/viewer.ts';
import { ProductRef } from '../catalog/catalog.refs.graphql.ts';
import { SHOWN_BODY, type WebhookDelivery } from './webhook.service.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const StatusRef = builder.enumType('WebhookDeliveryStatus', {
  description: 'Status of a webhook delivery.',
  values: {
    PENDING: { description: 'The delivery waits to be applied.' },
    APPLIED: { description: 'The delivery was applied.' },
    SKIPPED: {
      description:
        'There was nothing to apply, for example because a later delivery for the same object was applied before.',
    },
    FAILED: { description: 'Nothing of the delivery was applied; `reason` says why.' },
  } as const,
});

const WebhookDeliveryRef = builder.objectRef<WebhookDelivery>('WebhookDelivery');

builder.node(WebhookDeliveryRef, {
  description: 'A webhook call received from another system. Deliveries are kept for 30 days. Staff only.',
  authScopes: { staff: true },
  id: { resolve: (delivery) => delivery.id, description: 'Global ID of the delivery.' },
  fields: (t) => ({
    source: t.exposeString('source', {
      nullable: false,
      description: 'System that sent the delivery: `contentful`, or the ID of a payment provider.',
    }),
    topic: t.exposeString('topic', { nullable: false, description: 'Topic of the delivery, as named by the sender.' }),
    entryId: t.string({
      nullable: false,
      description: 'ID of the entry that the delivery is about, in the system of the sender. Empty if there is none.',
      deprecationReason: 'Use `subject`, which is null if there is none.',
      resolve: ({ subject }) => subject ?? '',
    }),
    subject: t.exposeString('subject', {
      nullable: true,
      description:
        'ID of what the delivery is about, in the system of the sender. Null if it is about nothing in particular.',
    }),
    body: t.string({
      nullable: false,
      description: `Body of the delivery as it was received, truncated to ${SHOWN_BODY} characters.`,
      resolve: ({ body }) => body.slice(0, SHOWN_BODY).replace(/[\ud800-\udbff]$/, ''),
    }),
    status: t.field({
      type: StatusRef,
      nullable: false,
      description: 'Status of the delivery.',
      resolve: (delivery) => delivery.status,
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Reason why the delivery failed or was skipped. Null otherwise.',
    }),
    attempts: t.exposeInt('attempts', {
      nullable: false,
      description: 'Number of attempts to apply the delivery since it was received or last retried by staff.',
    }),
    product: t.field({
      type: ProductRef,
      nullable: true,
      description: 'Product that the delivery created or changed. Null if there is none.',
      resolve: ({ objectType, objectId }, _args, ctx) =>
        objectType === 'Product' && objectId !== null ? ctx.loaders.product.load(objectId) : null,
    }),
    object: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'Object of the shop that the delivery created or changed. Null if there is none.',
      resolve: ({ objectType, objectId }, _args, ctx) =>
        objectType === null || objectId === null ? null : loadNode(ctx, toGlobalId(objectType, objectId)),
    }),
    receivedAt: t.expose('receivedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the delivery was received.',
    }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the delivery was applied, was skipped or failed. Null while the delivery is PENDING.',
    }),
  }),
});

registerNode('WebhookDelivery', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const found = await ctx.services.webhooks.byIds(ids);
  const deliveries = new Map(found.map((delivery) => [delivery.id, delivery]));
  return ids.map((id) => deliveries.get(id) ?? null);
});

const FilterRef = builder.inputType('WebhookDeliveryFilter', {
  description: 'Conditions for listing webhook deliveries.',
  fields: (t) => ({ status: t.field({ type: StatusRef, description: 'Lists only deliveries with this status.' }) }),
});

const ConnectionRef = connectionType(WebhookDeliveryRef, 'webhook deliveries');
const ofDeliveries: CursorType = { list: 'webhookDeliveries', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('webhookDeliveries', (t) =>
  t.field({
    type: ConnectionRef,
    nullable: true,
    description: 'Webhook calls received from other systems, newest first. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: FilterRef, description: 'Conditions that the deliveries must meet.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, ctx) => {
      const query = filter?.status == null ? {} : { status: filter.status };
      const page = await ctx.services.webhooks.page(query, pageOf(args, ofDeliveries));
      return toConnection(page, ofDeliveries, () => ctx.services.webhooks.count(query));
    },
  }),
);

const RetryInput = builder.inputType('WebhookDeliveryRetryInput', {
  description: 'Input of `webhookDeliveryRetry`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the delivery.' }) }),
});

const RetryPayload = payloadType<{ webhookDelivery: WebhookDelivery }>(
  'WebhookDeliveryRetryPayload',
  'Result of `webhookDeliveryRetry`.',
);

builder.objectField(RetryPayload, 'webhookDelivery', (t) =>
  t.field({
    type: WebhookDeliveryRef,
    nullable: true,
    description: 'Delivery to be applied again; its status is PENDING. Null if the mutation failed.',
    resolve: (payload) => payload.webhookDelivery ?? null,
  }),
);

builder.mutationField('webhookDeliveryRetry', (t) =>
  t.field({
    type: RetryPayload,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Schedules a failed delivery to be applied again, after its cause has been fixed. The delivery is skipped ' +
      'if a later one for the same object has been applied in the meantime. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: RetryInput, required: true, description: 'Delivery to retry.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { userId } = requireUser(ctx);
        const id = inputId('WebhookDelivery', input.id, ['id']);
        return { webhookDelivery: await ctx.services.webhooks.retry(userId, id) };
      }),
  }),
);
