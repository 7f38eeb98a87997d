import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { CategoryRef } from './catalog.refs.graphql.ts';
import { isSlug } from './catalog.service.ts';
import { ProductConnectionRef } from './products.graphql.ts';
import { KEPT } from '../../graphql/schema/kept.ts';
import { SHARED } from '../../graphql/schema/shared.ts';

const ofProducts: CursorType = { list: 'category.products', values: [cursorTypes.instant, cursorTypes.uuid] };
const ofCategories: CursorType = { list: 'categories', values: [cursorTypes.text, cursorTypes.uuid] };

builder.node(CategoryRef, {
  extensions: { ...SHARED, ...KEPT },
  description: 'A group of products. Each product belongs to at most one category.',
  id: { resolve: (category) => category.id, description: 'Global ID of the category.' },
  fields: (t) => ({
    slug: t.exposeString('slug', { nullable: false, description: 'Name used in URLs; unique.' }),
    name: t.exposeString('name', { nullable: false, description: 'Display name.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change to the name or the slug.',
    }),
    products: t.field({
      type: ProductConnectionRef,
      nullable: true,
      description: 'Products with status ACTIVE in this category, newest first.',
      args: t.arg.connectionArgs(),
      complexity: pageCost,
      resolve: async (category, args, ctx) => {
        const page = pageOf(args, ofProducts);
        const found = await ctx.loaders.productsOfCategory.load({ of: category.id, page });
        return toConnection(found, ofProducts, () => ctx.loaders.productCountOfCategory.load(category.id));
      },
    }),
  }),
});

registerNode('Category', async (ids, ctx) =>
  (await ctx.loaders.category.loadMany(ids)).map((category) => (category instanceof Error ? null : category)),
);

const CategoryConnectionRef = connectionType(CategoryRef, 'categories', KEPT);

builder.queryFields((t) => ({
  category: t.field({
    type: CategoryRef,
    nullable: true,
    extensions: KEPT,
    description: 'A category, by either `id` or `slug`. Null if there is none.',
    args: {
      id: t.arg.id({ description: 'Global ID of the category.' }),
      slug: t.arg.string({ description: 'Slug of the category.' }),
    },
    resolve: async (_root, { id, slug }, ctx) => {
      if ((id == null) === (slug == null)) throw requestError('BAD_REQUEST', 'Specify either `id` or `slug`.');
      if (id != null) return ctx.loaders.category.load(argumentId('Category', id, 'id'));
      return slug != null && isSlug(slug) ? ctx.services.catalog.categoryBySlug(slug) : null;
    },
  }),
  categories: t.field({
    type: CategoryConnectionRef,
    nullable: true,
    extensions: KEPT,
    description: 'All categories, ordered by name.',
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    resolve: async (_root, args, ctx) => {
      const page = await ctx.services.catalog.categoryPage(pageOf(args, ofCategories));
      return toConnection(page, ofCategories, () => ctx.services.catalog.categoryCount());
    },
  }),
}));
