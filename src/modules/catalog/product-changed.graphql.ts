import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { AFTER, EventRef, oncePerEvent, resumeAfter } from '../../graphql/live/event.ts';
import { argumentIds } from '../../graphql/schema/global-id.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { SHARED } from '../../graphql/schema/shared.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { productChanged } from './catalog.events.ts';
import { ProductRef } from './catalog.refs.graphql.ts';

type Changed = NonNullable<ReturnType<typeof productChanged.read>>;

const ProductChangedRef = builder.objectRef<StreamItem<Changed>>('ProductChanged').implement({
  extensions: SHARED,
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

const isVisible = oncePerEvent(({ services }: Context, { subjectId }) => services.catalog.isProductVisible(subjectId));

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
        pick(event) {
          const change = productChanged.read(event);
          if (change === null || productIds?.has(change.productId) === false) return null;
          if (isStaff(ctx.viewer)) return change;
          return isVisible(ctx, event).then((visible) => (visible ? change : null));
        },
      });
    },
    resolve: (item) => item,
  }),
);
