import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { AddressRef } from '../addresses/addresses.refs.graphql.ts';
import type { Money } from '../money.ts';
import {
  AppliedDiscountRef,
  CartDiscountCodeRef,
  discountsOf,
  TaxLineRef,
  taxLinesOf,
} from '../pricing/pricing.refs.graphql.ts';
import type { Quote, QuotedLine } from '../pricing/pricing.service.ts';
import type { ShippingOption } from '../pricing/quote.types.ts';
import { ShippingMethodRef } from '../shipping/shipping.refs.graphql.ts';
import { isOwnedBy } from './cart-owner.ts';
import { CartLineRef, CartRef } from './cart.refs.graphql.ts';
import type { Cart, CartLine } from './cart.service.ts';

/** Quotes by the cart as it was read: its fields share one. */
const quotes = new WeakMap<Cart, Promise<Quote>>();
/** The carts that lines were read with. */
const cartsOfLines = new WeakMap<CartLine, Cart>();

/** What a cart costs. Computed once for each time that the cart is read. */
export function quoteOf(cart: Cart, ctx: Context): Promise<Quote> {
  let quote = quotes.get(cart);
  if (quote === undefined) {
    const { termsVersion: version, readAt: now } = cart;
    quote = ctx.services.pricing.price(cart, { version, now }).then((pricing) => pricing.quote);
    quotes.set(cart, quote);
  }
  return quote;
}

/** The lines of a cart, which then know their cart. */
export function linesOf(cart: Cart): CartLine[] {
  for (const line of cart.lines) cartsOfLines.set(line, cart);
  return cart.lines;
}

async function quotedLine(line: CartLine, ctx: Context): Promise<{ line: QuotedLine; quote: Quote }> {
  const cart = cartsOfLines.get(line);
  if (cart === undefined) throw new Error(`line ${line.id} was read without its cart`);
  const quote = await quoteOf(cart, ctx);
  const quoted = quote.lines.find(({ id }) => id === line.id);
  if (quoted === undefined) throw new Error(`line ${line.id} is not in the quote of cart ${cart.id}`);
  return { line: quoted, quote };
}

function money(pick: (quote: Quote) => bigint): (cart: Cart, args: object, ctx: Context) => Promise<Money> {
  return async (cart, _args, ctx) => {
    const quote = await quoteOf(cart, ctx);
    return { minor: pick(quote), currency: quote.currency };
  };
}

function lineMoney(pick: (line: QuotedLine) => bigint): (line: CartLine, args: object, ctx: Context) => Promise<Money> {
  return async (line, _args, ctx) => {
    const { line: quoted, quote } = await quotedLine(line, ctx);
    return { minor: pick(quoted), currency: quote.currency };
  };
}

const ShippingOptionRef = builder.objectRef<ShippingOption & { currency: string }>('ShippingOption').implement({
  extensions: OWNED,
  description: 'A shipping method that is available for a cart, with its price.',
  fields: (t) => ({
    method: t.field({
      type: ShippingMethodRef,
      nullable: false,
      description: 'Shipping method.',
      resolve: ({ methodId }, _args, ctx) => loadKnown(ctx.loaders.shippingMethod, methodId),
    }),
    price: t.field({
      type: MoneyRef,
      nullable: false,
      description:
        'Price for this cart, after discounts on shipping. For a destination or customer to which the shop sells without its ' +
        'own tax, without the tax that the price contains.',
      resolve: ({ chargedMinor: minor, currency }) => ({ minor, currency }),
    }),
  }),
});

builder.objectFields(CartLineRef, (t) => ({
  total: t.field({
    type: MoneyRef,
    nullable: false,
    description:
      'Unit price times quantity, before discounts. For a destination or customer to which the shop sells without its own ' +
      'tax, without the tax that the price contains.',
    resolve: lineMoney(({ totalMinor }) => totalMinor),
  }),
  discounts: t.field({
    type: [AppliedDiscountRef],
    nullable: false,
    description: 'Discounts on this line, including its share of discounts on the whole cart.',
    resolve: async (line, _args, ctx) => {
      const { line: quoted, quote } = await quotedLine(line, ctx);
      const applied = new Map(quote.discounts.map((discount) => [discount.promotionId, discount]));
      return discountsOf(
        quoted.discounts.map(({ promotionId, amountMinor }) => ({
          title: applied.get(promotionId)?.title ?? '',
          code: applied.get(promotionId)?.code ?? null,
          amountMinor,
        })),
        quote.currency,
      );
    },
  }),
  discountTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Sum of the discounts on this line.',
    resolve: lineMoney(({ discountMinor }) => discountMinor),
  }),
  taxTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description:
      'Tax on this line, after discounts. Contained in `discountedTotal` if `Cart.pricesIncludeTax` is true.',
    resolve: lineMoney(({ taxMinor }) => taxMinor),
  }),
  discountedTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Price of the line after discounts, including tax if `Cart.pricesIncludeTax` is true.',
    resolve: lineMoney(({ discountedMinor }) => discountedMinor),
  }),
}));

