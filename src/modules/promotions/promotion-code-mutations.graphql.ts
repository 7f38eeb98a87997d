import { written } from '../../graphql/schema/written.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { RANDOM_LENGTH } from './code-generator.ts';
import type { WrittenCodes } from './code-writing.ts';
import { MAX, parseCodes, parseGeneration } from './promotion-input.ts';
import { PromotionRef } from './promotions.refs.graphql.ts';

function codesPayload(name: string, codes: string) {
  const ref = payloadType<WrittenCodes>(name);
  builder.objectFields(ref, (t) => ({
    promotion: t.field({
      type: PromotionRef,
      nullable: true,
      description: 'Promotion after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.promotion ?? null,
    }),
    codes: t.stringList({
      nullable: { list: true, items: false },
      description: `${codes} Null if the mutation failed.`,
      resolve: (payload) => payload.codes ?? null,
    }),
  }));
  return ref;
}

const PromotionCodesAddInputRef = builder.inputType('PromotionCodesAddInput', {
  description: 'Input of `promotionCodesAdd`.',
  fields: (t) => ({
    promotionId: t.id({ required: true, description: 'Global ID of a promotion with the trigger CODE.' }),
    codes: t.stringList({
      required: true,
      description: `Codes to add, each of at most 64 characters. At most ${MAX.codes.toLocaleString('en')} codes.`,
    }),
  }),
});

const PromotionCodesGenerateInputRef = builder.inputType('PromotionCodesGenerateInput', {
  description: 'Input of `promotionCodesGenerate`.',
  fields: (t) => ({
    promotionId: t.id({ required: true, description: 'Global ID of a promotion with the trigger CODE.' }),
    count: t.int({
      required: true,
      description: `Number of codes, at most ${MAX.generated.toLocaleString('en')}.`,
    }),
    prefix: t.string({
      description: `Text with which each code begins, for example \`SUMMER-\`. At most ${MAX.prefix} characters.`,
    }),
    length: t.int({
      description: `Number of random characters in each code, from ${RANDOM_LENGTH.min} to ${RANDOM_LENGTH.max}. Defaults to ${RANDOM_LENGTH.usual}. Hyphens separate groups of 4 characters.`,
    }),
  }),
});

const PromotionCodesRemoveInputRef = builder.inputType('PromotionCodesRemoveInput', {
  description: 'Input of `promotionCodesRemove`.',
  fields: (t) => ({
    promotionId: t.id({ required: true, description: 'Global ID of the promotion.' }),
    codes: t.stringList({
      required: true,
      description: `Codes to remove. At most ${MAX.codes.toLocaleString('en')} codes.`,
    }),
  }),
});

builder.mutationFields((t) => ({
  promotionCodesAdd: t.field({
    type: codesPayload(
      'PromotionCodesAddPayload',
      'Codes that were added; codes that the promotion had before are not among them.',
    ),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Adds discount codes to a promotion. A code belongs to one promotion at most. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PromotionCodesAddInputRef, required: true, description: 'Codes to add.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const promotionId = inputId('Promotion', input.promotionId, ['promotionId']);
        return ctx.services.promotions.addCodes(actorId, promotionId, parseCodes(input));
      }),
  }),

  promotionCodesGenerate: t.field({
    type: codesPayload('PromotionCodesGeneratePayload', 'Codes that were generated.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Generates discount codes that cannot be guessed, from letters and digits that are not mistaken for each other, and adds ' +
      'them to a promotion. Staff only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: PromotionCodesGenerateInputRef, required: true, description: 'Codes to generate.' }),
    },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const promotionId = inputId('Promotion', input.promotionId, ['promotionId']);
        return ctx.services.promotions.generateCodes(actorId, promotionId, parseGeneration(input));
      }),
  }),

  promotionCodesRemove: t.field({
    type: codesPayload('PromotionCodesRemovePayload', 'Codes that were removed.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Removes discount codes from a promotion, all of them or none. Carts with such a code lose the discount; orders keep ' +
      'it. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PromotionCodesRemoveInputRef, required: true, description: 'Codes to remove.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const promotionId = inputId('Promotion', input.promotionId, ['promotionId']);
        return ctx.services.promotions.removeCodes(actorId, promotionId, parseCodes(input));
      }),
  }),
}));
