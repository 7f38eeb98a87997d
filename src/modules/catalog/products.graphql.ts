import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import {
  cursorTypes,
  isCursorOf,
  pageCost,
  pageOf,
  toConnection,
  type CursorType,
} from '../../graphql/schema/connection.ts';
import type { Context } from '../../graphql/context/context.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { KEPT } from '../../graphql/schema/kept.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { countOnly, MAX_COUNTED, type Found } from '../../infra/postgres/count.ts';
import { isPlain } from '../input.ts';
import { parseDecimal } from '../money.ts';
import { ProductRef, ProductStatusRef, ProductVariantRef } from './catalog.refs.graphql.ts';
import { isSlug, type ProductOrder, type ProductQuery } from './catalog.service.ts';
import { fieldsOfPage, fieldsOfProduct } from './product-fields.graphql.ts';
import { maySeeProduct, maySeeVariant } from './visibility.graphql.ts';

/** A page of products. */
export const ProductConnectionRef = connectionType(ProductRef, 'products', KEPT);

const MAX_SEARCH = 200;
const MAX_TAGS = 20;
const MAX_OPTIONS = 10;
const MAX_OPTION_VALUES = 50;
const MAX_PRICE_MINOR = 2 ** 31 - 1;

const ProductOptionFilterRef = builder.inputType('ProductOptionFilter', {
  description: 'Values of an option of variants, such as the sizes M and L.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name of the option, for example `Size`; case-sensitive.' }),
    values: t.stringList({
      required: true,
      description: `Values, of which a variant must have one; case-sensitive, at most ${MAX_OPTION_VALUES}.`,
    }),
  }),
});

/** Conditions for listing products. */
export const ProductFilterRef = builder.inputType('ProductFilter', {
  description: 'Conditions for listing products. A product is listed if it meets all of them.',
  fields: (t) => ({
    search: t.string({
      description: `Words to find in title, description, vendor, tags and SKU, at most ${MAX_SEARCH} characters. The last word may be incomplete; accents and case are ignored. Unless \`sort\` is given, the best matches come first; if more than ${MAX_COUNTED.toLocaleString('en')} products match, products with the words in title or SKU come first, newest first within each group.`,
    }),
    categorySlug: t.string({ description: 'Slug of a category: lists products in this category only.' }),
    tags: t.stringList({ description: `Lists only products that have all of these tags; at most ${MAX_TAGS}.` }),
    minPrice: t.field({ type: 'Decimal', description: 'Lists only products with a variant at this price or above.' }),
    maxPrice: t.field({ type: 'Decimal', description: 'Lists only products with a variant at this price or below.' }),
    inStock: t.boolean({
      description: 'If true, lists only products that can be bought now; if false, only products that cannot.',
    }),
    lowStock: t.boolean({
      description:
        'If true, lists only products with a variant that is nearly gone: at least one unit is available, and no more ' +
        'than the `lowStockThreshold` of the variant. If false, lists only products without such a variant.',
    }),
    options: t.field({
      type: [ProductOptionFilterRef],
      description:
        `Lists only products with a variant that has one of the values of each of these options; at most ${MAX_OPTIONS}, ` +
        'each named once. If prices, `inStock: true` or `lowStock: true` are given too, one variant must meet all of these conditions.',
    }),
    status: t.field({
      type: ProductStatusRef,
      description: 'Status of the products. Defaults to ACTIVE; other values are for staff only.',
    }),
  }),
});

const ProductSortKeyRef = builder.enumType('ProductSortKey', {
  description: 'Property by which products are sorted.',
  values: {
    NEWEST: { description: 'Creation time, newest first.' },
    TITLE: { description: 'Title, A to Z.' },
    PRICE: { description: 'Lowest price of a variant, lowest first.' },
  },
});

const ProductSortRef = builder.inputType('ProductSort', {
  description: 'Sort order of products.',
  fields: (t) => ({
    key: t.field({ type: ProductSortKeyRef, required: true, description: 'Property to sort by.' }),
    reverse: t.boolean({ defaultValue: false, description: 'Whether to reverse the order. Defaults to false.' }),
  }),
});

type Filter = typeof ProductFilterRef.$inferInput;
type OptionFilter = typeof ProductOptionFilterRef.$inferInput;

function price(decimal: string, name: string, currency: string): number {
  const minor = parseDecimal(decimal, currency);
  if (minor === null) throw requestError('BAD_REQUEST', `\`${name}\` has more decimal places than ${currency}.`);
  if (minor < 0n) throw requestError('BAD_REQUEST', `\`${name}\` must not be negative.`);
  return Number(minor > MAX_PRICE_MINOR ? BigInt(MAX_PRICE_MINOR) : minor);
}

/** Refuses too many options, and one that is named twice. */
function checkOptions(options: readonly OptionFilter[]): void {
  if (options.length > MAX_OPTIONS) {
    throw requestError('BAD_REQUEST', `\`options\` may have at most ${MAX_OPTIONS} entries.`);
  }
  if (new Set(options.map(({ name }) => name)).size < options.length) {
    throw requestError('BAD_REQUEST', '`options` may name each option only once.');
  }
  if (options.some(({ values }) => values.length > MAX_OPTION_VALUES)) {
    throw requestError('BAD_REQUEST', `\`options.values\` may have at most ${MAX_OPTION_VALUES} entries.`);
  }
}

