import { z } from 'zod';
import type { Context } from '../../graphql/context/context.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { parseAddress } from '../addresses/address.types.ts';
import { AddressInputRef } from '../addresses/addresses.refs.graphql.ts';
import { parseInput, plainText } from '../input.ts';
import { normalizeCode } from '../promotions/code.ts';
import { refuse } from '../user-error.ts';
import { carry, cartPayload } from './cart-mutations.graphql.ts';
import { codeLimits } from './cart.limits.graphql.ts';
import { MAX_DISCOUNT_CODES } from './cart.rules.ts';
import type { Cart } from './cart.service.ts';

const CartDiscountCodesSetInputRef = builder.inputType('CartDiscountCodesSetInput', {
  description: 'Input of `cartDiscountCodesSet`.',
  fields: (t) => ({
    codes: t.stringList({
      required: true,
      description:
        `Discount codes, at most ${MAX_DISCOUNT_CODES}, which replace those of the cart. Upper and lower case make no ` +
        'difference. An empty list removes all codes.',
    }),
  }),
});

const CartShippingAddressSetInputRef = builder.inputType('CartShippingAddressSetInput', {
  description: 'Input of `cartShippingAddressSet`.',
  fields: (t) => ({
    address: t.field({ type: AddressInputRef, description: 'Postal address. Null or omitted removes the address.' }),
  }),
});

const CartShippingMethodSetInputRef = builder.inputType('CartShippingMethodSetInput', {
  description: 'Input of `cartShippingMethodSet`.',
  fields: (t) => ({
    methodId: t.id({ description: 'Global ID of a shipping method. Null or omitted removes the choice.' }),
  }),
});

const codesInput = z.object({ codes: z.array(plainText(64)).max(MAX_DISCOUNT_CODES) });

/** Codes without repetitions: the first way to write one stays. */
function distinctCodes(codes: readonly string[]): string[] {
  const seen = new Map(codes.map((code) => [normalizeCode(code) ?? code, code] as const).toReversed());
  return codes.filter((code) => seen.get(normalizeCode(code) ?? code) === code);
}

/** Refuses a method that the cart cannot use now. Whether it still can is checked again by each quote, and at checkout. */
async function assertAvailable(ctx: Context, cart: Cart, methodId: string): Promise<void> {
  const { quote } = await ctx.services.pricing.price({ ...cart, shippingMethodId: methodId });
  if (quote.shippingState === 'ADDRESS_REQUIRED') {
    refuse('SHIPPING_ADDRESS_REQUIRED', 'Set a shipping address first.');
  }
  if (quote.shippingMethod?.methodId !== methodId) {
    const message = 'The shipping method is not available for this cart and address.';
    refuse('SHIPPING_METHOD_UNAVAILABLE', message, ['methodId']);
  }
}

builder.mutationFields((t) => ({
  cartDiscountCodesSet: t.field({
    type: cartPayload('CartDiscountCodesSetPayload', 'Result of `cartDiscountCodesSet`.'),
    nullable: true,
    extensions: codeLimits,
    description:
      "Sets the discount codes of the viewer's active cart. Codes that are unknown or do not apply are no errors: " +
      '`Cart.discountCodes` gives the status of each.',
    args: {
      input: t.arg({ type: CartDiscountCodesSetInputRef, required: true, description: 'Codes of the cart.' }),
    },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        const { codes } = parseInput(codesInput, input);
        return ctx.services.cart.setDiscountCodes(ownerOf(ctx.viewer), distinctCodes(codes));
      }),
  }),

  cartShippingAddressSet: t.field({
    type: cartPayload('CartShippingAddressSetPayload', 'Result of `cartShippingAddressSet`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      "Sets the postal address that the viewer's active cart ships to, which decides about shipping methods and taxes.",
    args: {
      input: t.arg({ type: CartShippingAddressSetInputRef, required: true, description: 'Address of the cart.' }),
    },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        const address = input.address == null ? null : parseAddress(input.address, ['address']);
        return ctx.services.cart.setShippingAddress(ownerOf(ctx.viewer), address);
      }),
  }),

  cartShippingMethodSet: t.field({
    type: cartPayload('CartShippingMethodSetPayload', 'Result of `cartShippingMethodSet`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      "Chooses a shipping method for the viewer's active cart. The cart keeps the choice, not the price: see " +
      '`Cart.shippingMethod`. A method that is not available for the cart and its address is refused with ' +
      'SHIPPING_METHOD_UNAVAILABLE.',
    args: {
      input: t.arg({ type: CartShippingMethodSetInputRef, required: true, description: 'Method to choose.' }),
    },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        const methodId = input.methodId == null ? null : inputId('ShippingMethod', input.methodId, ['methodId']);
        const owner = ownerOf(ctx.viewer);
        const cart = owner === null ? null : await ctx.services.cart.find(owner);
        if (methodId !== null && cart !== null) await assertAvailable(ctx, cart, methodId);
        return ctx.services.cart.setShippingMethod(owner, methodId);
      }),
  }),
}));
