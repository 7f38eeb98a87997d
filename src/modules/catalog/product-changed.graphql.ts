import type { StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { AFTER, EventRef, oncePerEvent, resumeAfter } from '../../graphql/live/event.ts';
import { argumentIds } from '../../graphql/schema/global-id.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { RECORDED, SHARED } from '../../graphql/schema/shared.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { productChanged } from './catalog.events.ts';
import { ProductRef } from './catalog.refs.graphql.ts';
import type { ShopServices } from '../module.ts';

type Changed = NonNullable<ReturnType<typeof productChanged.read>>;

const ProductChangedRef = builder.objectRef<StreamItem<Changed>>('ProductChanged').implement({
  extensions: { ...SHARED, ...RECORDED },
  description:
    'Event: a product changed in anything but its stock, such as its texts, prices, images, status or variants.',
  interfaces: [EventRef],
  fields: (t) => ({
    product: t.field({
      type: ProductRef,
      nullable: false,
      description: 'Product in its state when the event is delivered.',
      resolve: ({ value }, _args, ctx) => loadKnown(ctx.loaders.product, value.productId),
    }),
  }),
});

const isVisible = oncePerEvent(({ catalog }, { subjectId }) => catalog.isProductVisible(subjectId));

/** Picks the changes of some products, or of all. It is kept for as long as the subscription, and so refers to little. */
function pickFor(
  services: ShopServices,
  productIds: ReadonlySet<string> | null,
  byStaff: boolean,
): (event: StoredEvent) => Changed | null | Promise<Changed | null> {
  return (event) => {
    const change = productChanged.read(event);
    if (change === null || productIds?.has(change.productId) === false) return null;
    return byStaff ? change : isVisible(services, event).then((visible) => (visible ? change : null));
  };
}

builder.subscriptionField('productChanged', (t) =>
  t.field({
    type: ProductChangedRef,
    nullable: false,
    extensions: SHARED,
    description: 'Delivers changes to products, except changes in stock, for which see `stockChanged`.',
    args: {
      productIds: t.arg.idList({
        description: 'Products to follow, at most 100. If null or omitted, all products; if empty, none.',
      }),
      after: t.arg(AFTER),
    },
    subscribe: async (_root, args, ctx) => {
      const productIds = argumentIds('Product', args.productIds, 'productIds');
      const subjects = productIds === null ? null : [...productIds];
      return openStream({
        feed: ctx.feed,
        resume: await resumeAfter(ctx, args.after, () => ({ types: [productChanged.type], subjects })),
        pick: pickFor(ctx.services, productIds, isStaff(ctx.viewer)),
      });
    },
    resolve: (item) => item,
  }),
);
