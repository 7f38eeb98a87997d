import { builder } from '../../graphql/schema/builder.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { TaxRateRef } from '../tax/tax.refs.graphql.ts';
import { ShippingMethodRef, ShippingZoneRef } from './shipping.refs.graphql.ts';
import { MAX_METHODS } from './shipping.service.ts';
import { MAX_ZONES } from './zone.service.ts';

builder.node(ShippingZoneRef, {
  description:
    'A part of the world with its own shipping methods and tax rates. An address belongs to the most specific zone: longest ' +
    'postal prefix, then region, then country, then the rest of the world. Staff only.',
  authScopes: { staff: true },
  id: { resolve: ({ id }) => id, description: 'Global ID of the zone.' },
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Name for staff; unique.' }),
    countries: t.stringList({
      nullable: false,
      description: 'ISO 3166-1 alpha-2 codes of the countries of the zone.',
      resolve: ({ countries }) => [...countries],
    }),
    regions: t.stringList({
      nullable: false,
      description: 'Regions of the zone as country and code, for example `US-CA`.',
      resolve: ({ regions }) => [...regions],
    }),
    postalPrefixes: t.stringList({
      nullable: false,
      description: 'Country and beginning of postal codes of the zone, for example `DE-10`.',
      resolve: ({ postalPrefixes }) => [...postalPrefixes],
    }),
    isRestOfWorld: t.exposeBoolean('isRest', {
      nullable: false,
      description: 'Whether the zone covers all addresses that no other zone covers. At most one zone does.',
    }),
    isHome: t.exposeBoolean('isHome', {
      nullable: false,
      description:
        'Whether this is the zone of the shop: its taxes count while a cart has no address, and are contained in prices ' +
        'that include tax. At most one zone is.',
    }),
    methods: t.field({
      type: [ShippingMethodRef],
      nullable: { list: true, items: false },
      description: `Shipping methods, in the order in which they are offered. At most ${MAX_METHODS}.`,
      resolve: ({ id }, _args, ctx) => ctx.loaders.methodsOfZone.load(id),
    }),
    taxRates: t.field({
      type: [TaxRateRef],
      nullable: { list: true, items: false },
      description: 'Tax rates by category, the earliest first: past, present and future ones. At most 1,000.',
      resolve: ({ id }, _args, ctx) => ctx.loaders.taxRatesOfZone.load(id),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'Time of creation.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

registerNode('ShippingZone', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  return (await ctx.loaders.shippingZone.loadMany(ids)).map((zone) => (zone instanceof Error ? null : zone));
});

builder.queryField('shippingZones', (t) =>
  t.field({
    type: [ShippingZoneRef],
    nullable: { list: true, items: false },
    description: `All shipping zones, by name. At most ${MAX_ZONES}. Staff only.`,
    authScopes: { staff: true },
    resolve: (_root, _args, ctx) => ctx.services.shippingZones.list(),
  }),
);
