import { builder } from '../../graphql/schema/builder.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { TaxCategoryRef } from '../tax/tax.refs.graphql.ts';
import { ProductRef, ProductVariantRef } from './catalog.refs.graphql.ts';
import { isVariantForSale, variantTitle } from './catalog.service.ts';
import { maySeeVariant } from './visibility.graphql.ts';
import { KEPT } from '../../graphql/schema/kept.ts';
import { SHARED } from '../../graphql/schema/shared.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';

const SelectedOptionRef = builder.objectRef<{ name: string; value: string }>('SelectedOption').implement({
  extensions: { ...SHARED, ...KEPT },
  description: 'Value of one option of a variant, for example `Size`: `250 g`.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Name of the option, for example `Size`.' }),
    value: t.exposeString('value', { nullable: false, description: 'Value of the option, for example `250 g`.' }),
  }),
});

builder.node(ProductVariantRef, {
  extensions: { ...SHARED, ...KEPT },
  description: 'A purchasable version of a product, for example one size. Price and stock belong to variants.',
  interfaces: [SnapshotRef],
  id: { resolve: (variant) => variant.id, description: 'Global ID of the variant.' },
  fields: (t) => ({
    sku: t.exposeString('sku', { nullable: false, description: 'Stock keeping unit; unique.' }),
    title: t.string({
      nullable: false,
      description: 'Values of the options as text, for example `250 g`.',
      resolve: variantTitle,
    }),
    product: t.field({
      type: ProductRef,
      nullable: false,
      description: 'Product that the variant belongs to.',
      resolve: (variant, _args, ctx) => loadKnown(ctx.loaders.product, variant.productId),
    }),
    selectedOptions: t.field({
      type: [SelectedOptionRef],
      nullable: false,
      description: "Values of the options, in the order of the product's options.",
      resolve: (variant) => variant.selectedOptions,
    }),
    price: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Current price of one unit.',
      resolve: (variant, _args, ctx) => ({ minor: BigInt(variant.priceMinor), currency: ctx.shop.currency }),
    }),
    compareAtPrice: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Former price of one unit, shown as crossed out. Null if there is none.',
      resolve: ({ compareAtMinor }, _args, ctx) =>
        compareAtMinor === null ? null : { minor: BigInt(compareAtMinor), currency: ctx.shop.currency },
    }),
    available: t.exposeInt('available', {
      nullable: false,
      description: 'Number of units that can be added to a cart now: units on hand minus units held.',
    }),
    availableForSale: t.boolean({
      nullable: false,
      description: 'Whether at least one unit can be added to a cart now.',
      resolve: isVariantForSale,
    }),
    lowStockThreshold: t.exposeInt('lowStockThreshold', {
      nullable: false,
      description:
        'Number of available units at or below which the variant counts as low in stock: carts that contain the ' +
        'variant receive a notice.',
    }),
    weightGrams: t.exposeInt('weightGrams', {
      nullable: true,
      description: 'Weight of one unit in grams, for shipping. Null if it is unknown, which counts as 0.',
    }),
    requiresShipping: t.exposeBoolean('requiresShipping', {
      nullable: false,
      description: 'Whether the variant is shipped. False for downloads and services.',
    }),
    taxCategory: t.field({
      type: TaxCategoryRef,
      nullable: true,
      description: 'Tax category of the variant. Null if the default category of the shop applies.',
      resolve: ({ taxCategoryId }, _args, ctx) =>
        taxCategoryId === null ? null : ctx.loaders.taxCategory.load(taxCategoryId),
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change to the variant, other than changes in stock.',
    }),
  }),
});

registerNode('ProductVariant', async (ids, ctx) =>
  (await ctx.loaders.variant.loadMany(ids)).map((variant) =>
    variant === null || variant instanceof Error || !maySeeVariant(ctx, variant) ? null : variant,
  ),
);
