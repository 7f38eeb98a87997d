import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import type { AddressField, AddressInput, ShopAddressFormatQuery } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';

const FORMAT = graphql(`
  query ShopAddressFormat($countryCode: String!) {
    addressFormat(countryCode: $countryCode) {
      countryCode
      postalCodePattern
      fields {
        name
        label
        isRequired
      }
      regions {
        code
        name
      }
    }
  }
`);

export type AddressFormat = NonNullable<ShopAddressFormatQuery['addressFormat']>;
export type AddressPart = Exclude<keyof AddressInput, 'countryCode'>;

/** The part of an input that a field of a format fills in. */
export const PARTS: Readonly<Record<AddressField, AddressPart>> = {
  NAME: 'name',
  LINE1: 'line1',
  LINE2: 'line2',
  CITY: 'city',
  REGION: 'region',
  POSTAL_CODE: 'postalCode',
};

/** All fields, as long as the shop has not answered. */
const ANY: AddressFormat = {
  countryCode: '',
  postalCodePattern: null,
  regions: [],
  fields: [
    { name: 'NAME', label: 'Full name', isRequired: true },
    { name: 'LINE1', label: 'Street and number', isRequired: true },
    { name: 'LINE2', label: 'Apartment, floor, company', isRequired: false },
    { name: 'CITY', label: 'Town or city', isRequired: true },
    { name: 'POSTAL_CODE', label: 'Postal code', isRequired: false },
    { name: 'REGION', label: 'Province', isRequired: false },
  ],
};

/** How addresses of a country are entered. Until the shop has answered, it is how those of the country before are. */
export function useAddressFormat(countryCode: string): AddressFormat {
  const [{ data, error }] = useQuery({ query: FORMAT, variables: { countryCode } });
  const [last, setLast] = useState(ANY);
  const found = data?.addressFormat?.countryCode === countryCode ? data.addressFormat : null;
  useEffect(() => {
    if (found !== null) setLast(found);
  }, [found]);
  if (found !== null) return found;
  return error === undefined ? last : { ...ANY, countryCode };
}

/** Whether everything that the country requires is filled in, so that the shop can be asked. */
export function isComplete(format: AddressFormat, address: AddressInput): boolean {
  return format.fields.every(({ name, isRequired }) => !isRequired || (address[PARTS[name]]?.trim() ?? '') !== '');
}

/** An address as the shop is sent it: the fields of its country alone, without those that are left empty. */
export function inputOf(format: AddressFormat, address: AddressInput): AddressInput {
  const asked = new Set(format.fields.map(({ name }) => PARTS[name]));
  const filled = (part: AddressPart) => (asked.has(part) ? (address[part]?.trim() ?? '') : '');
  const optional = (['line2', 'region'] as const).map((part) => [part, filled(part)] as const);
  return {
    name: filled('name'),
    line1: filled('line1'),
    city: filled('city'),
    postalCode: filled('postalCode'),
    countryCode: address.countryCode,
    ...Object.fromEntries(optional.filter(([, value]) => value !== '')),
  };
}