builder.objectFields(CartRef, (t) => ({
  subtotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Sum of the line totals, before discounts.',
    resolve: money(({ subtotalMinor }) => subtotalMinor),
  }),
  discountCodes: t.field({
    type: [CartDiscountCodeRef],
    nullable: false,
    description: 'Discount codes that were entered for the cart, in that order, each with its own status.',
    resolve: async (cart, _args, ctx) => (await quoteOf(cart, ctx)).codes,
  }),
  discounts: t.field({
    type: [AppliedDiscountRef],
    nullable: false,
    description: 'Discounts on the lines of the cart. Discounts on shipping are in `shippingDiscounts`.',
    resolve: async (cart, _args, ctx) => {
      const quote = await quoteOf(cart, ctx);
      return discountsOf(quote.discounts, quote.currency);
    },
  }),
  discountTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Sum of `discounts`.',
    resolve: money(({ discountMinor }) => discountMinor),
  }),
  requiresShipping: t.boolean({
    nullable: false,
    description: 'Whether checkout requires a shipping address and a shipping method.',
    resolve: async (cart, _args, ctx) => (await quoteOf(cart, ctx)).shippingState !== 'NOT_NEEDED',
  }),
  shippingAddress: t.field({
    type: AddressRef,
    nullable: true,
    description: 'Postal address that the cart ships to. Null if none was set. Visible to the owner of the cart only.',
    resolve: (cart, _args, ctx) => {
      const viewer = ownerOf(ctx.viewer);
      return viewer !== null && isOwnedBy(cart, viewer) ? cart.shippingAddress : null;
    },
  }),
  shippingMethods: t.field({
    type: [ShippingOptionRef],
    nullable: false,
    description:
      'Shipping methods that are available for the cart at its shipping address, with their prices. Empty until there is an ' +
      'address, and if nothing requires shipping.',
    resolve: async (cart, _args, ctx) => {
      const { shippingOptions, currency } = await quoteOf(cart, ctx);
      return shippingOptions.map((option) => ({ ...option, currency }));
    },
  }),
  shippingMethod: t.field({
    type: ShippingOptionRef,
    nullable: true,
    description:
      'Chosen shipping method; if only one is available, that one. Null if none is chosen, or if the chosen method is no ' +
      'longer available.',
    resolve: async (cart, _args, ctx) => {
      const { shippingMethod, currency } = await quoteOf(cart, ctx);
      return shippingMethod === null ? null : { ...shippingMethod, currency };
    },
  }),
  shippingDiscounts: t.field({
    type: [AppliedDiscountRef],
    nullable: false,
    description: 'Discounts on the price of shipping. `shippingTotal` is the price after them.',
    resolve: async (cart, _args, ctx) => {
      const quote = await quoteOf(cart, ctx);
      return discountsOf(quote.shippingDiscounts, quote.currency);
    },
  }),
  shippingTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description: 'Price of shipping after discounts. 0 until a shipping method is chosen.',
    resolve: money(({ shippingMinor }) => shippingMinor),
  }),
  freeShippingRemaining: t.field({
    type: MoneyRef,
    nullable: true,
    description:
      'Amount by which the discounted lines fall short of free shipping with the chosen method. Null if shipping is free, if ' +
      'nothing has to be shipped, if the method is never free, or if no method is chosen or available.',
    resolve: async (cart, _args, ctx) => {
      const { freeShippingRemainingMinor: minor, currency } = await quoteOf(cart, ctx);
      return minor === null ? null : { minor, currency };
    },
  }),
  taxes: t.field({
    type: [TaxLineRef],
    nullable: false,
    description: 'Tax on lines and shipping, by rate, the highest rate first.',
    resolve: async (cart, _args, ctx) => {
      const quote = await quoteOf(cart, ctx);
      return taxLinesOf(quote.taxes, quote.currency);
    },
  }),
  taxTotal: t.field({
    type: MoneyRef,
    nullable: false,
    description:
      'Sum of `taxes`. Contained in the other amounts if `pricesIncludeTax` is true, otherwise added to them.',
    resolve: money(({ taxMinor }) => taxMinor),
  }),
  pricesIncludeTax: t.boolean({
    nullable: false,
    description:
      'Whether the amounts of the cart contain the tax. Depends on the destination and the customer, and so can change with the ' +
      'shipping address.',
    resolve: async (cart, _args, ctx) => (await quoteOf(cart, ctx)).pricesIncludeTax,
  }),
  total: t.field({
    type: MoneyRef,
    nullable: false,
    description:
      'Amount to pay: `subtotal` less `discountTotal`, plus `shippingTotal`, plus `taxTotal` unless `pricesIncludeTax` is true.',
    resolve: money(({ totalMinor }) => totalMinor),
  }),
  quoteHash: t.string({
    nullable: false,
    description: 'Hash of everything that is to be paid. It changes whenever any of that changes.',
    resolve: async (cart, _args, ctx) => (await quoteOf(cart, ctx)).hash,
  }),
}));
