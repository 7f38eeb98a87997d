import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { isOwnedBy } from './cart-owner.ts';
import { linesOf } from './cart-prices.graphql.ts';
import { CartLineRef, CartRef } from './cart.refs.graphql.ts';
import type { Cart } from './cart.service.ts';

const CartStatusRef = builder.enumType('CartStatus', {
  description: 'Status of a cart.',
  values: {
    ACTIVE: { description: 'Units in the cart are held.' },
    EXPIRED: {
      description:
        'The cart expired, and its units return to stock. Its lines are kept, and `cartReclaim` can hold their ' +
        'units again.',
    },
    CHECKED_OUT: { description: 'The cart became an order.' },
    MERGED: { description: 'The lines moved to another cart of the same owner.' },
  },
});

builder.node(CartLineRef, {
  extensions: OWNED,
  description:
    'Units of one variant at one price. If the price of a variant changes, units added later form another line.',
  id: { resolve: (line) => line.id, description: 'Global ID of the line.' },
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Variant in the cart.',
      resolve: (line, _args, ctx) => loadKnown(ctx.loaders.variant, line.variantId),
    }),
    quantity: t.exposeInt('quantity', { nullable: false, description: 'Number of units.' }),
    unitPrice: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Price of one unit at the time the line was added.',
      resolve: (line, _args, ctx) => ({ minor: BigInt(line.unitPriceMinor), currency: ctx.shop.currency }),
    }),
  }),
});

builder.node(CartRef, {
  extensions: OWNED,
  description: 'Items that a customer or guest is about to buy. Their units are held until the cart expires.',
  interfaces: [SnapshotRef],
  id: { resolve: (cart) => cart.id, description: 'Global ID of the cart. Knowing it grants no access.' },
  fields: (t) => ({
    token: t.string({
      nullable: true,
      description:
        'Guest token, which identifies the guest. It stays the same for all carts of the guest until login. ' +
        'A checkout replaces it if it was sent as a cookie, or if `renewCartToken` is true. Send it as the ' +
        '`x-cart-token` header or as `connectionParams.cartToken`; browsers store it as a cookie. Null for users, and if ' +
        'the guest was identified by cookie.',
      resolve: (cart, _args, ctx) => {
        const { guest } = ctx.viewer;
        return guest !== null && guest.id === cart.guestId && guest.knownBy !== 'cookie' ? guest.token : null;
      },
    }),
    status: t.field({
      type: CartStatusRef,
      nullable: false,
      description: 'Status of the cart.',
      resolve: (cart) => cart.status,
    }),
    lines: t.field({
      type: [CartLineRef],
      nullable: false,
      description: 'Lines, in the order in which they were added.',
      resolve: linesOf,
    }),
    totalQuantity: t.int({
      nullable: false,
      description: 'Number of units in all lines.',
      resolve: (cart) => cart.lines.reduce((sum, { quantity }) => sum + quantity, 0),
    }),
    email: t.string({
      nullable: true,
      description:
        'Email address that receives notices about the cart. Defaults to the email address of the user. Null for a ' +
        'guest who has set none. Visible to the owner of the cart only.',
      resolve: async (cart, _args, ctx) => {
        // A guest is shown the user's cart once, as its own cart joins that one.
        if (!isOwner(ctx, cart)) return null;
        const { email, userId } = cart;
        return email ?? (userId === null ? null : (await loadKnown(ctx.loaders.user, userId)).email);
      },
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'Time at which the cart expires and its units return to stock, unless the cart is changed before. Reading ' +
        'the cart does not extend the time. While a payment is open, five minutes after the `deadline` of the payment. Null while the cart ' +
        'is empty.',
    }),
    version: t.exposeInt('version', {
      nullable: false,
      description:
        'Version number, which increases by one with every change of the cart itself. Use it to discard responses and events with a ' +
        'smaller version. Do not discard those with an equal version, because totals can change without a new ' +
        'version, when prices, promotions, taxes or shipping change.',
    }),
  }),
});

function isOwner(ctx: Context, cart: Cart): boolean {
  const viewer = ownerOf(ctx.viewer);
  return viewer !== null && isOwnedBy(cart, viewer);
}

registerNode('Cart', async (ids, ctx) => {
  const carts = (await ctx.services.cart.byIds(ids)).filter((cart) => isOwner(ctx, cart));
  return ids.map((id) => carts.find((cart) => cart.id === id) ?? null);
});

registerNode('CartLine', async (ids, ctx) => {
  const carts = (await ctx.services.cart.ofLines(ids)).filter((cart) => isOwner(ctx, cart));
  const lines = carts.flatMap(linesOf);
  return ids.map((id) => lines.find((line) => line.id === id) ?? null);
});

builder.queryField('cart', (t) =>
  t.field({
    type: CartRef,
    nullable: true,
    description:
      "The viewer's active cart; if there is none, the most recently expired one. Null if the viewer has neither.",
    resolve: (_root, _args, ctx) => {
      const viewer = ownerOf(ctx.viewer);
      return viewer === null ? null : ctx.services.cart.find(viewer);
    },
  }),
);
