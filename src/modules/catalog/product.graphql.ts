import type { Context } from '../../graphql/context/context.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { CategoryRef, ProductRef, ProductStatusRef, ProductVariantRef } from './catalog.refs.graphql.ts';
import { isVariantForSale, type Product, type ProductVariant } from './catalog.service.ts';
import { maySeeProduct } from './visibility.graphql.ts';
import { KEPT } from '../../graphql/schema/kept.ts';
import { SHARED } from '../../graphql/schema/shared.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';

const ImageRef = builder.objectRef<{ url: string; altText: string | null }>('Image').implement({
  extensions: { ...SHARED, ...KEPT },
  description: 'An image of a product.',
  fields: (t) => ({
    url: t.string({
      nullable: false,
      description: 'Absolute URL of the image.',
      // The shop's own pictures are stored as paths: the shop may move.
      resolve: (image, _args, ctx) => (image.url.startsWith('/') ? ctx.publicUrl + image.url : image.url),
    }),
    altText: t.exposeString('altText', {
      nullable: true,
      description: 'Text that describes the image, for screen readers. Null if there is none.',
    }),
  }),
});

const ProductOptionRef = builder.objectRef<{ name: string; values: string[] }>('ProductOption').implement({
  extensions: { ...SHARED, ...KEPT },
  description: 'An option in which the variants of a product differ, such as size or color.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Name of the option, for example `Size`.' }),
    values: t.exposeStringList('values', { nullable: false, description: 'Values of the option, in display order.' }),
  }),
});

const PriceRangeRef = builder.objectRef<{ min: number; max: number }>('PriceRange').implement({
  extensions: { ...SHARED, ...KEPT },
  description: 'Lowest and highest price of the variants of a product.',
  fields: (t) => ({
    min: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Lowest price of a variant.',
      resolve: ({ min }, _args, ctx) => ({ minor: BigInt(min), currency: ctx.shop.currency }),
    }),
    max: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Highest price of a variant.',
      resolve: ({ max }, _args, ctx) => ({ minor: BigInt(max), currency: ctx.shop.currency }),
    }),
  }),
});

/** The variants that were read with the product, else what the loader finds. */
function variantsOf({ id, variants }: Product, { loaders }: Context): ProductVariant[] | Promise<ProductVariant[]> {
  return variants ?? loaders.variantsOfProduct.load(id);
}

/** What is made of these variants: at once where they are there. */
function ofVariants<T>(
  product: Product,
  ctx: Context,
  make: (variants: readonly ProductVariant[]) => T,
): T | Promise<T> {
  const variants = variantsOf(product, ctx);
  return variants instanceof Promise ? variants.then(make) : make(variants);
}

function priceRangeOf(variants: readonly ProductVariant[]): { min: number; max: number } {
  const prices = variants.map((variant) => variant.priceMinor);
  return prices.length === 0 ? { min: 0, max: 0 } : { min: Math.min(...prices), max: Math.max(...prices) };
}

/** The options of a product as its variants choose among them, names and values in order of appearance. */
function optionsOf(variants: readonly ProductVariant[]): { name: string; values: string[] }[] {
  const options = new Map<string, Set<string>>();
  for (const { name, value } of variants.flatMap((variant) => variant.selectedOptions)) {
    options.set(name, (options.get(name) ?? new Set()).add(value));
  }
  return [...options].map(([name, values]) => ({ name, values: [...values] }));
}

builder.node(ProductRef, {
  extensions: { ...SHARED, ...KEPT },
  description:
    'A product of the catalog, sold in one or more variants. Products that are not ACTIVE are visible to staff ' +
    'only, except in carts and orders.',
  interfaces: [SnapshotRef],
  id: { resolve: (product) => product.id, description: 'Global ID of the product.' },
  fields: (t) => ({
    slug: t.exposeString('slug', { nullable: false, description: 'Name used in URLs; unique.' }),
    title: t.exposeString('title', { nullable: false, description: 'Display name.' }),
    description: t.exposeString('description', {
      nullable: false,
      description:
        'Description. Imported descriptions are plain text or simple HTML without scripts or embedded content. ' +
        'Text entered by staff is returned unchanged, so sanitize it before rendering it as HTML.',
    }),
    vendor: t.exposeString('vendor', { nullable: true, description: 'Manufacturer or brand. Null if unknown.' }),
    tags: t.exposeStringList('tags', { nullable: false, description: 'Tags for searching and filtering.' }),
    status: t.expose('status', {
      type: ProductStatusRef,
      nullable: false,
      description: 'Status of the product.',
    }),
    category: t.field({
      type: CategoryRef,
      nullable: true,
      description: 'Category that the product belongs to. Null if it belongs to none.',
      resolve: ({ categoryId }, _args, ctx) => (categoryId === null ? null : ctx.loaders.category.load(categoryId)),
    }),
    images: t.field({
      type: [ImageRef],
      nullable: false,
      description: 'Images, main image first.',
      resolve: (product) => product.images,
    }),
    options: t.field({
      type: [ProductOptionRef],
      nullable: false,
      description: 'Options in which the variants differ. Empty if the only variant has no options.',
      resolve: (product, _args, ctx) => ofVariants(product, ctx, optionsOf),
    }),
    variants: t.field({
      type: [ProductVariantRef],
      nullable: false,
      description: 'Variants that are not archived, in display order; at most 100.',
      resolve: (product, _args, ctx) => variantsOf(product, ctx),
    }),
    priceRange: t.field({
      type: PriceRangeRef,
      nullable: false,
      description: 'Lowest and highest price of the variants.',
      resolve: (product, _args, ctx) => ofVariants(product, ctx, priceRangeOf),
    }),
    availableForSale: t.boolean({
      nullable: false,
      description: 'Whether at least one variant can be added to a cart now.',
      resolve: (product, _args, ctx) =>
        ofVariants(product, ctx, (variants) => variants.some((variant) => isVariantForSale(variant))),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the product was created.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change to the product, other than changes in stock.',
    }),
  }),
});

registerNode('Product', async (ids, ctx) =>
  (await ctx.loaders.product.loadMany(ids)).map((product) =>
    product === null || product instanceof Error || !maySeeProduct(ctx, product) ? null : product,
  ),
);
