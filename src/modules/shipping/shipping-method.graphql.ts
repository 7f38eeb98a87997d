import { builder } from '../../graphql/schema/builder.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { ShippingMethodRef } from './shipping.refs.graphql.ts';

builder.node(ShippingMethodRef, {
  description: 'A way in which orders are sent.',
  id: { resolve: (method) => method.id, description: 'Global ID of the shipping method.' },
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false, description: 'Title for display.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description for customers. Null if there is none.',
    }),
    deliveryEstimate: t.exposeString('deliveryEstimate', {
      nullable: true,
      description: 'Expected time of delivery in words, for example `2 to 4 working days`. Null if there is none.',
    }),
  }),
});

registerNode('ShippingMethod', async (ids, ctx) =>
  (await ctx.loaders.shippingMethod.loadMany(ids)).map((method) => (method instanceof Error ? null : method)),
);
