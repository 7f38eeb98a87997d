import { builder } from '../../graphql/schema/builder.ts';
import { registerUserError, UserErrorRef } from '../../graphql/schema/user-errors.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { InsufficientStockError, StockConflictError } from './inventory.errors.ts';

registerUserError(InsufficientStockError, 'InsufficientStockError');
builder.objectType(InsufficientStockError, {
  name: 'InsufficientStockError',
  description: 'Fewer units are available than requested.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant of which too few units are available. Null if the variant no longer exists.',
      resolve: (error, _args, ctx) => ctx.loaders.variant.load(error.variantId),
    }),
    requested: t.exposeInt('requested', {
      nullable: false,
      description: 'Number of units requested, in addition to those that the cart already held.',
    }),
    available: t.exposeInt('available', { nullable: false, description: 'Number of units available at that time.' }),
  }),
});

registerUserError(StockConflictError, 'StockConflictError');
builder.objectType(StockConflictError, {
  name: 'StockConflictError',
  description: 'The stock is not what the caller expected. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant whose stock was to be set. Null if the variant no longer exists.',
      resolve: (error, _args, ctx) => ctx.loaders.variant.load(error.variantId),
    }),
    expectedOnHand: t.exposeInt('expectedOnHand', {
      nullable: false,
      description: 'Number of units on hand expected by the caller.',
    }),
    onHand: t.exposeInt('onHand', { nullable: false, description: 'Actual number of units on hand at that time.' }),
  }),
});
