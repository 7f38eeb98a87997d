import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { MoneyRef } from '../../graphql/money.ts';
import { registerNode } from '../../graphql/node.ts';
import { SnapshotRef } from '../../graphql/snapshot.ts';
import { ownerOf } from '../../graphql/viewer.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { Money } from '../money.ts';
import { isOwnedBy } from './cart-owner.ts';
import { CartLineRef, CartRef } from './cart.refs.graphql.ts';
import type { Cart, CartLine } from './cart.service.ts';

const CartStatusRef = builder.enumType('CartStatus', {
  description: 'Where a cart is in its life.',
  values: {
    ACTIVE: { description: 'Its units are held.' },
    EXPIRED: {
      description: 'Its time ran out and its units went back to stock. Lines are kept so that it can be reclaimed.',
    },
    CHECKED_OUT: { description: 'It became an order.' },
    MERGED: { description: 'Its lines moved to another cart of its owner.' },
  },
});

function cost(ctx: Context, lines: readonly CartLine[]): Money {
  const minor = lines.reduce((sum, line) => sum + BigInt(line.quantity) * BigInt(line.unitPriceMinor), 0n);
  return { minor, currency: ctx.shop.currency };
}

builder.node(CartLineRef, {
  description: 'So many units of a variant at one price.',
  id: { resolve: (line) => line.id, description: 'Names the line.' },
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'What is in the cart.',
      resolve: (line, _args, ctx) => loadKnown(ctx.loaders.variant, line.variantId),
    }),
    quantity: t.exposeInt('quantity', { nullable: false, description: 'Units.' }),
    unitPrice: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'The price when the line was added.',
      resolve: (line, _args, ctx) => ({ minor: BigInt(line.unitPriceMinor), currency: ctx.shop.currency }),
    }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What the line costs.',
      resolve: (line, _args, ctx) => cost(ctx, [line]),
    }),
  }),
});

builder.node(CartRef, {
  description: 'What somebody is about to buy. Its units are held until it expires.',
  interfaces: [SnapshotRef],
  id: { resolve: (cart) => cart.id, description: 'Names the cart. It grants nothing.' },
  fields: (t) => ({
    token: t.string({
      nullable: true,
      description: `Names the guest: the same for all of a guest's carts, through expiry and checkout, until log-in. Send it as the \`x-cart-token\`
header or in \`connectionParams.cartToken\`; browsers have it as the \`cart_token\` cookie. Null for users, and for who came by cookie.`,
      resolve: (cart, _args, ctx) => {
        const { guest } = ctx.viewer;
        return guest !== null && guest.id === cart.guestId && guest.knownBy !== 'cookie' ? guest.token : null;
      },
    }),
    status: t.field({
      type: CartStatusRef,
      nullable: false,
      description: 'Where it is in its life.',
      resolve: (cart) => cart.status,
    }),
    lines: t.field({
      type: [CartLineRef],
      nullable: false,
      description: 'What is in it, in the order in which it was put in.',
      resolve: (cart) => cart.lines,
    }),
    totalQuantity: t.int({
      nullable: false,
      description: 'Units in all.',
      resolve: (cart) => cart.lines.reduce((sum, line) => sum + line.quantity, 0),
    }),
    subtotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What the lines cost.',
      resolve: (cart, _args, ctx) => cost(ctx, cart.lines),
    }),
    total: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What is to be paid.',
      resolve: (cart, _args, ctx) => cost(ctx, cart.lines),
    }),
    email: t.string({
      nullable: true,
      description: "Where notices about this cart go; a user's own address unless set. Its owner's alone to see.",
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
        'When the holds run out unless the cart is changed before. Reading never extends it. Null while empty.',
    }),
    version: t.exposeInt('version', { nullable: false, description: 'Goes up by one with every change.' }),
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
  const lines = carts.flatMap((cart) => cart.lines);
  return ids.map((id) => lines.find((line) => line.id === id) ?? null);
});

builder.queryField('cart', (t) =>
  t.field({
    type: CartRef,
    nullable: true,
    description: "The viewer's live cart, or the last one where it has expired; null where there is none.",
    resolve: (_root, _args, ctx) => {
      const viewer = ownerOf(ctx.viewer);
      return viewer === null ? null : ctx.services.cart.find(viewer);
    },
  }),
);
