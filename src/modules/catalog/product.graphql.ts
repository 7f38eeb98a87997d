import { builder } from '../../graphql/builder.ts';
import { MoneyRef } from '../../graphql/money.ts';
import { registerNode } from '../../graphql/node.ts';
import { CategoryRef, ProductRef, ProductStatusRef, ProductVariantRef } from './catalog.refs.graphql.ts';
import { isVariantForSale, type ProductVariant } from './catalog.service.ts';
import { maySeeProduct } from './visibility.graphql.ts';
import { SHARED } from '../../graphql/sharing.ts';
import { SnapshotRef } from '../../graphql/snapshot.ts';

const ImageRef = builder.objectRef<{ url: string; altText: string | null }>('Image').implement({
  extensions: SHARED,
  description: 'A picture.',
  fields: (t) => ({
    url: t.string({
      nullable: false,
      description: 'Where it is to be had.',
      // The shop's own pictures are stored as paths: the shop may move.
      resolve: (image, _args, ctx) => (image.url.startsWith('/') ? ctx.publicUrl + image.url : image.url),
    }),
    altText: t.exposeString('altText', { nullable: true, description: 'What it shows, for who cannot see it.' }),
  }),
});

const ProductOptionRef = builder.objectRef<{ name: string; values: string[] }>('ProductOption').implement({
  extensions: SHARED,
  description: 'Something to choose about a product.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'The option, e.g. `Size`.' }),
    values: t.exposeStringList('values', { nullable: false, description: 'The choices, in their order.' }),
  }),
});

const PriceRangeRef = builder.objectRef<{ min: number; max: number }>('PriceRange').implement({
  extensions: SHARED,
  description: 'What the variants of a product cost.',
  fields: (t) => ({
    min: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'The cheapest.',
      resolve: ({ min }, _args, ctx) => ({ minor: BigInt(min), currency: ctx.shop.currency }),
    }),
    max: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'The dearest.',
      resolve: ({ max }, _args, ctx) => ({ minor: BigInt(max), currency: ctx.shop.currency }),
    }),
  }),
});

/** The options of a product as its variants choose among them, names and values in order of appearance. */
function optionsOf(variants: readonly ProductVariant[]): { name: string; values: string[] }[] {
  const options = new Map<string, Set<string>>();
  for (const { name, value } of variants.flatMap((variant) => variant.selectedOptions)) {
    options.set(name, (options.get(name) ?? new Set()).add(value));
  }
  return [...options].map(([name, values]) => ({ name, values: [...values] }));
}

builder.node(ProductRef, {
  extensions: SHARED,
  description: 'What is sold, in one or several variants.',
  interfaces: [SnapshotRef],
  id: { resolve: (product) => product.id, description: 'Names the product.' },
  fields: (t) => ({
    slug: t.exposeString('slug', { nullable: false, description: 'Its name in addresses; unique.' }),
    title: t.exposeString('title', { nullable: false, description: 'Its name for people.' }),
    description: t.exposeString('description', {
      nullable: false,
      description:
        'What there is to say of it. Imports give simple HTML, without anything that runs or loads; what staff write is ' +
        'given as they wrote it, so clean it before you show it as HTML.',
    }),
    vendor: t.exposeString('vendor', { nullable: true, description: 'Who makes it.' }),
    tags: t.exposeStringList('tags', { nullable: false, description: 'Words to find it by.' }),
    status: t.expose('status', {
      type: ProductStatusRef,
      nullable: false,
      description: 'Where it is in its life.',
    }),
    category: t.field({
      type: CategoryRef,
      nullable: true,
      description: 'Where it is filed.',
      resolve: ({ categoryId }, _args, ctx) => (categoryId === null ? null : ctx.loaders.category.load(categoryId)),
    }),
    images: t.field({
      type: [ImageRef],
      nullable: false,
      description: 'Its pictures, the main one first.',
      resolve: (product) => product.images,
    }),
    options: t.field({
      type: [ProductOptionRef],
      nullable: false,
      description: 'What there is to choose.',
      resolve: async (product, _args, ctx) => optionsOf(await ctx.loaders.variantsOfProduct.load(product.id)),
    }),
    variants: t.field({
      type: [ProductVariantRef],
      nullable: false,
      description: 'At least one, at most 100.',
      resolve: (product, _args, ctx) => ctx.loaders.variantsOfProduct.load(product.id),
    }),
    priceRange: t.field({
      type: PriceRangeRef,
      nullable: false,
      description: 'What its variants cost.',
      resolve: async (product, _args, ctx) => {
        const prices = (await ctx.loaders.variantsOfProduct.load(product.id)).map((variant) => variant.priceMinor);
        return prices.length === 0 ? { min: 0, max: 0 } : { min: Math.min(...prices), max: Math.max(...prices) };
      },
    }),
    availableForSale: t.boolean({
      nullable: false,
      description: 'Whether any variant can be put in a cart now.',
      resolve: async (product, _args, ctx) => {
        const variants = await ctx.loaders.variantsOfProduct.load(product.id);
        return variants.some((variant) => isVariantForSale(variant));
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'When something but its stock last changed.',
    }),
  }),
});

registerNode('Product', async (ids, ctx) =>
  (await ctx.loaders.product.loadMany(ids)).map((product) =>
    product === null || product instanceof Error || !maySeeProduct(ctx, product) ? null : product,
  ),
);
