import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import { inputId } from '../../graphql/global-id.ts';
import { renewLoaders } from '../../graphql/loaders.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { requireUser } from '../../graphql/viewer.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { ProductVariant } from '../catalog/catalog.service.ts';
import { because, parseInput, plainText } from '../input.ts';
import { MAX_ON_HAND } from './inventory.types.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

// What a form has left blank is no note.
const note = z.preprocess(
  (value) => (typeof value === 'string' && value.trim() === '' ? null : (value ?? null)),
  plainText(1000).nullable(),
);

const adjustInput = z.object({
  delta: z
    .int()
    .min(-MAX_ON_HAND, `must be -${MAX_ON_HAND} at least`)
    .max(MAX_ON_HAND, `must be ${MAX_ON_HAND} at most`)
    .refine((delta) => delta !== 0, because('ZERO', 'must not be 0')),
  note,
  idempotencyKey: plainText(255),
});

const setInput = z.object({
  onHand: z.int().min(0, 'must not be negative').max(MAX_ON_HAND, `must be ${MAX_ON_HAND} at most`),
  note,
});

const StockAdjustReasonRef = builder.enumType('StockAdjustReason', {
  description: 'Why units are added or taken away by hand.',
  values: {
    RESTOCK: { description: 'Goods came in.' },
    CORRECTION: { description: 'A count said otherwise.' },
    DAMAGE: { description: 'Units can be sold no more.' },
    RETURN: { description: 'A customer sent units back.' },
  } as const,
});

const StockAdjustInputRef = builder.inputType('StockAdjustInput', {
  description: 'Adds or takes away units on hand. Never takes units that carts hold.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'Whose stock.' }),
    delta: t.int({ required: true, description: 'So many units more; fewer where it is negative. Not 0.' }),
    reason: t.field({ type: StockAdjustReasonRef, required: true, description: 'Why.' }),
    note: t.string({ description: 'What there is to say about it; one line of 1,000 characters at most.' }),
    idempotencyKey: t.string({
      required: true,
      description: 'The same key with the same input, from the same user, does the work once.',
    }),
  }),
});

const StockSetInputRef = builder.inputType('StockSetInput', {
  description: 'Sets units on hand, provided they still are what the caller last saw.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'Whose stock.' }),
    onHand: t.int({ required: true, description: 'Units that there are; not fewer than carts hold.' }),
    expectedOnHand: t.int({ required: true, description: 'Units on hand as the caller last saw them.' }),
    note: t.string({ description: 'What there is to say about it; one line of 1,000 characters at most.' }),
  }),
});

function stockPayload(name: string) {
  const ref = payloadType<{ variant: ProductVariant }>(name, 'What became of it.');
  builder.objectField(ref, 'variant', (t) =>
    t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'The variant as it is now; null where nothing was done.',
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
    description: 'Adds or takes away units on hand. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: StockAdjustInputRef, required: true, description: 'How many, and why.' }) },
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
    description: 'Sets units on hand. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: StockSetInputRef, required: true, description: 'How many there are, and were.' }) },
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
