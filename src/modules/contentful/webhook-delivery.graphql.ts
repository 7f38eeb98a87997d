import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import { inputId } from '../../graphql/global-id.ts';
import { registerNode } from '../../graphql/node.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/viewer.ts';
import { ProductRef } from '../catalog/catalog.refs.graphql.ts';
import { SHOWN_BODY, type WebhookDelivery } from './contentful.service.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

const StatusRef = builder.enumType('WebhookDeliveryStatus', {
  description: 'What became of a delivery.',
  values: {
    PENDING: { description: 'It waits to be applied.' },
    APPLIED: { description: 'It was applied.' },
    SKIPPED: { description: 'There was nothing to apply: something later was there before, or it is no product.' },
    FAILED: { description: 'Nothing of it was applied; the reason tells why.' },
  } as const,
});

const WebhookDeliveryRef = builder.objectRef<WebhookDelivery>('WebhookDelivery');

builder.node(WebhookDeliveryRef, {
  description: 'Something that a CMS told the shop. Kept for 30 days. (staff)',
  authScopes: { staff: true },
  id: { resolve: (delivery) => delivery.id, description: 'Names it.' },
  fields: (t) => ({
    source: t.exposeString('source', { nullable: false, description: 'Who sent it: `contentful`.' }),
    topic: t.exposeString('topic', { nullable: false, description: 'What it tells of, in the words of the sender.' }),
    entryId: t.exposeString('entryId', {
      nullable: false,
      description: 'The entry that it is about, by its ID there.',
    }),
    body: t.string({
      nullable: false,
      description: `What was sent, as JSON: the first ${SHOWN_BODY} characters of it.`,
      resolve: ({ body }) => body.slice(0, SHOWN_BODY).replace(/[\ud800-\udbff]$/, ''),
    }),
    status: t.field({
      type: StatusRef,
      nullable: false,
      description: 'What became of it.',
      resolve: (delivery) => delivery.status,
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it failed, or was skipped.' }),
    attempts: t.exposeInt('attempts', {
      nullable: false,
      description: 'How often it was tried since it came, or since staff had it tried again.',
    }),
    product: t.field({
      type: ProductRef,
      nullable: true,
      description: 'The product that it made or changed.',
      resolve: ({ productId }, _args, ctx) => (productId === null ? null : ctx.loaders.product.load(productId)),
    }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', nullable: false, description: 'When it came.' }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When that was which became of it; null while it waits.',
    }),
  }),
});

registerNode('WebhookDelivery', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const found = await ctx.services.contentful.deliveriesByIds(ids);
  const deliveries = new Map(found.map((delivery) => [delivery.id, delivery]));
  return ids.map((id) => deliveries.get(id) ?? null);
});

const FilterRef = builder.inputType('WebhookDeliveryFilter', {
  description: 'Which deliveries: those that meet all that is given.',
  fields: (t) => ({ status: t.field({ type: StatusRef, description: 'Only those of which this became.' }) }),
});

const ConnectionRef = connectionType(WebhookDeliveryRef, 'what a CMS told the shop');
const ofDeliveries: CursorType = { list: 'webhookDeliveries', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('webhookDeliveries', (t) =>
  t.field({
    type: ConnectionRef,
    nullable: true,
    description: 'What a CMS told the shop, the latest first. (staff)',
    authScopes: { staff: true },
    args: { filter: t.arg({ type: FilterRef, description: 'Which ones.' }), ...t.arg.connectionArgs() },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, ctx) => {
      const query = filter?.status == null ? {} : { status: filter.status };
      const page = await ctx.services.contentful.deliveryPage(query, pageOf(args, ofDeliveries));
      return toConnection(page, ofDeliveries, () => ctx.services.contentful.deliveryCount(query));
    },
  }),
);

const RetryInput = builder.inputType('WebhookDeliveryRetryInput', {
  description: 'Which delivery to apply once more.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The delivery.' }) }),
});

const RetryPayload = payloadType<{ webhookDelivery: WebhookDelivery }>(
  'WebhookDeliveryRetryPayload',
  'A delivery that is applied once more.',
);

builder.objectField(RetryPayload, 'webhookDelivery', (t) =>
  t.field({
    type: WebhookDeliveryRef,
    nullable: true,
    description: 'The delivery, which waits to be applied.',
    resolve: (payload) => payload.webhookDelivery ?? null,
  }),
);

builder.mutationField('webhookDeliveryRetry', (t) =>
  t.field({
    type: RetryPayload,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Has a delivery that failed be applied once more, soon: after what stood in its way was put right. It is
skipped where something later was applied since. (staff)`,
    authScopes: { staff: true },
    args: { input: t.arg({ type: RetryInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { userId } = requireUser(ctx);
        const id = inputId('WebhookDelivery', input.id, ['id']);
        return { webhookDelivery: await ctx.services.contentful.retry(userId, id) };
      }),
  }),
);
