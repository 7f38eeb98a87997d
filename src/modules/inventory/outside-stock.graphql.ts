import { builder } from '../../graphql/schema/builder.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';

builder.objectField(ProductVariantRef, 'syncShortfall', (t) =>
  t.int({
    nullable: true,
    description:
      'Number of units by which an external catalog (a CMS or an import) has reduced the stock but which could ' +
      'not be removed because carts held them or they were already sold. They are removed as units become ' +
      'available. Staff only.',
    authScopes: { staff: true },
    resolve: ({ id }, _args, ctx) => ctx.loaders.shortfallOfVariant.load(id),
  }),
);
