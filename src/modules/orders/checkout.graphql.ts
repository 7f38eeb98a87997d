import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import type { Viewer } from '../../graphql/context/authentication.ts';
import type { Context } from '../../graphql/context/context.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { setViewer } from '../../graphql/context/viewer.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import type { NamedGuest } from '../accounts/guest.service.ts';
import { addressInput } from '../addresses/address.types.ts';
import { AddressInputRef } from '../addresses/addresses.refs.graphql.ts';
import { emailAddress, parseInput, plainText } from '../input.ts';
import { fractionDigits, parseDecimal } from '../money.ts';
import { refuseInput } from '../invalid-input.ts';
import { refuse } from '../user-error.ts';
import { orderPayload } from './order-payload.graphql.ts';
import { grant } from './order-rights.graphql.ts';
import type { CheckoutRequest, OrderRow } from './order.service.ts';
import { checkoutLimits } from './order.limits.graphql.ts';

type ViewingGuest = NonNullable<Viewer['guest']>;

const checkoutInput = z.object({
  idempotencyKey: plainText(255),
  email: emailAddress.nullish().transform((email) => email ?? null),
  shippingAddress: addressInput.nullish().transform((address) => address ?? null),
  expectedTotal: z.string().nullish(),
});

/** Of the input field by which a client asks for another token. */
export const RENEW_CART_TOKEN =
  'Whether to replace the guest token that was sent as a header. The new token is returned as `cartToken` and ' +
  'gives access to the carts, payments and orders of the guest; the old token no longer does. A token that was sent as a ' +
  'cookie is replaced by every checkout and by every payment that starts.';

/** Of the payload field that has it. */
export const NEW_CART_TOKEN =
  'New guest token, which replaces the one that was sent as a header. Returned to guests who sent ' +
  '`renewCartToken: true`; otherwise null. If the token was sent as a cookie, the response sets a new cookie.';

const CheckoutInputRef = builder.inputType('CheckoutInput', {
  description: 'Input of `checkout`.',
  fields: (t) => ({
    idempotencyKey: t.string({
      required: true,
      description:
        'Key chosen by the caller, at most 255 characters. If the answer is lost, repeat the call with the same key and ' +
        'input as the same user or guest: the call returns the order that was placed before. For this, the guest ' +
        'token that a checkout replaced works for 24 hours. The same key with a different input fails with ' +
        'IDEMPOTENCY_KEY_REUSED.',
    }),
    email: t.string({
      description:
        'Email address for messages about the order. Required for guests, unless set by `cartEmailSet`; defaults ' +
        'to the email address of the user.',
    }),
    shippingAddress: t.field({
      type: AddressInputRef,
      description:
        'Postal address that the order ships to. Defaults to the address of the cart. Required if the cart requires shipping ' +
        'and has no address.',
    }),
    shippingMethodId: t.id({
      description:
        'Global ID of the shipping method. Defaults to the method that was chosen for the cart, or to the only one that is ' +
        'available.',
    }),
    expectedTotal: t.field({
      type: 'Decimal',
      description:
        'Total that the customer has agreed to. If the total of the cart differs, nothing is bought and the call ' +
        'fails with TOTAL_CHANGED.',
    }),
    renewCartToken: t.boolean({ defaultValue: false, description: RENEW_CART_TOKEN }),
  }),
});

const CheckoutPayloadRef = orderPayload<{ cartToken?: string | null }>(
  'CheckoutPayload',
  'Order that was placed. Null if nothing was bought.',
);

builder.objectField(CheckoutPayloadRef, 'cartToken', (t) =>
  t.string({
    nullable: true,
    description: NEW_CART_TOKEN,
    resolve: ({ cartToken }) => cartToken ?? null,
  }),
);

/**
 * Checks out, with another token for the guest if others may know the present one. See `renewingGuest`.
 * @param renewed the client asked for it
 */
export async function buy(
  ctx: Context,
  request: CheckoutRequest,
  renewed: boolean,
): Promise<{ orderId: string; order: OrderRow | null; cartToken?: string | null }> {
  const { orders } = ctx.services;
  const owner = ownerOf(ctx.viewer);
  if (owner === null) refuse('CART_EMPTY', 'The cart is empty.');
  if ('userId' in owner) request.accountEmail = (await loadKnown(ctx.loaders.user, owner.userId)).email;
  const guest = renewingGuest(ctx, renewed);
  if (guest === null) {
    const { id: orderId, row: order } = await orders.checkout(owner, request);
    return { orderId, order };
  }
  const { value, guest: successor } = await orders.checkoutRenewing(guest, request);
  return { orderId: value.id, order: value.row, cartToken: handOver(ctx, guest, successor) };
}

/**
 * The guest whose token a mutation may replace: one that was sent as a cookie, which a neighbour may have planted, and any other if the
 * client asked for it. A token that this operation created is not known to anyone else.
 * @returns null if the viewer keeps the token, or is a user
 */
export function renewingGuest(ctx: Context, renewed: boolean): ViewingGuest | null {
  const { guest, user } = ctx.viewer;
  return user === null && guest !== null && (renewed || guest.knownBy === 'cookie') ? guest : null;
}

/**
 * Gives the client the guest's new token: as a cookie if the old one came so.
 * @param successor null: the guest has been given yet another token since
 * @returns the token, for a client that sends it as a header
 */
export function handOver(ctx: Context, guest: ViewingGuest, successor: NamedGuest | null): string | null {
  if (successor === null) return null;
  setViewer(ctx, { user: null, guest: { ...guest, ...successor, former: null, isNew: false } });
  if (guest.knownBy !== 'header') ctx.cookies.setCart(successor.token);
  return guest.knownBy === 'cookie' ? null : successor.token;
}

/** The request that the input makes, in the shop's currency. */
export function toRequest(input: { shippingMethodId?: string | null | undefined }, currency: string): CheckoutRequest {
  const { expectedTotal, ...parsed } = parseInput(checkoutInput, input);
  const { shippingMethodId: method } = input;
  const shippingMethodId = method == null ? null : inputId('ShippingMethod', method, ['shippingMethodId']);
  const rest = { ...parsed, shippingMethodId };
  if (expectedTotal == null) return { ...rest, expectedTotalMinor: null };
  const expectedTotalMinor = parseDecimal(expectedTotal, currency);
  if (expectedTotalMinor === null) {
    const parameters = { currencyCode: currency, max: fractionDigits(currency) };
    const message = `expectedTotal has more decimal places than ${currency}.`;
    refuseInput('TOO_MANY_DECIMALS', message, ['expectedTotal'], parameters);
  }
  return { ...rest, expectedTotalMinor };
}

builder.mutationField('checkout', (t) =>
  t.field({
    type: CheckoutPayloadRef,
    nullable: true,
    extensions: checkoutLimits,
    description:
      "Places an order for all lines of the viewer's cart, at the prices of the lines. Either the whole cart is " +
      'bought or nothing.',
    args: { input: t.arg({ type: CheckoutInputRef, required: true, description: 'Details of the order.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const request = toRequest(input, ctx.shop.currency);
        const bought = await buy(ctx, request, input.renewCartToken === true);
        // Who placed it sees all of it once more, although it may have joined an account meanwhile.
        grant(ctx, bought.orderId, 'ACCESS_TOKEN');
        return bought;
      }),
  }),
);
