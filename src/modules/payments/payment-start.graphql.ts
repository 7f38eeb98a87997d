import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { AddressInputRef } from '../addresses/addresses.refs.graphql.ts';
import { parseInput } from '../input.ts';
import {
  buy,
  grant,
  handOver,
  NEW_CART_TOKEN,
  orderPayload,
  RENEW_CART_TOKEN,
  renewingGuest,
  toRequest,
} from '../orders/order-door.refs.graphql.ts';
import { Refusal, refuse } from '../user-error.ts';
import { startInput } from './payment-input.ts';
import { readPayment } from './payment-rights.graphql.ts';
import { startLimits } from './payment.limits.graphql.ts';
import { PaymentRef } from './payments.refs.graphql.ts';

const PaymentStartInputRef = builder.inputType('PaymentStartInput', {
  description: 'Input of `paymentStart`.',
  fields: (t) => ({
    provider: t.string({ required: true, description: 'ID of the provider, from `paymentProviders`.' }),
    idempotencyKey: t.string({
      required: true,
      description:
        'Key chosen by the caller, at most 255 characters. If the answer is lost, repeat the call with the same key and input as ' +
        'the same user or guest: the call returns the payment that was started before. The same key with a different input fails ' +
        'with IDEMPOTENCY_KEY_REUSED.',
    }),
    email: t.string({
      description:
        'Email address for messages about the order. Required for guests, unless set by `cartEmailSet`; defaults to the email ' +
        'address of the user.',
    }),
    shippingAddress: t.field({
      type: AddressInputRef,
      description: 'Postal address that the order ships to. Defaults to the address of the cart.',
    }),
    shippingMethodId: t.id({
      description:
        'Global ID of the shipping method. Defaults to that of the cart, or to the only one that is available.',
    }),
    expectedTotal: t.field({
      type: 'Decimal',
      description:
        'Total that the customer has agreed to. If the total of the cart differs, the call fails with TOTAL_CHANGED.',
    }),
    returnUrl: t.string({
      description:
        'URL that the provider sends the shopper back to. Must be of the shop, of its storefront, or of an origin in `CORS_ORIGINS`. ' +
        'Defaults to the storefront.',
    }),
    renewCartToken: t.boolean({ defaultValue: false, description: RENEW_CART_TOKEN }),
  }),
});

const PaymentStartPayloadRef = orderPayload<{ paymentId: string; cartToken?: string | null }>(
  'PaymentStartPayload',
  'Order, if it was placed at once: with the provider `manual`, or if there is nothing to pay. Null otherwise.',
);
builder.objectField(PaymentStartPayloadRef, 'payment', (t) =>
  t.field({
    type: PaymentRef,
    nullable: true,
    description: 'Payment that was started. Null if the order was placed at once, or if the mutation failed.',
    resolve: ({ paymentId }, _args, ctx) => (paymentId === undefined ? null : readPayment(ctx, paymentId)),
  }),
);

builder.objectField(PaymentStartPayloadRef, 'cartToken', (t) =>
  t.string({ nullable: true, description: NEW_CART_TOKEN, resolve: ({ cartToken }) => cartToken ?? null }),
);

builder.mutationField('paymentStart', (t) =>
  t.field({
    type: PaymentStartPayloadRef,
    nullable: true,
    extensions: startLimits,
    description:
      "Starts to pay for the viewer's cart. The total is frozen, and the cart is pinned: it cannot be changed while " +
      'the payment is open. Its units are held until five minutes after the `deadline` of the payment, because the answer of a bank ' +
      'can arrive late. The order is placed when the payment succeeds; follow it with ' +
      '`paymentChanged`. A cart can be pinned three times before it is emptied or expires. With the provider `manual`, or if there is nothing to pay, the order is ' +
      'placed at once.',
    args: {
      input: t.arg({
        type: PaymentStartInputRef,
        required: true,
        description: 'Details of the payment and the order.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { provider, returnUrl = null } = parseInput(startInput, input);
        const checkout = toRequest(input, ctx.shop.currency);
        const isRenewed = input.renewCartToken === true;
        const placeNow = async () => {
          const bought = await buy(ctx, checkout, isRenewed);
          grant(ctx, bought.orderId, 'ACCESS_TOKEN');
          return bought;
        };
        const { payments } = ctx.services;
        if (provider === 'manual' && payments.offered.some(({ id }) => id === 'manual')) return placeNow();
        const owner = ownerOf(ctx.viewer);
        if (owner === null) return refuse('CART_EMPTY', 'The cart is empty.');
        if ('userId' in owner) checkout.accountEmail = (await ctx.loaders.user.load(owner.userId))?.email ?? '';
        const request = { provider, checkout, returnUrl, shopUrl: ctx.publicUrl };
        const guest = renewingGuest(ctx, isRenewed);
        const starting =
          guest === null
            ? payments.start(owner, request).then((value) => ({ value, guest: null }))
            : payments.startRenewing(guest, request);
        const started = await starting.catch((error: unknown) => {
          // Nothing was to pay, and the first call has placed the order: it is found under its key.
          if (error instanceof Refusal && error.errors.every(({ code }) => code === 'CART_EMPTY'))
            return { value: 'FREE', guest: null } as const;
          throw error;
        });
        const { value } = started;
        if (value !== 'FREE') {
          return guest === null ? value : { ...value, cartToken: handOver(ctx, guest, started.guest) };
        }
        // Should there be something to pay by now, no unpaid order may come of it.
        checkout.expectedTotalMinor = 0n;
        return placeNow();
      }),
  }),
);
