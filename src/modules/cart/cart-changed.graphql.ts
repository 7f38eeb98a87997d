import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { AFTER, EventRef, resumeAfter } from '../../graphql/event.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { requestError } from '../../graphql/request-error.ts';
import { listenerOf, ownerOf } from '../../graphql/viewer.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { isOwnedBy, type CartOwner } from './cart-owner.ts';
import { cartChanged } from './cart.events.ts';
import { CartRef } from './cart.refs.graphql.ts';

type Change = NonNullable<ReturnType<typeof cartChanged.read>>;

/** A change with the cart to show, and whether the viewer may see that cart although it is another owner's. */
type CartChange = Change & { shownCartId: string; isGranted: boolean };

const CartChangeKindRef = builder.enumType('CartChangeKind', {
  description: 'What happened to a cart.',
  values: {
    LINES: { description: 'Lines were added, changed or removed.' },
    EXPIRED: { description: 'Its time ran out, and its units went back to stock.' },
    CHECKED_OUT: { description: 'It became an order.' },
    MERGED: {
      description:
        'Its lines moved to another cart of its owner, at log-in or by `cartReclaim`: `cart` is the one they moved to.',
    },
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
      description: 'The cart, as it is when the event is sent. With MERGED, the cart that the lines moved to.',
      resolve: async ({ value }, _args, ctx) => {
        const cart = await loadKnown(ctx.loaders.cart, value.shownCartId);
        const viewer = ownerOf(ctx.viewer);
        // A guest's cart may have become a user's since.
        if (!value.isGranted && (viewer === null || !isOwnedBy(cart, viewer)))
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

/**
 * The cart that another one was joined to is shown in its place. At log-in that is the user's, which the guest's own
 * subscription is shown at once and never later: whoever else has the guest's token could follow the user's cart otherwise.
 */
async function merged(
  { services }: Context,
  viewer: CartOwner,
  change: Change & { intoCartId: string },
): Promise<CartChange | null> {
  const shown = { ...change, shownCartId: change.intoCartId };
  const [into] = await services.cart.byIds([change.intoCartId]);
  if (into !== undefined && isOwnedBy(into, viewer)) return { ...shown, isGranted: false };
  return (await services.cart.wasMergedRecently(change.cartId)) ? { ...shown, isGranted: true } : null;
}

builder.subscriptionField('cartChanged', (t) =>
  t.field({
    type: CartChangedRef,
    nullable: false,
    description: `The viewer's cart, whichever it is at the time: changes made on any device, and the end of its time. A visitor may
subscribe before there is a cart, and hears of the first one.`,
    args: { after: t.arg(AFTER) },
    subscribe: async (_root, { after }, ctx) => {
      const viewer = listenerOf(ctx);
      const resume = await resumeAfter(ctx, after, async () => ({
        types: [cartChanged.type],
        subjects: await ctx.services.cart.idsOf(viewer),
      }));
      return openStream({
        feed: ctx.feed,
        resume,
        pick(event) {
          const change = cartChanged.read(event);
          if (change === null || !isOwnedBy(change, viewer)) return null;
          const { cartId, intoCartId } = change;
          return intoCartId === undefined
            ? { ...change, shownCartId: cartId, isGranted: false }
            : merged(ctx, viewer, { ...change, intoCartId });
        },
      });
    },
    resolve: (item) => item,
  }),
);
