import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { parseNewVariant, parseVariantChanges } from './catalog-input.ts';
import { ProductVariantRef } from './catalog.refs.graphql.ts';
import type { ProductVariant } from './catalog.service.ts';
import { written } from '../../graphql/schema/written.ts';
import type { InputPath } from '../user-error.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

function variantPayload(name: string, description: string) {
  const ref = payloadType<{ variant: ProductVariant }>(name, description);
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

const SelectedOptionInputRef = builder.inputType('SelectedOptionInput', {
  description: 'Value of one option of a variant, for example `Size`: `250 g`.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name of the option, for example `Size`; at most 100 characters.' }),
    value: t.string({
      required: true,
      description: 'Value of the option, for example `250 g`; at most 100 characters.',
    }),
  }),
});

const WEIGHT = 'Weight of one unit in grams, at most 1,000,000,000. Null if it is unknown, which counts as 0.';
const TAX_CATEGORY = 'Global ID of the tax category. Null: the default category of the shop.';

/** A variant that is to be made. */
export const ProductVariantInputRef = builder.inputType('ProductVariantInput', {
  description: 'A variant to create.',
  fields: (t) => ({
    sku: t.string({
      required: true,
      description: 'Stock keeping unit, at most 100 characters. Unique among all variants, including archived ones.',
    }),
    price: t.field({
      type: 'Decimal',
      required: true,
      description: 'Price of one unit in the currency of the shop, at least 0.',
    }),
    compareAtPrice: t.field({
      type: 'Decimal',
      description: 'Former price of one unit, shown as crossed out; greater than 0.',
    }),
    selectedOptions: t.field({
      type: [SelectedOptionInputRef],
      description:
        'Values of the options, at most 5. All variants of a product have the same options in the same order.',
    }),
    onHand: t.int({
      defaultValue: 0,
      description: 'Initial number of units on hand, at most 1,000,000,000. Defaults to 0.',
    }),
    lowStockThreshold: t.int({
      description:
        'Number of available units at or below which the variant counts as low in stock. Defaults to the shop-wide ' +
        'threshold.',
    }),
    weightGrams: t.int({ description: WEIGHT }),
    requiresShipping: t.boolean({
      defaultValue: true,
      description: 'Whether the variant is shipped. False for downloads and services.',
    }),
    taxCategoryId: t.id({ description: TAX_CATEGORY }),
  }),
});

/** The variant of an input, with the ID of its tax category decoded. @param path of the variant in the input */
export function withTaxCategory<Input extends { taxCategoryId?: string | null | undefined }>(
  variant: Input,
  path: InputPath,
): Input {
  const { taxCategoryId } = variant;
  if (taxCategoryId == null) return variant;
  return { ...variant, taxCategoryId: inputId('TaxCategory', taxCategoryId, [...path, 'taxCategoryId']) };
}

const ProductVariantCreateInputRef = builder.inputType('ProductVariantCreateInput', {
  description: 'Input of `productVariantCreate`.',
  fields: (t) => ({
    productId: t.id({ required: true, description: 'Global ID of the product.' }),
    variant: t.field({ type: ProductVariantInputRef, required: true, description: 'Variant to create.' }),
  }),
});

const ProductVariantUpdateInputRef = builder.inputType('ProductVariantUpdateInput', {
  description:
    'Input of `productVariantUpdate`. Archived variants can be updated, too. Omitted fields keep their values; ' +
    'null clears a field unless stated otherwise.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the variant.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    sku: t.string({ description: 'Stock keeping unit, at most 100 characters; unique. Cannot be cleared.' }),
    price: t.field({
      type: 'Decimal',
      description:
        'Price of one unit in the currency of the shop, at least 0. Cannot be cleared. Lines that are already in ' +
        'carts keep their price.',
    }),
    compareAtPrice: t.field({
      type: 'Decimal',
      description: 'Former price of one unit, shown as crossed out; greater than 0.',
    }),
    selectedOptions: t.field({
      type: [SelectedOptionInputRef],
      description:
        "Values of the options, at most 5. The options and their order must match those of the product's other " +
        'variants. The only variant of a product may have any options; null or an empty list clears them.',
    }),
    lowStockThreshold: t.int({
      description:
        'Number of available units at or below which the variant counts as low in stock. Null resets it to the ' +
        'shop-wide threshold.',
    }),
    weightGrams: t.int({ description: WEIGHT }),
    requiresShipping: t.boolean({
      description: 'Whether the variant is shipped. False for downloads and services. Cannot be cleared.',
    }),
    taxCategoryId: t.id({ description: TAX_CATEGORY }),
  }),
});

const ProductVariantArchiveInputRef = builder.inputType('ProductVariantArchiveInput', {
  description: 'Input of `productVariantArchive`.',
  fields: (t) => ({
    id: t.id({
      required: true,
      description: 'Global ID of the variant. The last variant of a product that is not archived cannot be archived.',
    }),
  }),
});

builder.mutationFields((t) => ({
  productVariantCreate: t.field({
    type: variantPayload('ProductVariantCreatePayload', 'Result of `productVariantCreate`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Adds a variant to a product, after the existing variants. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductVariantCreateInputRef, required: true, description: 'Variant to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const productId = inputId('Product', input.productId, ['productId']);
        const variant = parseNewVariant(withTaxCategory(input.variant, ['variant']), ctx.shop.currency);
        return { variant: await ctx.services.catalogWriting.createVariant(actorId, productId, variant) };
      }),
  }),

  productVariantUpdate: t.field({
    type: variantPayload('ProductVariantUpdatePayload', 'Result of `productVariantUpdate`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a variant. An update without effect succeeds and is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: ProductVariantUpdateInputRef, required: true, description: 'Changes to the variant.' }),
    },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('ProductVariant', input.id, ['id']);
        const changes = parseVariantChanges(withTaxCategory(input, []), ctx.shop.currency);
        const expected = input.expectedUpdatedAt ?? null;
        return { variant: await ctx.services.catalogWriting.updateVariant(actorId, id, changes, expected) };
      }),
  }),

  productVariantArchive: t.field({
    type: variantPayload('ProductVariantArchivePayload', 'Result of `productVariantArchive`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Takes a variant off sale permanently. Carts and orders that contain the variant keep it. Repeating the ' +
      'call has no further effect. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductVariantArchiveInputRef, required: true, description: 'Variant to archive.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('ProductVariant', input.id, ['id']);
        return { variant: await ctx.services.catalogWriting.archiveVariant(actorId, id) };
      }),
  }),
}));
