import { builder } from '../../graphql/schema/builder.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { written } from '../../graphql/schema/written.ts';
import { parseNewZone, parseZoneChanges } from './shipping-input.ts';
import { ShippingZoneRef } from './shipping.refs.graphql.ts';
import type { ShippingZone } from './zone.service.ts';

const NAME = 'Name for staff, at most 100 characters; unique.';
const COUNTRIES = 'ISO 3166-1 alpha-2 codes. A country belongs to one zone at most.';
const REGIONS = 'Country and region, by code or name, for example `US-CA`.';
const PREFIXES =
  'Country and beginning of a postal code, for example `DE-10`. Spaces and hyphens in codes are ignored.';
const REST = 'Whether the zone covers all addresses that no other zone covers.';
const HOME = 'Whether this is the zone of the shop, in place of any other zone.';

const ShippingZoneCreateInputRef = builder.inputType('ShippingZoneCreateInput', {
  description: 'Input of `shippingZoneCreate`.',
  fields: (t) => ({
    name: t.string({ required: true, description: NAME }),
    countries: t.stringList({ description: COUNTRIES }),
    regions: t.stringList({ description: REGIONS }),
    postalPrefixes: t.stringList({ description: PREFIXES }),
    isRestOfWorld: t.boolean({ defaultValue: false, description: REST }),
    isHome: t.boolean({ defaultValue: false, description: HOME }),
  }),
});

const ShippingZoneUpdateInputRef = builder.inputType('ShippingZoneUpdateInput', {
  description: 'Input of `shippingZoneUpdate`. Omitted fields keep their values; null clears a list.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the zone.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    name: t.string({ description: NAME }),
    countries: t.stringList({ description: COUNTRIES }),
    regions: t.stringList({ description: REGIONS }),
    postalPrefixes: t.stringList({ description: PREFIXES }),
    isRestOfWorld: t.boolean({ description: REST }),
    isHome: t.boolean({ description: HOME }),
  }),
});

const ShippingZoneDeleteInputRef = builder.inputType('ShippingZoneDeleteInput', {
  description: 'Input of `shippingZoneDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the zone.' }) }),
});

function zonePayload(name: string) {
  const ref = payloadType<{ shippingZone: ShippingZone }>(name);
  builder.objectField(ref, 'shippingZone', (t) =>
    t.field({
      type: ShippingZoneRef,
      nullable: true,
      description: 'Shipping zone after the mutation. Null if the mutation failed.',
      resolve: ({ shippingZone }) => shippingZone ?? null,
    }),
  );
  return ref;
}

const ShippingZoneDeletePayloadRef = payloadType<{ deletedId: string }>('ShippingZoneDeletePayload');
builder.objectField(ShippingZoneDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted zone. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('ShippingZone', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  shippingZoneCreate: t.field({
    type: zonePayload('ShippingZoneCreatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Creates a shipping zone. As soon as a shop has a zone, carts need an address and a shipping method. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ShippingZoneCreateInputRef, required: true, description: 'Zone to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => ({
        shippingZone: await ctx.services.shippingZones.create(actorId, parseNewZone(input)),
      })),
  }),

  shippingZoneUpdate: t.field({
    type: zonePayload('ShippingZoneUpdatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a shipping zone. An update without effect succeeds and is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ShippingZoneUpdateInputRef, required: true, description: 'Changes to the zone.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('ShippingZone', input.id, ['id']);
        const { expectedUpdatedAt, ...given } = input;
        const changes = parseZoneChanges(given);
        const expected = expectedUpdatedAt ?? null;
        return { shippingZone: await ctx.services.shippingZones.update(actorId, id, changes, expected) };
      }),
  }),

  shippingZoneDelete: t.field({
    type: ShippingZoneDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Deletes a shipping zone with its shipping methods and tax rates. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: ShippingZoneDeleteInputRef, required: true, description: 'Zone to delete.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('ShippingZone', input.id, ['id']);
        await ctx.services.shippingZones.delete(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
