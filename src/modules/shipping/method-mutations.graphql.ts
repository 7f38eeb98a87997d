import { builder } from '../../graphql/schema/builder.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { written } from '../../graphql/schema/written.ts';
import { parseMethodChanges, parseNewMethod } from './shipping-input.ts';
import { ShippingMethodRef, ShippingRateBasisRef } from './shipping.refs.graphql.ts';
import type { ShippingMethod } from './shipping.service.ts';

const ShippingRateInputRef = builder.inputType('ShippingRateInput', {
  description: 'Price of a shipping method for a band of weights or subtotals. Bands may overlap; the cheapest counts.',
  fields: (t) => ({
    basis: t.field({ type: ShippingRateBasisRef, required: true, description: 'Figure that the band is about.' }),
    from: t.field({
      type: 'Decimal',
      description: 'Lower end of the band, included: whole grams, or an amount. If omitted, 0.',
    }),
    to: t.field({ type: 'Decimal', description: 'Upper end of the band, not included. If omitted, there is none.' }),
    price: t.field({ type: 'Decimal', required: true, description: 'Price of shipping.' }),
  }),
});

const TITLE = 'Title for display, at most 100 characters.';
const DESCRIPTION = 'Description for customers, at most 500 characters.';
const ESTIMATE = 'Expected time of delivery in words, for example `2 to 4 working days`, at most 100 characters.';
const CATEGORY = 'Global ID of the tax category of shipping. Null: shipping is taxed in proportion to the goods.';
const FREE_FROM = 'Price of the goods after discounts from which shipping is free. Null: never.';
const POSITION = 'Place among the methods of the zone, which are offered in this order.';
const RATES = 'Prices by weight or subtotal, from 1 to 100.';

const ShippingMethodCreateInputRef = builder.inputType('ShippingMethodCreateInput', {
  description: 'Input of `shippingMethodCreate`.',
  fields: (t) => ({
    zoneId: t.id({ required: true, description: 'Global ID of the shipping zone.' }),
    title: t.string({ required: true, description: TITLE }),
    description: t.string({ description: DESCRIPTION }),
    deliveryEstimate: t.string({ description: ESTIMATE }),
    taxCategoryId: t.id({ description: CATEGORY }),
    freeFrom: t.field({ type: 'Decimal', description: FREE_FROM }),
    position: t.int({ description: POSITION }),
    rates: t.field({ type: [ShippingRateInputRef], required: true, description: RATES }),
  }),
});

const ShippingMethodUpdateInputRef = builder.inputType('ShippingMethodUpdateInput', {
  description:
    'Input of `shippingMethodUpdate`. Omitted fields keep their values; null clears a field that may be null.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the shipping method.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    title: t.string({ description: TITLE }),
    description: t.string({ description: DESCRIPTION }),
    deliveryEstimate: t.string({ description: ESTIMATE }),
    taxCategoryId: t.id({ description: CATEGORY }),
    freeFrom: t.field({ type: 'Decimal', description: FREE_FROM }),
    position: t.int({ description: POSITION }),
    rates: t.field({
      type: [ShippingRateInputRef],
      description: `${RATES} They replace all former rates of the method.`,
    }),
  }),
});

const ShippingMethodDeleteInputRef = builder.inputType('ShippingMethodDeleteInput', {
  description: 'Input of `shippingMethodDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the shipping method.' }) }),
});

function methodPayload(name: string) {
  const ref = payloadType<{ shippingMethod: ShippingMethod }>(name);
  builder.objectField(ref, 'shippingMethod', (t) =>
    t.field({
      type: ShippingMethodRef,
      nullable: true,
      description: 'Shipping method after the mutation. Null if the mutation failed.',
      resolve: ({ shippingMethod }) => shippingMethod ?? null,
    }),
  );
  return ref;
}

const ShippingMethodDeletePayloadRef = payloadType<{ deletedId: string }>('ShippingMethodDeletePayload');
builder.objectField(ShippingMethodDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted shipping method. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('ShippingMethod', deletedId)),
  }),
);

const categoryId = (globalId: string | null | undefined): string | null =>
  globalId == null ? null : inputId('TaxCategory', globalId, ['taxCategoryId']);

builder.mutationFields((t) => ({
  shippingMethodCreate: t.field({
    type: methodPayload('ShippingMethodCreatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates a shipping method in a zone. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ShippingMethodCreateInputRef, required: true, description: 'Method to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const zoneId = inputId('ShippingZone', input.zoneId, ['zoneId']);
        const method = parseNewMethod(input, ctx.shop.currency, categoryId(input.taxCategoryId));
        return { shippingMethod: await ctx.services.shipping.createMethod(actorId, zoneId, method) };
      }),
  }),

  shippingMethodUpdate: t.field({
    type: methodPayload('ShippingMethodUpdatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a shipping method. Carts that chose it follow; orders keep their price. An update without effect succeeds and ' +
      'is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: ShippingMethodUpdateInputRef, required: true, description: 'Changes to the method.' }),
    },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('ShippingMethod', input.id, ['id']);
        const changes = parseMethodChanges(input, ctx.shop.currency);
        if (input.taxCategoryId !== undefined) changes.taxCategoryId = categoryId(input.taxCategoryId);
        const expected = input.expectedUpdatedAt ?? null;
        return { shippingMethod: await ctx.services.shipping.updateMethod(actorId, id, changes, expected) };
      }),
  }),

  shippingMethodDelete: t.field({
    type: ShippingMethodDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Deletes a shipping method. Carts that chose it must choose another one. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ShippingMethodDeleteInputRef, required: true, description: 'Method to delete.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('ShippingMethod', input.id, ['id']);
        await ctx.services.shipping.deleteMethod(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
