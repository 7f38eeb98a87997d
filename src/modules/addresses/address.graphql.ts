import { AddressRef } from './addresses.refs.graphql.ts';

AddressRef.implement({
  description: 'A postal address.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Full name of the recipient.' }),
    line1: t.exposeString('line1', { nullable: false, description: 'Street and house number.' }),
    line2: t.exposeString('line2', {
      nullable: true,
      description: 'Apartment, building or other additional information. Null if there is none.',
    }),
    city: t.exposeString('city', { nullable: false, description: 'City or town.' }),
    region: t.exposeString('region', {
      nullable: true,
      description: 'State, province or county. Null if there is none.',
    }),
    postalCode: t.exposeString('postalCode', {
      nullable: false,
      description: 'Postal code. Empty if there is none.',
    }),
    countryCode: t.exposeString('countryCode', {
      nullable: false,
      description: 'ISO 3166-1 alpha-2 country code, for example `DE`.',
    }),
  }),
});
