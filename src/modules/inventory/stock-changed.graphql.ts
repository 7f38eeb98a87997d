import type { StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { AFTER, EventRef, resumeAfter } from '../../graphql/event.ts';
import { argumentId } from '../../graphql/global-id.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { requestError } from '../../graphql/request-error.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { stockChanged } from './inventory.events.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { SHARED } from '../../graphql/sharing.ts';

type StockChange = NonNullable<ReturnType<typeof stockChanged.read>>;

const StockChangedRef = builder.objectRef<StreamItem<StockChange>>('StockChanged').implement({
  extensions: SHARED,
  description: `One change of a variant's level. \`available\` here is the level that this change left; \`variant { available }\`
is read when the event is sent and may be newer. A checkout of held units changes no level and makes no such event.`,
  interfaces: [EventRef],
  fields: (t) => ({
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

/** The variants that the lists name, archived ones too: what happened to them before is part of what happened. */
async function variantsOf(
  ctx: Context,
  variantIds: Set<string> | null,
  productIds: Set<string> | null,
): Promise<string[]> {
  const ofProducts = productIds === null ? [] : await ctx.services.catalog.variantIdsOfProducts([...productIds]);
  return [...new Set([...(variantIds ?? []), ...ofProducts])];
}

// Asked for once per event, however many subscribers there are.
const visibilities = new WeakMap<StoredEvent, Promise<boolean>>();

function isVisible(ctx: Context, event: StoredEvent, variantId: string): Promise<boolean> {
  let visible = visibilities.get(event);
  if (visible === undefined) {
    visible = ctx.services.catalog.isVisible(variantId);
    visibilities.set(event, visible);
    // What could not be read is no answer: whoever comes back to this event asks again.
    visible.catch(() => visibilities.delete(event));
  }
  return visible;
}

builder.subscriptionField('stockChanged', (t) =>
  t.field({
    type: StockChangedRef,
    nullable: false,
    extensions: SHARED,
    description: 'Stock as it changes, in order. Lists of IDs: left out is all, empty is none, both are the union.',
    args: {
      variantIds: t.arg.idList({ description: 'Only these variants; at most 100.' }),
      productIds: t.arg.idList({ description: "Only these products' variants; at most 100." }),
      after: t.arg(AFTER),
    },
    subscribe: async (_root, args, ctx) => {
      const variantIds = idSet('ProductVariant', args.variantIds, 'variantIds');
      const productIds = idSet('Product', args.productIds, 'productIds');
      const all = variantIds === null && productIds === null;
      const resume = await resumeAfter(ctx, args.after, async () => ({
        types: [stockChanged.type],
        subjects: all ? null : await variantsOf(ctx, variantIds, productIds),
      }));
      return openStream({
        feed: ctx.feed,
        resume,
        pick(event) {
          const change = stockChanged.read(event);
          if (change === null) return null;
          const wanted = all || variantIds?.has(change.variantId) || productIds?.has(change.productId);
          if (wanted !== true) return null;
          if (isStaff(ctx.viewer)) return change;
          return isVisible(ctx, event, change.variantId).then((visible) => (visible ? change : null));
        },
      });
    },
    resolve: (item) => item,
  }),
);
