import type { EventType, StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { AFTER, EventRef, oncePerEvent, resumeAfter } from '../../graphql/live/event.ts';
import { argumentIds } from '../../graphql/schema/global-id.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { ShopServices } from '../module.ts';
import { backInStock, stockChanged } from './inventory.events.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { RECORDED, SHARED } from '../../graphql/schema/shared.ts';

type StockChange = NonNullable<ReturnType<typeof stockChanged.read>>;
type Back = NonNullable<ReturnType<typeof backInStock.read>>;

const StockChangedRef = builder.objectRef<StreamItem<StockChange>>('StockChanged').implement({
  extensions: { ...SHARED, ...RECORDED },
  description:
    'Event: the number of available units of a variant changed. A checkout of held units does not change that ' +
    'number and causes no event.',
  interfaces: [EventRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description:
        'Variant in its state when the event is delivered. `variant.available` may be more recent than `available` ' +
        'of the event.',
      resolve: ({ value }, _args, ctx) => loadKnown(ctx.loaders.variant, value.variantId),
    }),
    available: t.int({
      nullable: false,
      description: 'Available units after the change.',
      resolve: ({ value }) => value.available,
    }),
    previousAvailable: t.int({
      nullable: false,
      description: 'Available units before the change.',
      resolve: ({ value }) => value.previousAvailable,
    }),
  }),
});

const BackInStockRef = builder.objectRef<StreamItem<Back>>('BackInStock').implement({
  extensions: { ...SHARED, ...RECORDED },
  description: 'Event: a sold-out variant became available again.',
  interfaces: [EventRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Variant in its state when the event is delivered.',
      resolve: ({ value }, _args, ctx) => loadKnown(ctx.loaders.variant, value.variantId),
    }),
    available: t.int({
      nullable: false,
      description: 'Available units after the change.',
      resolve: ({ value }) => value.available,
    }),
  }),
});

interface StockArguments {
  variantIds?: readonly (string | number)[] | null | undefined;
  productIds?: readonly (string | number)[] | null | undefined;
  after?: string | null | undefined;
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

const isVisible = oncePerEvent(({ catalog }, { subjectId }) => catalog.isVisible(subjectId));

/** What a subscription follows. */
interface Followed<T> {
  type: EventType<T>;
  /** Both null: all variants. */
  variantIds: ReadonlySet<string> | null;
  productIds: ReadonlySet<string> | null;
  /** Whether drafts are to be seen too. */
  byStaff: boolean;
}

/** Picks the events of some variants. It is kept for as long as the subscription, and so refers to little. */
function pickFor<T extends { variantId: string; productId: string }>(
  services: ShopServices,
  { type, variantIds, productIds, byStaff }: Followed<T>,
): (event: StoredEvent) => T | null | Promise<T | null> {
  const all = variantIds === null && productIds === null;
  return (event) => {
    const change = type.read(event);
    if (change === null) return null;
    const named = all || variantIds?.has(change.variantId) === true || productIds?.has(change.productId) === true;
    if (!named) return null;
    return byStaff ? change : isVisible(services, event).then((visible) => (visible ? change : null));
  };
}

/** Events of the variants that the arguments name, as far as the viewer may see them. */
async function openStockStream<T extends { variantId: string; productId: string }>(
  type: EventType<T>,
  args: StockArguments,
  ctx: Context,
) {
  const variantIds = argumentIds('ProductVariant', args.variantIds, 'variantIds');
  const productIds = argumentIds('Product', args.productIds, 'productIds');
  const all = variantIds === null && productIds === null;
  const resume = await resumeAfter(ctx, args.after, async () => ({
    types: [type.type],
    subjects: all ? null : await variantsOf(ctx, variantIds, productIds),
  }));
  return openStream({
    feed: ctx.feed,
    resume,
    pick: pickFor(ctx.services, { type, variantIds, productIds, byStaff: isStaff(ctx.viewer) }),
  });
}

const LISTS =
  'If both lists of IDs are null or omitted, all variants are followed. Otherwise, the variants in `variantIds` and ' +
  'those of the products in `productIds` are followed; an empty list adds none.';

builder.subscriptionFields((t) => {
  const args = {
    variantIds: t.arg.idList({ description: 'Variants to follow, at most 100.' }),
    productIds: t.arg.idList({ description: 'Products whose variants to follow, at most 100.' }),
    after: t.arg(AFTER),
  };
  return {
    stockChanged: t.field({
      type: StockChangedRef,
      nullable: false,
      extensions: SHARED,
      description: `Delivers every change in the number of available units, in order. ${LISTS}`,
      args,
      subscribe: (_root, given, ctx) => openStockStream(stockChanged, given, ctx),
      resolve: (item) => item,
    }),
    backInStock: t.field({
      type: BackInStockRef,
      nullable: false,
      extensions: SHARED,
      description: `Delivers an event whenever the number of available units of a variant rises from 0, for whatever reason. ${LISTS}`,
      args,
      subscribe: (_root, given, ctx) => openStockStream(backInStock, given, ctx),
      resolve: (item) => item,
    }),
  };
});
