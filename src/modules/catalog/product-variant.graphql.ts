import { builder } from '../../graphql/builder.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { MoneyRef } from '../../graphql/money.ts';
import { registerNode } from '../../graphql/node.ts';
import { ProductRef, ProductVariantRef } from './catalog.refs.graphql.ts';
import { isVariantForSale, variantTitle } from './catalog.service.ts';
import { maySeeVariant } from './visibility.graphql.ts';
import { SHARED } from '../../graphql/sharing.ts';
import { SnapshotRef } from '../../graphql/snapshot.ts';

const SelectedOptionRef = builder.objectRef<{ name: string; value: string }>('SelectedOption').implement({
  extensions: SHARED,
  description: "A variant's choice of one of its product's options.",
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'The option, e.g. `Size`.' }),
    value: t.exposeString('value', { nullable: false, description: 'The choice, e.g. `250 g`.' }),
  }),
});

builder.node(ProductVariantRef, {
  extensions: SHARED,
  description: 'One thing that can be bought: a product in one choice of its options. Stock and price live here.',
  interfaces: [SnapshotRef],
  id: { resolve: (variant) => variant.id, description: 'Names the variant.' },
  fields: (t) => ({
    sku: t.exposeString('sku', { nullable: false, description: "The shop's own number for it; unique." }),
    title: t.string({ nullable: false, description: 'The choice in words, e.g. `250 g`.', resolve: variantTitle }),
    product: t.field({
      type: ProductRef,
      nullable: false,
      description: 'What it is a variant of.',
      resolve: (variant, _args, ctx) => loadKnown(ctx.loaders.product, variant.productId),
    }),
    selectedOptions: t.field({
      type: [SelectedOptionRef],
      nullable: false,
      description: "The choice, in the order of the product's options.",
      resolve: (variant) => variant.selectedOptions,
    }),
    price: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What a unit costs today.',
      resolve: (variant, _args, ctx) => ({ minor: BigInt(variant.priceMinor), currency: ctx.shop.currency }),
    }),
    compareAtPrice: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'What it cost before, where that is shown.',
      resolve: ({ compareAtMinor }, _args, ctx) =>
        compareAtMinor === null ? null : { minor: BigInt(compareAtMinor), currency: ctx.shop.currency },
    }),
    available: t.exposeInt('available', {
      nullable: false,
      description: 'Units that can be put in a cart now: on hand less held.',
    }),
    availableForSale: t.boolean({
      nullable: false,
      description: 'Whether a unit can be put in a cart now.',
      resolve: isVariantForSale,
    }),
    lowStockThreshold: t.exposeInt('lowStockThreshold', {
      nullable: false,
      description: 'At or below this many available units, those who have it in their cart are told.',
    }),
  }),
});

registerNode('ProductVariant', async (ids, ctx) =>
  (await ctx.loaders.variant.loadMany(ids)).map((variant) =>
    variant === null || variant instanceof Error || !maySeeVariant(ctx, variant) ? null : variant,
  ),
);
