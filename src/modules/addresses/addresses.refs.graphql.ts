import { builder } from '../../graphql/schema/builder.ts';
import type { Address } from './address.types.ts';

/** A postal address. */
export const AddressRef = builder.objectRef<Address>('Address');

/** A postal address in an input: see `addressInput`. */
export const AddressInputRef = builder.inputType('AddressInput', {
  description:
    'A postal address. Regions and postal codes are checked by the rules of the country; an address that breaks them ' +
    'is refused with ADDRESS_INVALID.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Full name of the recipient, at most 200 characters.' }),
    line1: t.string({ required: true, description: 'Street and house number, at most 200 characters.' }),
    line2: t.string({ description: 'Apartment, building or other additional information, at most 200 characters.' }),
    city: t.string({ required: true, description: 'City or town, at most 100 characters.' }),
    region: t.string({
      description:
        'State, province or county, by name or code (`California` or `CA`), at most 100 characters. Required in some ' +
        'countries, for example in the United States.',
    }),
    postalCode: t.string({
      required: true,
      description: 'Postal code, at most 20 characters. May be empty in countries that have none or do not require it.',
    }),
    countryCode: t.string({ required: true, description: 'ISO 3166-1 alpha-2 country code, for example `DE`.' }),
  }),
});
