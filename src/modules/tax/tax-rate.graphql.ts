import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { written } from '../../graphql/schema/written.ts';
import { because, kept, parseInput, plainText } from '../input.ts';
import { TaxCategoryRef, TaxRateRef } from './tax.refs.graphql.ts';
import { percentOf, ppmOf, type TaxRate } from './tax.service.ts';

builder.node(TaxRateRef, {
  description:
    'Tax rate of a tax category in a shipping zone. It applies from `validFrom` until the next rate of the same zone and ' +
    'category. Staff only.',
  authScopes: { staff: true },
  id: { resolve: ({ id }) => id, description: 'Global ID of the tax rate.' },
  fields: (t) => ({
    category: t.field({
      type: TaxCategoryRef,
      nullable: true,
      description: 'Tax category that the rate belongs to. Null if it was deleted in the meantime.',
      resolve: ({ taxCategoryId }, _args, ctx) => ctx.loaders.taxCategory.load(taxCategoryId),
    }),
    title: t.exposeString('title', {
      nullable: false,
      description: 'Title on carts and orders, for example `VAT 19 %`.',
    }),
    percent: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Rate in percent, for example `19` or `8.875`.',
      resolve: ({ ratePpm }) => percentOf(ratePpm),
    }),
    validFrom: t.expose('validFrom', {
      type: 'DateTime',
      nullable: false,
      description: 'Time from which the rate applies.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

registerNode('TaxRate', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const rates = await ctx.services.tax.ratesByIds(ids);
  return ids.map((id) => rates.find((rate) => rate.id === id) ?? null);
});

const MAX_PERCENT = 100;
const PPM_OF_ALL = 1_000_000;

/** A percentage as decimal text; parsed, it is in parts per million. */
const percent: z.ZodType<number, string> = z.string().transform((text, ctx) => {
  const ppm = ppmOf(text);
  const fault =
    ppm === null
      ? because('MALFORMED', 'must have at most 4 decimal places')
      : ppm < 0
        ? because('TOO_SMALL', 'must not be negative', { min: 0 })
        : ppm > PPM_OF_ALL
          ? because('TOO_LARGE', `must be at most ${MAX_PERCENT}`, { max: MAX_PERCENT })
          : null;
  if (fault !== null) ctx.addIssue({ code: 'custom', input: text, ...fault });
  return ppm ?? 0;
});

const title = plainText(100);
const rate = z.object({ title, percent, validFrom: z.date().nullish() });
const rateChanges = z.object({ title: kept(title), percent: kept(percent), validFrom: kept(z.date()) });

const PERCENT = 'Rate in percent, from 0 to 100, with at most 4 decimal places.';
const TITLE = 'Title on carts and orders, at most 100 characters.';

const TaxRateCreateInputRef = builder.inputType('TaxRateCreateInput', {
  description: 'Input of `taxRateCreate`.',
  fields: (t) => ({
    zoneId: t.id({ required: true, description: 'Global ID of the shipping zone.' }),
    taxCategoryId: t.id({ required: true, description: 'Global ID of the tax category.' }),
    title: t.string({ required: true, description: TITLE }),
    percent: t.field({ type: 'Decimal', required: true, description: PERCENT }),
    validFrom: t.field({ type: 'DateTime', description: 'Time from which the rate applies. If omitted, now.' }),
  }),
});

const TaxRateUpdateInputRef = builder.inputType('TaxRateUpdateInput', {
  description: 'Input of `taxRateUpdate`. Omitted fields keep their values; no field can be cleared.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the tax rate.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    title: t.string({ description: TITLE }),
    percent: t.field({ type: 'Decimal', description: PERCENT }),
    validFrom: t.field({ type: 'DateTime', description: 'Time from which the rate applies.' }),
  }),
});

const TaxRateDeleteInputRef = builder.inputType('TaxRateDeleteInput', {
  description: 'Input of `taxRateDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the tax rate.' }) }),
});

function ratePayload(name: string) {
  const ref = payloadType<{ taxRate: TaxRate }>(name);
  builder.objectField(ref, 'taxRate', (t) =>
    t.field({
      type: TaxRateRef,
      nullable: true,
      description: 'Tax rate after the mutation. Null if the mutation failed.',
      resolve: ({ taxRate }) => taxRate ?? null,
    }),
  );
  return ref;
}

const TaxRateDeletePayloadRef = payloadType<{ deletedId: string }>('TaxRateDeletePayload');
builder.objectField(TaxRateDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted tax rate. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('TaxRate', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  taxRateCreate: t.field({
    type: ratePayload('TaxRateCreatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates a tax rate. A rate for the future leaves the present one in force until then. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: TaxRateCreateInputRef, required: true, description: 'Rate to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const zoneId = inputId('ShippingZone', input.zoneId, ['zoneId']);
        const taxCategoryId = inputId('TaxCategory', input.taxCategoryId, ['taxCategoryId']);
        const { title: named, percent: ratePpm, validFrom = null } = parseInput(rate, input);
        const fields = { zoneId, taxCategoryId, title: named, ratePpm, validFrom };
        return { taxRate: await ctx.services.tax.createRate(actorId, fields) };
      }),
  }),

  taxRateUpdate: t.field({
    type: ratePayload('TaxRateUpdatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a tax rate. Orders keep the rate at which they were placed. An update without effect succeeds and is not ' +
      'recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: TaxRateUpdateInputRef, required: true, description: 'Changes to the rate.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('TaxRate', input.id, ['id']);
        const { percent: ratePpm, ...rest } = parseInput(rateChanges, input);
        const changes = ratePpm === undefined ? rest : { ...rest, ratePpm };
        const expected = input.expectedUpdatedAt ?? null;
        return { taxRate: await ctx.services.tax.updateRate(actorId, id, changes, expected) };
      }),
  }),

  taxRateDelete: t.field({
    type: TaxRateDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Deletes a tax rate. The rate before it, if there is one, applies again. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: TaxRateDeleteInputRef, required: true, description: 'Rate to delete.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('TaxRate', input.id, ['id']);
        await ctx.services.tax.deleteRate(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
