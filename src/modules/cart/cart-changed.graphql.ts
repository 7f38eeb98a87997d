import { openStream, type StreamItem, type StreamSource } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { AFTER, EventRef, resumeAfter } from '../../graphql/live/event.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { listenerOf, ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { isOwnedBy, type CartOwner } from './cart-owner.ts';
import { pricingChanged, TERMS_SUBJECT } from '../pricing/pricing.events.ts';
import { createTotalsWatch, type TotalsWatch } from './totals-watch.ts';
import { cartChanged } from './cart.events.ts';
import type { CartService } from './cart.service.ts';
import { CartRef } from './cart.refs.graphql.ts';

type Change = Omit<NonNullable<ReturnType<typeof cartChanged.read>>, 'kind'> & { kind: CartChangeKind };
type CartChangeKind = NonNullable<ReturnType<typeof cartChanged.read>>['kind'] | 'TOTALS';

/** A change with the cart to show, and whether the viewer may see that cart although it is another owner's. */
type CartChange = Change & { shownCartId: string; isGranted: boolean };

const CartChangeKindRef = builder.enumType('CartChangeKind', {
  description: 'Kind of change to a cart.',
  values: {
    LINES: { description: 'Lines were added, changed or removed.' },
    EXPIRED: { description: 'The cart expired, and its units returned to stock.' },
    CHECKED_OUT: { description: 'The cart became an order.' },
    MERGED: {
      description:
        'The lines moved to another cart of the same owner, by login or `cartReclaim`. The `cart` field holds that ' +
        'other cart.',
    },
    RECLAIMED: { description: 'The units of the expired cart were held again.' },
    EMAIL: { description: 'The email address for notices was set or changed.' },
    DISCOUNT_CODES: { description: 'The discount codes were set or changed.' },
    SHIPPING: { description: 'The shipping address or the shipping method was set or changed.' },
    PAYMENT: { description: 'A payment for the cart began, ended or failed. See `Cart.payment`.' },
    TOTALS: {
      description:
        'The total changed because of something outside the cart, for example because a promotion ended or a tax rate ' +
        'changed. The cart itself is unchanged.',
    },
    LOW_STOCK: {
      description: 'A variant in the cart fell to or below its low-stock threshold. The cart itself is unchanged.',
    },
  },
});

const CartChangedRef = builder.objectRef<StreamItem<CartChange>>('CartChanged').implement({
  extensions: OWNED,
  description: "Event: the viewer's cart changed, on this device or another, or expired.",
  interfaces: [EventRef],
  fields: (t) => ({
    kind: t.field({
      type: CartChangeKindRef,
      nullable: false,
      description: 'Kind of change.',
      resolve: ({ value }) => value.kind,
    }),
    cart: t.field({
      type: CartRef,
      nullable: false,
      description:
        'Cart in its state when the event is delivered. If `kind` is MERGED, the cart that received the lines.',
      resolve: async ({ value }, _args, ctx) => {
        const cart = await loadKnown(ctx.loaders.cart, value.shownCartId);
        const viewer = ownerOf(ctx.viewer);
        // A guest's cart may have become a user's since.
        if (!value.isGranted && (viewer === null || !isOwnedBy(cart, viewer)))
          throw requestError('FORBIDDEN', 'The cart no longer belongs to you.');
        return cart;
      },
    }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant that runs low. Null unless `kind` is LOW_STOCK.',
      resolve: ({ value }, _args, ctx) => (value.variantId == null ? null : ctx.loaders.variant.load(value.variantId)),
    }),
  }),
});

/**
 * The cart that took over the lines of another one, shown in place of the other. At log-in that is the cart of the user. The guest's
 * subscription shows it once, at the log-in, and never again: otherwise anyone else with the guest's token could follow the user's cart.
 */
async function merged(
  carts: Pick<CartService, 'byIds' | 'wasMergedRecently'>,
  viewer: CartOwner,
  change: Change & { intoCartId: string },
): Promise<CartChange | null> {
  const shown = { ...change, shownCartId: change.intoCartId };
  const [into] = await carts.byIds([change.intoCartId]);
  if (into !== undefined && isOwnedBy(into, viewer)) return { ...shown, isGranted: false };
  return (await carts.wasMergedRecently(change.cartId)) ? { ...shown, isGranted: true } : null;
}

/**
 * Picks the changes of an owner's carts. It is kept for as long as the subscription, so it is made apart from the resolver: a function made
 * there would keep the context of the operation.
 */
function pickerFor(
  carts: Pick<CartService, 'byIds' | 'wasMergedRecently'>,
  viewer: CartOwner,
  totals: TotalsWatch,
): Required<Pick<StreamSource<CartChange>, 'pick' | 'forget'>> {
  return {
    pick(event) {
      if (pricingChanged.read(event) !== null) return totals.afterNewTerms();
      const change = cartChanged.read(event);
      if (change === null || !isOwnedBy(change, viewer)) return null;
      if (change.kind !== 'LOW_STOCK') totals.afterOwnChange();
      const { cartId, intoCartId } = change;
      return intoCartId === undefined
        ? { ...change, shownCartId: cartId, isGranted: false }
        : merged(carts, viewer, { ...change, intoCartId });
    },
    forget: () => totals.forget(),
  };
}

builder.subscriptionField('cartChanged', (t) =>
  t.field({
    type: CartChangedRef,
    nullable: false,
    extensions: OWNED,
    description:
      "Delivers every change to the viewer's cart, from any device, including its expiry. The subscription " +
      'follows the viewer from one cart to the next, and may be started before the first cart exists.',
    args: { after: t.arg(AFTER) },
    subscribe: async (_root, { after }, ctx) => {
      const viewer = listenerOf(ctx);
      const resume = await resumeAfter(ctx, after, async () => ({
        types: [cartChanged.type, pricingChanged.type],
        subjects: [...(await ctx.services.cart.idsOf(viewer)), TERMS_SUBJECT],
      }));
      const totals = await createTotalsWatch(ctx.services, viewer, { isResumed: resume !== null });
      return openStream<CartChange>({
        feed: ctx.feed,
        resume,
        ...pickerFor(ctx.services.cart, viewer, totals),
      });
    },
    resolve: (item) => item,
  }),
);
