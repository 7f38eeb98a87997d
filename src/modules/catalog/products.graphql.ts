import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import type { Context } from '../../graphql/context.ts';
import { argumentId } from '../../graphql/global-id.ts';
import { requestError } from '../../graphql/request-error.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { isPlain } from '../input.ts';
import { parseDecimal } from '../money.ts';
import { ProductRef, ProductStatusRef } from './catalog.refs.graphql.ts';
import { isSlug, type ProductQuery } from './catalog.service.ts';
import { parseSearch } from './product-search.ts';
import { maySeeProduct } from './visibility.graphql.ts';

/** A page of products. */
export const ProductConnectionRef = connectionType(ProductRef, 'products');

const MAX_SEARCH = 200;
const MAX_TAGS = 20;
const MAX_PRICE_MINOR = 2 ** 31 - 1;

const ProductFilterRef = builder.inputType('ProductFilter', {
  description: 'Which products to list: those that meet all that is given.',
  fields: (t) => ({
    search: t.string({
      description:
        'Words to find in title, description, vendor, tags and SKU; the last may be unfinished. Best match first, unless sorted.',
    }),
    categorySlug: t.string({ description: 'Only what is filed in this category.' }),
    tags: t.stringList({ description: 'Only what has all of these tags.' }),
    minPrice: t.field({ type: 'Decimal', description: 'Only what has a variant at this price or above.' }),
    maxPrice: t.field({ type: 'Decimal', description: 'Only what has a variant at this price or below.' }),
    inStock: t.boolean({ description: 'Only what can be bought now; false: only what cannot.' }),
    status: t.field({ type: ProductStatusRef, description: 'Statuses other than ACTIVE are for staff.' }),
  }),
});

const ProductSortKeyRef = builder.enumType('ProductSortKey', {
  description: 'What to sort products by.',
  values: {
    NEWEST: { description: 'When it was made, newest first.' },
    TITLE: { description: 'Title, A to Z.' },
    PRICE: { description: 'Price of the cheapest variant, lowest first.' },
  },
});

const ProductSortRef = builder.inputType('ProductSort', {
  description: 'How to sort products.',
  fields: (t) => ({
    key: t.field({ type: ProductSortKeyRef, required: true, description: 'What to sort by.' }),
    reverse: t.boolean({ defaultValue: false, description: 'The other way round.' }),
  }),
});

type Filter = typeof ProductFilterRef.$inferInput;
type Sort = typeof ProductSortRef.$inferInput;

function price(decimal: string, name: string, currency: string): number {
  const minor = parseDecimal(decimal, currency);
  if (minor === null) throw requestError('BAD_REQUEST', `\`${name}\` has more decimals than ${currency}.`);
  if (minor < 0n) throw requestError('BAD_REQUEST', `\`${name}\` must not be negative.`);
  return Number(minor > MAX_PRICE_MINOR ? BigInt(MAX_PRICE_MINOR) : minor);
}

/** The query that filter and sort ask for, or null where nothing can be found by them. */
function toQuery(filter: Filter, sort: Sort | null | undefined, { viewer, shop }: Context): ProductQuery | null {
  const { search, categorySlug, tags, minPrice, maxPrice, inStock, status } = filter;
  if (status != null && status !== 'ACTIVE' && !isStaff(viewer)) {
    const code = viewer.user === null ? 'UNAUTHENTICATED' : 'FORBIDDEN';
    throw requestError(code, 'Products that are not ACTIVE are for staff to list.');
  }
  if ((search ?? '').length > MAX_SEARCH) {
    throw requestError('BAD_REQUEST', `\`search\` may have at most ${MAX_SEARCH} characters.`);
  }
  if ((tags ?? []).length > MAX_TAGS) throw requestError('BAD_REQUEST', `\`tags\` may have at most ${MAX_TAGS}.`);
  const query: ProductQuery = {};
  if (search != null && search.trim() !== '') {
    const words = parseSearch(search);
    if (words === null) return null;
    query.search = words;
  }
  if (categorySlug != null) {
    if (!isSlug(categorySlug)) return null;
    query.categorySlug = categorySlug;
  }
  if (tags != null) {
    if (!tags.every(isPlain)) return null;
    query.tags = tags;
  }
  if (minPrice != null) query.minPriceMinor = price(minPrice, 'minPrice', shop.currency);
  if (maxPrice != null) query.maxPriceMinor = price(maxPrice, 'maxPrice', shop.currency);
  if (inStock != null) query.inStock = inStock;
  if (status != null) query.status = status;
  if (sort != null) query.sort = { key: sort.key, reverse: sort.reverse ?? false };
  return query;
}

/** What the cursors of a list in this order hold; which way round it goes is the same to them. */
function cursorsOf({ search, sort }: Pick<ProductQuery, 'search' | 'sort'>): CursorType {
  const { text, int, uuid, instant } = cursorTypes;
  const key = sort?.key ?? (search === undefined ? 'NEWEST' : 'MATCH');
  const first = { NEWEST: instant, TITLE: text, PRICE: int, MATCH: int }[key];
  return { list: `products.${key}`, values: [first, uuid] };
}

const NOTHING = { rows: [], hasNextPage: false, hasPreviousPage: false };

builder.queryFields((t) => ({
  product: t.field({
    type: ProductRef,
    nullable: true,
    description: 'A product by its ID or its slug; one that is not ACTIVE for staff alone.',
    args: {
      id: t.arg.id({ description: 'Its ID.' }),
      slug: t.arg.string({ description: 'Its slug.' }),
    },
    resolve: async (_root, { id, slug }, ctx) => {
      if ((id == null) === (slug == null)) throw requestError('BAD_REQUEST', 'Give either `id` or `slug`.');
      const product =
        id != null
          ? await ctx.loaders.product.load(argumentId('Product', id, 'id'))
          : slug != null && isSlug(slug)
            ? await ctx.services.catalog.productBySlug(slug)
            : null;
      return product !== null && maySeeProduct(ctx, product) ? product : null;
    },
  }),
  products: t.field({
    type: ProductConnectionRef,
    nullable: true,
    description: 'The catalogue, newest first unless sorted or searched.',
    args: {
      filter: t.arg({ type: ProductFilterRef, description: 'Which ones.' }),
      sort: t.arg({ type: ProductSortRef, description: 'In which order.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, sort, ...args }, ctx) => {
      const { catalog } = ctx.services;
      const query = toQuery(filter ?? {}, sort, ctx);
      const cursors = cursorsOf(query ?? {});
      if (query === null) {
        pageOf({ first: args.first, last: args.last }, cursors);
        return toConnection(NOTHING, cursors, async () => 0);
      }
      const page = await catalog.productPage(query, pageOf(args, cursors));
      return toConnection(page, cursors, () => catalog.productCount(query));
    },
  }),
}));
