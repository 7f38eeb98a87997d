import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { renewLoaders } from '../../graphql/context/loaders.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser } from '../../graphql/context/viewer.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { ProductVariant } from '../catalog/catalog.service.ts';
import { because, lineOrNull, parseInput, plainText } from '../input.ts';
import { MAX_ON_HAND } from './inventory.types.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const note = lineOrNull(1000);

const adjustInput = z.object({
  delta: z
    .int()
    .min(-MAX_ON_HAND, `must be at least -${MAX_ON_HAND}`)
    .max(MAX_ON_HAND, `must be at most ${MAX_ON_HAND}`)
    .refine((delta) => delta !== 0, because('ZERO', 'must not be 0')),
  note,
  idempotencyKey: plainText(255),
});

const setInput = z.object({
  onHand: z.int().min(0, 'must not be negative').max(MAX_ON_HAND, `must be at most ${MAX_ON_HAND}`),
  note,
});

const StockAdjustReasonRef = builder.enumType('StockAdjustReason', {
  description: 'Reason for a manual stock adjustment.',
  values: {
    RESTOCK: { description: 'Goods were received.' },
    CORRECTION: { description: 'A stock count found a different number.' },
    DAMAGE: { description: 'Units can no longer be sold.' },
    RETURN: { description: 'A customer returned units.' },
  } as const,
});

const StockAdjustInputRef = builder.inputType('StockAdjustInput', {
  description: 'Input of `stockAdjust`. An adjustment never removes units that carts hold.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'Global ID of the variant.' }),
    delta: t.int({ required: true, description: 'Number of units to add; negative to remove units. Must not be 0.' }),
    reason: t.field({ type: StockAdjustReasonRef, required: true, description: 'Reason for the adjustment.' }),
    note: t.string({ description: 'Note for the stock ledger, one line of at most 1,000 characters.' }),
    idempotencyKey: t.string({
      required: true,
      description:
        'Key chosen by the caller, at most 255 characters. A call that repeats the key and input of an earlier ' +
        'successful call by the same user has no further effect.',
    }),
  }),
});

const StockSetInputRef = builder.inputType('StockSetInput', {
  description: 'Input of `stockSet`.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'Global ID of the variant.' }),
    onHand: t.int({
      required: true,
      description: 'New number of units on hand. Must not be less than the number of held units.',
    }),
    expectedOnHand: t.int({
      required: true,
      description:
        'Number of units on hand as last seen by the caller. If the actual number differs, the call fails with ' +
        'STOCK_CONFLICT.',
    }),
    note: t.string({ description: 'Note for the stock ledger, one line of at most 1,000 characters.' }),
  }),
});

function stockPayload(name: string) {
  const ref = payloadType<{ variant: ProductVariant }>(name);
  builder.objectField(ref, 'variant', (t) =>
    t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.variant ?? null,
    }),
  );
  return ref;
}

builder.mutationFields((t) => ({
  stockAdjust: t.field({
    type: stockPayload('StockAdjustPayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Adds units to the stock of a variant or removes units from it. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: StockAdjustInputRef, required: true, description: 'Adjustment to make.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { userId: actorId } = requireUser(ctx);
        const variantId = inputId('ProductVariant', input.variantId, ['variantId']);
        const parsed = parseInput(adjustInput, input);
        const variant = await ctx.services.stock.adjust({ actorId, variantId, reason: input.reason, ...parsed });
        renewLoaders(ctx);
        return { variant };
      }),
  }),

  stockSet: t.field({
    type: stockPayload('StockSetPayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Sets the number of units on hand of a variant, provided that it has not changed since the caller last saw ' +
      'it. Staff only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: StockSetInputRef, required: true, description: 'New and expected number of units.' }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { userId: actorId } = requireUser(ctx);
        const variantId = inputId('ProductVariant', input.variantId, ['variantId']);
        const { expectedOnHand } = input;
        const parsed = parseInput(setInput, input);
        const variant = await ctx.services.stock.set({ actorId, variantId, expectedOnHand, ...parsed });
        renewLoaders(ctx);
        return { variant };
      }),
  }),
}));
