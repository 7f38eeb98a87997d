import { builder } from '../../graphql/builder.ts';
import { inputId } from '../../graphql/global-id.ts';
import { payloadType } from '../../graphql/payload.ts';
import { parseNewVariant, parseVariantChanges } from './catalog-input.ts';
import { ProductVariantRef } from './catalog.refs.graphql.ts';
import type { ProductVariant } from './catalog.service.ts';
import { written } from './written.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

function variantPayload(name: string, description: string) {
  const ref = payloadType<{ variant: ProductVariant }>(name, description);
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

const SelectedOptionInputRef = builder.inputType('SelectedOptionInput', {
  description: "A variant's choice of one of its product's options.",
  fields: (t) => ({
    name: t.string({ required: true, description: 'The option, e.g. `Size`; at most 100 characters.' }),
    value: t.string({ required: true, description: 'The choice, e.g. `250 g`; at most 100 characters.' }),
  }),
});

/** A variant that is to be made. */
export const ProductVariantInputRef = builder.inputType('ProductVariantInput', {
  description: 'A variant that is to be made.',
  fields: (t) => ({
    sku: t.string({
      required: true,
      description: "The shop's own number for it: unique, also among archived ones; at most 100 characters.",
    }),
    price: t.field({
      type: 'Decimal',
      required: true,
      description: "What a unit costs, in the shop's currency; 0 at least.",
    }),
    compareAtPrice: t.field({ type: 'Decimal', description: 'What it cost before, where that is shown; more than 0.' }),
    selectedOptions: t.field({
      type: [SelectedOptionInputRef],
      description: 'The choice that it is: the same options, in the same order, as the other variants; at most 5.',
    }),
    onHand: t.int({ defaultValue: 0, description: 'Units on hand to begin with; at most 1,000,000,000.' }),
    lowStockThreshold: t.int({ description: "The shop's default where left out." }),
  }),
});

const ProductVariantCreateInputRef = builder.inputType('ProductVariantCreateInput', {
  description: 'One more variant of a product.',
  fields: (t) => ({
    productId: t.id({ required: true, description: 'The product.' }),
    variant: t.field({ type: ProductVariantInputRef, required: true, description: 'What it is to be.' }),
  }),
});

const ProductVariantUpdateInputRef = builder.inputType('ProductVariantUpdateInput', {
  description: 'What is to change about a variant, archived or not: null clears, what is left out stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The variant.' }),
    sku: t.string({ description: "The shop's own number for it; cannot be cleared." }),
    price: t.field({
      type: 'Decimal',
      description: 'What a unit costs from now on; cannot be cleared. Carts keep the price at which they took it.',
    }),
    compareAtPrice: t.field({ type: 'Decimal', description: 'What it cost before, where that is shown.' }),
    selectedOptions: t.field({
      type: [SelectedOptionInputRef],
      description: `The choice that it is from now on; at most 5. The options, and their order, are those of the product's other variants.
A product's only variant may get any, so that others can join it; null or an empty list clears them.`,
    }),
    lowStockThreshold: t.int({
      description: "When carts are told that it runs low; the shop's default where cleared.",
    }),
  }),
});

const ProductVariantArchiveInputRef = builder.inputType('ProductVariantArchiveInput', {
  description: 'A product keeps at least one variant that is not archived.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The variant.' }) }),
});

builder.mutationFields((t) => ({
  productVariantCreate: t.field({
    type: variantPayload('ProductVariantCreatePayload', 'What was made.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Puts one more variant behind those that a product has. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductVariantCreateInputRef, required: true, description: 'What it is to be.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const productId = inputId('Product', input.productId, ['productId']);
        const variant = parseNewVariant(input.variant, ctx.shop.currency);
        return { variant: await ctx.services.catalogWriting.createVariant(actorId, productId, variant) };
      }),
  }),

  productVariantUpdate: t.field({
    type: variantPayload('ProductVariantUpdatePayload', 'What became of it.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Changes a variant. What changes nothing succeeds and leaves no trace. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductVariantUpdateInputRef, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('ProductVariant', input.id, ['id']);
        const changes = parseVariantChanges(input, ctx.shop.currency);
        return { variant: await ctx.services.catalogWriting.updateVariant(actorId, id, changes) };
      }),
  }),

  productVariantArchive: t.field({
    type: variantPayload('ProductVariantArchivePayload', 'What became of it.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Takes a variant off sale for good, while carts and orders that hold it keep it. Done again, it succeeds and changes
nothing. (staff)`,
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductVariantArchiveInputRef, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('ProductVariant', input.id, ['id']);
        return { variant: await ctx.services.catalogWriting.archiveVariant(actorId, id) };
      }),
  }),
}));
