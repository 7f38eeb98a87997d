import { builder } from '../../graphql/schema/builder.ts';
import { CountPrecisionRef } from '../../graphql/schema/connection-type.ts';
import { toTotal, type TotalCount } from '../../graphql/schema/connection.ts';
import type { Context } from '../../graphql/context/context.ts';
import { KEPT } from '../../graphql/schema/kept.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { CategoryRef } from './catalog.refs.graphql.ts';
import type { CategoryCount, OptionCounts, PriceRangeCount, ProductQuery, TagCount } from './catalog.service.ts';
import { MAX_FACETED, MAX_FACET_OPTIONS, MAX_FACET_VALUES } from './product-facets.ts';
import { ProductFilterRef, toProductQuery } from './products.graphql.ts';

const FACETED = MAX_FACETED.toLocaleString('en');

/** What a facet costs beside its values: it reads many products. */
const FACET_COST = { field: 200, multiplier: 5 };

const FacetCountRef = builder.interfaceRef<{ count: number; more: boolean }>('FacetCount').implement({
  description: 'A number of products that a filter would find.',
  fields: (t) => ({
    count: t.exposeInt('count', { nullable: false, description: 'Number of products.' }),
    countPrecision: t.field({
      type: CountPrecisionRef,
      nullable: false,
      description: `Whether \`count\` is exact. If more than ${FACETED} products meet the conditions, not all of them are counted, and values that only few of them have may be missing.`,
      resolve: ({ more }) => (more ? 'AT_LEAST' : 'EXACT'),
    }),
  }),
});

const CategoryFacetRef = builder.objectRef<CategoryCount>('CategoryFacet').implement({
  extensions: KEPT,
  description: 'A category, and the number of products in it.',
  interfaces: [FacetCountRef],
  fields: (t) => ({
    category: t.field({
      type: CategoryRef,
      nullable: true,
      description: 'The category. Null if it has just been deleted.',
      resolve: ({ categoryId }, _args, ctx) => ctx.loaders.category.load(categoryId),
    }),
  }),
});

const TagFacetRef = builder.objectRef<TagCount>('TagFacet').implement({
  extensions: KEPT,
  description: 'A tag, and the number of products that have it.',
  interfaces: [FacetCountRef],
  fields: (t) => ({
    tag: t.exposeString('tag', { nullable: false, description: 'The tag, for `ProductFilter.tags`.' }),
  }),
});

const OptionValueFacetRef = builder.objectRef<OptionCounts['values'][number]>('OptionValueFacet').implement({
  extensions: KEPT,
  description: 'A value of an option, and the number of products with a variant that has it.',
  interfaces: [FacetCountRef],
  fields: (t) => ({
    value: t.exposeString('value', { nullable: false, description: 'The value, for example `250 g`.' }),
  }),
});

const OptionFacetRef = builder.objectRef<OptionCounts>('OptionFacet').implement({
  extensions: KEPT,
  description: 'An option of variants, and the number of products by its values.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Name of the option, for example `Size`.' }),
    values: t.expose('values', {
      type: [OptionValueFacetRef],
      nullable: false,
      description: `Values, the most common first; at most ${MAX_FACET_VALUES}.`,
    }),
  }),
});

const priceOf = (minor: number | null, ctx: Context) =>
  minor === null ? null : { minor: BigInt(minor), currency: ctx.shop.currency };

const PriceRangeFacetRef = builder.objectRef<PriceRangeCount>('PriceRangeFacet').implement({
  extensions: KEPT,
  description: 'A range of prices, and the number of products with a variant in it.',
  interfaces: [FacetCountRef],
  fields: (t) => ({
    min: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Lowest price of the range, for `ProductFilter.minPrice`. Null for the cheapest range.',
      resolve: ({ min }, _args, ctx) => priceOf(min, ctx),
    }),
    max: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Highest price of the range, for `ProductFilter.maxPrice`. Null for the dearest range.',
      resolve: ({ max }, _args, ctx) => priceOf(max, ctx),
    }),
  }),
});

const ProductCountRef = builder.objectRef<TotalCount>('ProductCount').implement({
  extensions: KEPT,
  description: 'A number of products.',
  fields: (t) => ({
    count: t.exposeInt('count', { nullable: false, description: 'Number of products, at most 1,000.' }),
    countPrecision: t.expose('precision', {
      type: CountPrecisionRef,
      nullable: false,
      description: 'Whether `count` is exact.',
    }),
  }),
});

/** What facets are about; null: of nothing at all. */
interface Facets {
  query: ProductQuery | null;
}

const ProductFacetsRef = builder.objectRef<Facets>('ProductFacets').implement({
  extensions: KEPT,
  description:
    'Values by which a list of products can be narrowed further, each with the number of products that the list would ' +
    'then have. Each field is computed only if selected.',
  fields: (t) => {
    const facet = <Row>(find: (ctx: Context, query: ProductQuery) => Promise<Row[]>) => ({
      nullable: false as const,
      complexity: FACET_COST,
      resolve: async ({ query }: Facets, _args: object, ctx: Context) => (query === null ? [] : find(ctx, query)),
    });
    const counted = (description: string, change: Partial<ProductQuery>) =>
      t.field({
        type: ProductCountRef,
        nullable: false,
        description,
        complexity: { field: FACET_COST.field, multiplier: 1 },
        resolve: async ({ query }, _args, { services }) =>
          toTotal(query === null ? 0 : (await services.catalog.productCount({ ...query, ...change })).count),
      });
    return {
      categories: t.field({
        type: [CategoryFacetRef],
        description: `Categories, those with most products first; at most ${MAX_FACET_VALUES}. \`filter.categorySlug\` is ignored.`,
        ...facet(({ services }, query) => services.catalog.categoryFacet(query)),
      }),
      tags: t.field({
        type: [TagFacetRef],
        description: `Tags, the most common first; at most ${MAX_FACET_VALUES}. The tags of the filter are among them.`,
        ...facet(({ services }, query) => services.catalog.tagFacet(query)),
      }),
      options: t.field({
        type: [OptionFacetRef],
        description: `Options of variants, the most common first; at most ${MAX_FACET_OPTIONS}. The values of an option are counted as if \`filter.options\` did not name this option.`,
        ...facet(({ services }, query) => services.catalog.optionFacet(query)),
      }),
      priceRanges: t.field({
        type: [PriceRangeFacetRef],
        description:
          'Ranges of prices, cheapest first; at most 5, without ranges that no product is in. `filter.minPrice` and ' +
          '`filter.maxPrice` are ignored.',
        ...facet(({ services }, query) => services.catalog.priceFacet(query)),
      }),
      inStock: counted('Products with `filter.inStock` set to true.', { inStock: true }),
      soldOut: counted('Products with `filter.inStock` set to false.', { inStock: false }),
      lowStock: counted('Products with `filter.lowStock` set to true.', { lowStock: true }),
    };
  },
});

builder.queryFields((t) => ({
  productFacets: t.field({
    type: ProductFacetsRef,
    nullable: true,
    extensions: KEPT,
    description:
      'Numbers of products by category, tag, option, price and stock, for a filter: what `products` with the same ' +
      'filter can be narrowed by.',
    args: { filter: t.arg({ type: ProductFilterRef, description: 'Conditions that the products must meet.' }) },
    resolve: async (_root, { filter }, ctx) => ({ query: await toProductQuery(filter ?? {}, ctx) }),
  }),
}));
