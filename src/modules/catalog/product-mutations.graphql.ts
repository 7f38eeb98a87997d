import type { Context } from '../../graphql/context/context.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { parseNewProduct, parseProductChanges } from './catalog-input.ts';
import { ProductRef, ProductStatusRef } from './catalog.refs.graphql.ts';
import type { Product } from './catalog.service.ts';
import { ProductVariantInputRef, withTaxCategory } from './product-variant-mutations.graphql.ts';
import { written } from '../../graphql/schema/written.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

function productPayload(name: string, description: string) {
  const ref = payloadType<{ product: Product }>(name, description);
  builder.objectField(ref, 'product', (t) =>
    t.field({
      type: ProductRef,
      nullable: true,
      description: 'Product after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.product ?? null,
    }),
  );
  return ref;
}

const ImageInputRef = builder.inputType('ImageInput', {
  description: 'An image of a product.',
  fields: (t) => ({
    url: t.string({
      required: true,
      description:
        'Absolute http or https URL, or a path of an image of this shop (`/images/…`). At most 2,000 characters.',
    }),
    altText: t.string({ description: 'Text that describes the image, for screen readers; at most 500 characters.' }),
  }),
});

/**
 * Images as they are stored. The API shows the shop's own pictures with their full address, so a client that sends back what it has
 * read means the path: the shop may move.
 */
function ownImages<T extends { images?: { url: string; altText?: string | null | undefined }[] | null | undefined }>(
  input: T,
  { publicUrl }: Pick<Context, 'publicUrl'>,
): T {
  if (input.images == null) return input;
  const images = input.images.map((image) =>
    image.url.startsWith(`${publicUrl}/images/`) ? { ...image, url: image.url.slice(publicUrl.length) } : image,
  );
  return { ...input, images };
}

const SLUG = 'Lowercase letters and digits separated by single hyphens, at most 200 characters.';

const ProductCreateInputRef = builder.inputType('ProductCreateInput', {
  description: 'Input of `productCreate`: a product with its variants.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'Display name, at most 300 characters.' }),
    slug: t.string({
      description: `Name used in URLs; unique. ${SLUG} If omitted, it is derived from the title, with a number appended if that slug is taken.`,
    }),
    description: t.string({
      description: 'Description, which may contain line breaks; at most 50,000 characters.',
    }),
    vendor: t.string({ description: 'Manufacturer or brand, at most 200 characters.' }),
    tags: t.stringList({
      description: 'Tags for searching and filtering; at most 100, each of at most 100 characters.',
    }),
    categorySlug: t.string({ description: 'Slug of the category that the product belongs to.' }),
    images: t.field({ type: [ImageInputRef], description: 'Images, main image first; at most 50.' }),
    status: t.field({
      type: ProductStatusRef,
      defaultValue: 'ACTIVE',
      description: 'Initial status. Defaults to ACTIVE.',
    }),
    variants: t.field({
      type: [ProductVariantInputRef],
      required: true,
      description:
        'Variants, at least 1 and at most 100. All variants have the same options in the same order; a single ' +
        'variant may have none.',
    }),
  }),
});

const ProductUpdateInputRef = builder.inputType('ProductUpdateInput', {
  description:
    'Input of `productUpdate`. Omitted fields keep their values; null clears a field unless stated otherwise.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the product.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    title: t.string({ description: 'Display name, at most 300 characters. Cannot be cleared.' }),
    slug: t.string({ description: `Name used in URLs; unique. ${SLUG} Cannot be cleared.` }),
    description: t.string({ description: 'Description, which may contain line breaks; at most 50,000 characters.' }),
    vendor: t.string({ description: 'Manufacturer or brand, at most 200 characters.' }),
    tags: t.stringList({
      description: 'Tags, replacing all existing ones; at most 100, each of at most 100 characters.',
    }),
    categorySlug: t.string({ description: 'Slug of the category that the product belongs to.' }),
    images: t.field({
      type: [ImageInputRef],
      description: 'Images, main image first, replacing all existing ones; at most 50.',
    }),
    status: t.field({
      type: ProductStatusRef,
      description: 'Status. Any status may follow any other. Cannot be cleared.',
    }),
  }),
});

const ProductArchiveInputRef = builder.inputType('ProductArchiveInput', {
  description: 'Input of `productArchive`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the product.' }) }),
});

builder.mutationFields((t) => ({
  productCreate: t.field({
    type: productPayload('ProductCreatePayload', 'Result of `productCreate`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates a product with its variants and their initial stock. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductCreateInputRef, required: true, description: 'Product to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const variants = input.variants.map((variant, index) => withTaxCategory(variant, ['variants', String(index)]));
        const product = parseNewProduct(ownImages({ ...input, variants }, ctx), ctx.shop.currency);
        return { product: await ctx.services.catalogWriting.createProduct(actorId, product) };
      }),
  }),

  productUpdate: t.field({
    type: productPayload('ProductUpdatePayload', 'Result of `productUpdate`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a product. An update without effect succeeds and is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductUpdateInputRef, required: true, description: 'Changes to the product.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Product', input.id, ['id']);
        const { expectedUpdatedAt, ...given } = input;
        const changes = parseProductChanges(ownImages(given, ctx));
        const expected = expectedUpdatedAt ?? null;
        return { product: await ctx.services.catalogWriting.updateProduct(actorId, id, changes, expected) };
      }),
  }),

  productArchive: t.field({
    type: productPayload('ProductArchivePayload', 'Result of `productArchive`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Takes a product off sale: the product is no longer listed and cannot be added to carts. Carts and orders ' +
      'that contain the product keep it. Repeating the call has no further effect. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ProductArchiveInputRef, required: true, description: 'Product to archive.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Product', input.id, ['id']);
        return { product: await ctx.services.catalogWriting.archiveProduct(actorId, id) };
      }),
  }),
}));
