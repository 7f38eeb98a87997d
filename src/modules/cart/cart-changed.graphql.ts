import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/builder.ts';
import { AFTER, EventRef, resumeAfter } from '../../graphql/event.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { requestError } from '../../graphql/request-error.ts';
import { ownerOf } from '../../graphql/viewer.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { isOwnedBy } from './cart-owner.ts';
import { cartChanged } from './cart.events.ts';
import { CartRef } from './cart.refs.graphql.ts';

type CartChange = NonNullable<ReturnType<typeof cartChanged.read>>;

const CartChangeKindRef = builder.enumType('CartChangeKind', {
  description: 'What happened to a cart.',
  values: {
    LINES: { description: 'Lines were added, changed or removed.' },
    EXPIRED: { description: 'Its time ran out, and its units went back to stock.' },
    CHECKED_OUT: { description: 'It became an order.' },
    MERGED: { description: 'Its lines moved to another cart of its owner.' },
    RECLAIMED: { description: 'Its units were taken again after its time had run out.' },
    EMAIL: { description: 'The address for its notices was set or changed.' },
    LOW_STOCK: { description: 'A variant in the cart is at or below its low-stock threshold.' },
  },
});

const CartChangedRef = builder.objectRef<StreamItem<CartChange>>('CartChanged').implement({
  description: "The viewer's cart changed, on this device or another, or its time ran out.",
  interfaces: [EventRef],
  fields: (t) => ({
    kind: t.field({
      type: CartChangeKindRef,
      nullable: false,
      description: 'What happened.',
      resolve: ({ value }) => value.kind,
    }),
    cart: t.field({
      type: CartRef,
      nullable: false,
      description: 'The cart, as it is when the event is sent.',
      resolve: async ({ value }, _args, ctx) => {
        const cart = await loadKnown(ctx.loaders.cart, value.cartId);
        const viewer = ownerOf(ctx.viewer);
        // A guest's cart may have become a user's since.
        if (viewer === null || !isOwnedBy(cart, viewer))
          throw requestError('FORBIDDEN', 'The cart is not yours any more.');
        return cart;
      },
    }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'The variant that runs low; with LOW_STOCK only.',
      resolve: ({ value }, _args, ctx) => (value.variantId == null ? null : ctx.loaders.variant.load(value.variantId)),
    }),
  }),
});

builder.subscriptionField('cartChanged', (t) =>
  t.field({
    type: CartChangedRef,
    nullable: false,
    description: "The viewer's cart, whichever it is at the time: changes of every device, and the end of its time.",
    args: { after: t.arg(AFTER) },
    subscribe: async (_root, { after }, ctx) => {
      const viewer = ownerOf(ctx.viewer);
      if (viewer === null) throw requestError('UNAUTHENTICATED', 'Make a cart first, or log in.');
      const resume = await resumeAfter(ctx, after, async () => ({
        types: [cartChanged.type],
        subjects: await ctx.services.cart.idsOf(viewer),
      }));
      return openStream({
        feed: ctx.feed,
        resume,
        pick(event) {
          const change = cartChanged.read(event);
          return change !== null && isOwnedBy(change, viewer) ? change : null;
        },
      });
    },
    resolve: (item) => item,
  }),
);
