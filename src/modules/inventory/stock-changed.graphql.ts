import { encodeCursor } from '../../events/cursor.ts';
import type { StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { argumentId } from '../../graphql/global-id.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { requestError } from '../../graphql/request-error.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { stockChanged } from './inventory.events.ts';

type StockChange = NonNullable<ReturnType<typeof stockChanged.read>>;

const StockChangedRef = builder.objectRef<StreamItem<StockChange>>('StockChanged').implement({
  description: `One change of a variant's level. \`available\` here is the level that this change left; \`variant { available }\`
is read when the event is sent and may be newer. A checkout of held units changes no level and makes no such event.`,
  fields: (t) => ({
    cursor: t.field({
      type: 'EventCursor',
      nullable: false,
      description: 'Its place in the event log.',
      resolve: ({ epoch, event }) => encodeCursor({ epoch, seq: event.seq }),
    }),
    occurredAt: t.field({
      type: 'DateTime',
      nullable: false,
      description: 'When the level changed.',
      resolve: ({ event }) => event.occurredAt,
    }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'What it is about.',
      resolve: ({ value }, _args, ctx) => loadKnown(ctx.loaders.variant, value.variantId),
    }),
    available: t.int({
      nullable: false,
      description: 'The level that this change left.',
      resolve: ({ value }) => value.available,
    }),
    previousAvailable: t.int({
      nullable: false,
      description: 'The level before it.',
      resolve: ({ value }) => value.previousAvailable,
    }),
  }),
});

const MAX_IDS = 100;

function idSet(
  typename: string,
  ids: readonly (string | number)[] | null | undefined,
  name: string,
): Set<string> | null {
  if (ids == null) return null;
  if (ids.length > MAX_IDS) throw requestError('BAD_REQUEST', `\`${name}\` may have at most ${MAX_IDS} IDs.`);
  return new Set(ids.map((id) => argumentId(typename, String(id), name)));
}

// Asked for once per event, however many subscribers there are.
const visibilities = new WeakMap<StoredEvent, Promise<boolean>>();

function isVisible(ctx: Context, event: StoredEvent, variantId: string): Promise<boolean> {
  let visible = visibilities.get(event);
  if (visible === undefined) {
    visible = ctx.services.catalog.isVisible(variantId);
    visibilities.set(event, visible);
  }
  return visible;
}

builder.subscriptionField('stockChanged', (t) =>
  t.field({
    type: StockChangedRef,
    nullable: false,
    description: 'Stock as it changes, in order. Lists of IDs: left out is all, empty is none, both are the union.',
    args: {
      variantIds: t.arg.idList({ description: 'Only these variants; at most 100.' }),
      productIds: t.arg.idList({ description: "Only these products' variants; at most 100." }),
    },
    subscribe: (_root, args, ctx) => {
      const variantIds = idSet('ProductVariant', args.variantIds, 'variantIds');
      const productIds = idSet('Product', args.productIds, 'productIds');
      const all = variantIds === null && productIds === null;
      return openStream({
        feed: ctx.feed,
        pick(event) {
          const change = stockChanged.read(event);
          if (change === null) return null;
          const wanted = all || variantIds?.has(change.variantId) || productIds?.has(change.productId);
          if (wanted !== true) return null;
          return isVisible(ctx, event, change.variantId).then((visible) => (visible ? change : null));
        },
      });
    },
    resolve: (item) => item,
  }),
);
