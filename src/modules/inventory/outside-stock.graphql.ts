import { builder } from '../../graphql/builder.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';

builder.objectField(ProductVariantRef, 'syncShortfall', (t) =>
  t.int({
    nullable: true,
    description: `Units that an outside catalogue (CMS, import) did without while they were held by carts or sold: they are
taken away as units come free. (staff)`,
    authScopes: { staff: true },
    resolve: ({ id }, _args, ctx) => ctx.loaders.shortfallOfVariant.load(id),
  }),
);
