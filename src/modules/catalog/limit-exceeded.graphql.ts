import { builder } from '../../graphql/schema/builder.ts';
import { registerUserError, UserErrorRef } from '../../graphql/schema/user-errors.ts';
import { LimitExceededError } from '../user-error.ts';
import { ProductVariantRef } from './catalog.refs.graphql.ts';

registerUserError(LimitExceededError, 'LimitExceededError');
builder.objectType(LimitExceededError, {
  name: 'LimitExceededError',
  description:
    'The request exceeds a limit of the shop, such as the maximum number of units per line or lines per cart.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Highest value allowed.' }),
    requested: t.exposeInt('requested', { nullable: false, description: 'Value that would have resulted.' }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant that the limit applies to. Null if the limit does not apply to a variant.',
      resolve: (error, _args, ctx) => (error.variantId === null ? null : ctx.loaders.variant.load(error.variantId)),
    }),
  }),
});