/** The query that the filter asks for, or null where nothing can be found by it. */
export async function toProductQuery(
  filter: Filter,
  { viewer, shop, services }: Context,
): Promise<ProductQuery | null> {
  const { search, categorySlug, tags, minPrice, maxPrice, inStock, lowStock, options, status } = filter;
  if (status != null && status !== 'ACTIVE' && !isStaff(viewer)) {
    const code = viewer.user === null ? 'UNAUTHENTICATED' : 'FORBIDDEN';
    throw requestError(code, 'Only staff can list products that are not ACTIVE.');
  }
  if ((search ?? '').length > MAX_SEARCH) {
    throw requestError('BAD_REQUEST', `\`search\` may have at most ${MAX_SEARCH} characters.`);
  }
  if ((tags ?? []).length > MAX_TAGS)
    throw requestError('BAD_REQUEST', `\`tags\` may have at most ${MAX_TAGS} entries.`);
  checkOptions(options ?? []);
  const query: ProductQuery = {};
  if (search != null && search.trim() !== '') {
    // PostgreSQL has no such character.
    query.search = search.replaceAll('\0', ' ');
  }
  if (categorySlug != null) {
    if (!isSlug(categorySlug)) return null;
    const category = await services.catalog.categoryBySlug(categorySlug);
    if (category === null) return null;
    query.categoryId = category.id;
  }
  if (tags != null) {
    if (!tags.every(isPlain)) return null;
    query.tags = tags;
  }
  if (minPrice != null) query.minPriceMinor = price(minPrice, 'minPrice', shop.currency);
  if (maxPrice != null) query.maxPriceMinor = price(maxPrice, 'maxPrice', shop.currency);
  if (inStock != null) query.inStock = inStock;
  if (lowStock != null) query.lowStock = lowStock;
  if (options != null && options.length > 0) {
    if (!options.every(({ name, values }) => [name, ...values].every(isPlain))) return null;
    query.options = options;
  }
  if (status != null) query.status = status;
  return query;
}

const { text, int, uuid, instant } = cursorTypes;

/** The cursors of a list in each order; the direction is the same to them. */
const CURSORS: Record<ProductOrder['key'], CursorType> = {
  NEWEST: { list: 'products.NEWEST', values: [instant, uuid] },
  TITLE: { list: 'products.TITLE', values: [text, uuid] },
  PRICE: { list: 'products.PRICE', values: [int, uuid] },
  MATCH: { list: 'products.MATCH', values: [int, uuid] },
  BROAD: { list: 'products.BROAD', values: [int, instant, uuid] },
};

/** The order of a search without a sort. A later page goes on in the order of the first. */
async function orderOfSearch(cursor: string | null, count: () => Promise<Found>): Promise<ProductOrder> {
  const broad = cursor === null ? (await count()).count > MAX_COUNTED : isCursorOf(cursor, CURSORS.BROAD);
  return { key: broad ? 'BROAD' : 'MATCH', reverse: false };
}

const NOTHING = { rows: [], hasNextPage: false, hasPreviousPage: false };

builder.queryFields((t) => ({
  productVariant: t.field({
    type: ProductVariantRef,
    nullable: true,
    extensions: KEPT,
    description:
      'A variant, by SKU. Null if there is none. Archived variants, and variants of products that are not ' +
      'ACTIVE, are visible to staff only.',
    args: { sku: t.arg.string({ required: true, description: 'Complete SKU; case-sensitive.' }) },
    resolve: async (_root, { sku }, ctx) => {
      if (!isPlain(sku)) return null;
      const id = (await ctx.services.catalog.variantIdsBySkus([sku])).get(sku);
      const variant = id === undefined ? null : await ctx.loaders.variant.load(id);
      return variant !== null && maySeeVariant(ctx, variant) ? variant : null;
    },
  }),
  product: t.field({
    type: ProductRef,
    nullable: true,
    extensions: KEPT,
    description:
      'A product, by either `id` or `slug`. Null if there is none. Products that are not ACTIVE are visible to ' +
      'staff only.',
    args: {
      id: t.arg.id({ description: 'Global ID of the product.' }),
      slug: t.arg.string({ description: 'Slug of the product.' }),
    },
    resolve: async (_root, { id, slug }, ctx, info) => {
      if ((id == null) === (slug == null)) throw requestError('BAD_REQUEST', 'Specify either `id` or `slug`.');
      const product =
        id != null
          ? await ctx.loaders.product.load(argumentId('Product', id, 'id'))
          : slug != null && isSlug(slug)
            ? await ctx.services.catalog.productBySlug(slug, undefined, fieldsOfProduct(info))
            : null;
      return product !== null && maySeeProduct(ctx, product) ? product : null;
    },
  }),
  products: t.field({
    type: ProductConnectionRef,
    nullable: true,
    extensions: KEPT,
    description: 'Products of the catalog, newest first unless `sort` or `filter.search` is given.',
    args: {
      filter: t.arg({ type: ProductFilterRef, description: 'Conditions that the products must meet.' }),
      sort: t.arg({ type: ProductSortRef, description: 'Sort order.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, sort, ...args }, ctx, info) => {
      const { catalog } = ctx.services;
      const query = await toProductQuery(filter ?? {}, ctx);
      let counted: Promise<Found> | undefined;
      const count = () => (counted ??= query === null ? Promise.resolve(countOnly(0)) : catalog.productCount(query));
      const total = async () => (await count()).count;
      const order: ProductOrder =
        sort != null
          ? { key: sort.key, reverse: sort.reverse ?? false }
          : query?.search === undefined
            ? { key: 'NEWEST', reverse: false }
            : await orderOfSearch(args.after ?? args.before ?? null, count);
      const cursors = CURSORS[order.key];
      if (query === null) {
        pageOf({ first: args.first, last: args.last }, cursors);
        return toConnection(NOTHING, cursors, total);
      }
      const page = await catalog.productPage(query, order, pageOf(args, cursors), count, fieldsOfPage(info));
      return toConnection(page, cursors, total);
    },
  }),
}));
