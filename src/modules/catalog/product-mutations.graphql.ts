import { builder } from '../../graphql/builder.ts';
import { inputId } from '../../graphql/global-id.ts';
import { payloadType } from '../../graphql/payload.ts';
import { parseNewProduct, parseProductChanges } from './catalog-input.ts';
import { ProductRef, ProductStatusRef } from './catalog.refs.graphql.ts';
import type { Product } from './catalog.service.ts';
import { ProductVariantInputRef } from './product-variant-mutations.graphql.ts';
import { written } from './written.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

function productPayload(name: string, description: string) {
  const ref = payloadType<{ product: Product }>(name, description);
  builder.objectField(ref, 'product', (t) =>
    t.field({
      type: ProductRef,
      nullable: true,
      description: 'The product as it is now; null where nothing was done.',
      resolve: (payload) => payload.product ?? null,
    }),
  );
  return ref;
}

const ImageInputRef = builder.inputType('ImageInput', {
  description: 'A picture.',
  fields: (t) => ({
    url: t.string({
      required: true,
      description:
        'Where it is to be had: an absolute http or https URL, or a path of the shop, `/images/…`; at most 2,000 characters.',
    }),
    altText: t.string({ description: 'What it shows, for who cannot see it; at most 500 characters.' }),
  }),
});

const SLUG = 'lower-case letters and digits with single dashes, at most 200 characters';

const ProductCreateInputRef = builder.inputType('ProductCreateInput', {
  description: 'A product with its variants.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'Its name for people; at most 300 characters.' }),
    slug: t.string({
      description: `Its name in addresses: ${SLUG}; unique. Made from the title where left out, with a number where that is taken.`,
    }),
    description: t.string({
      description: 'What there is to say of it, in any number of lines; at most 50,000 characters.',
    }),
    vendor: t.string({ description: 'Who makes it; at most 200 characters.' }),
    tags: t.stringList({ description: 'Words to find it by; at most 100, of at most 100 characters.' }),
    categorySlug: t.string({ description: 'Where it is filed: the slug of a category.' }),
    images: t.field({ type: [ImageInputRef], description: 'Its pictures, the main one first; at most 50.' }),
    status: t.field({ type: ProductStatusRef, defaultValue: 'ACTIVE', description: 'Where it begins its life.' }),
    variants: t.field({
      type: [ProductVariantInputRef],
      required: true,
      description:
        'At least one, at most 100. All choose among the same options, in the same order; only one alone needs none.',
    }),
  }),
});

const ProductUpdateInputRef = builder.inputType('ProductUpdateInput', {
  description: 'What is to change about a product: null clears, what is left out stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The product.' }),
    title: t.string({ description: 'Its name for people; cannot be cleared.' }),
    slug: t.string({ description: `Its name in addresses: ${SLUG}; unique; cannot be cleared.` }),
    description: t.string({ description: 'What there is to say of it.' }),
    vendor: t.string({ description: 'Who makes it.' }),
    tags: t.stringList({ description: 'Words to find it by, all of them.' }),
    categorySlug: t.string({ description: 'Where it is filed.' }),
    images: t.field({ type: [ImageInputRef], description: 'Its pictures, all of them.' }),
    status: t.field({
      type: ProductStatusRef,
      description: 'Where it is in its life: any status may follow any; cannot be cleared.',
    }),
  }),
});

const ProductArchiveInputRef = builder.inputType('ProductArchiveInput', {
  description: 'Which product to take off sale.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The product.' }) }),
});

builder.mutationFields((t) => ({
  productCreate: t.field({
    type: productPayload('ProductCreatePayload', 'What was made.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Makes a product with its variants and the units that they begin with. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductCreateInputRef, required: true, description: 'What it is to be.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const product = parseNewProduct(input, ctx.shop.currency);
        return { product: await ctx.services.catalogWriting.createProduct(actorId, product) };
      }),
  }),

  productUpdate: t.field({
    type: productPayload('ProductUpdatePayload', 'What became of it.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Changes a product. What changes nothing succeeds and leaves no trace. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductUpdateInputRef, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Product', input.id, ['id']);
        const changes = parseProductChanges(input);
        return { product: await ctx.services.catalogWriting.updateProduct(actorId, id, changes) };
      }),
  }),

  productArchive: t.field({
    type: productPayload('ProductArchivePayload', 'What became of it.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Takes a product off sale: it is no longer found or sold anew, while carts and orders that hold it keep it. Done
again, it succeeds and changes nothing. (staff)`,
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductArchiveInputRef, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Product', input.id, ['id']);
        return { product: await ctx.services.catalogWriting.archiveProduct(actorId, id) };
      }),
  }),
}));
