import { builder } from '../../graphql/schema/builder.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { addressFormat, addressLines, ADDRESS_FIELDS, type AddressFormat } from './address-format.ts';
import { countryCode } from './address.types.ts';
import { AddressRef } from './addresses.refs.graphql.ts';

const FIELD_DESCRIPTIONS: Readonly<Record<(typeof ADDRESS_FIELDS)[number], string>> = {
  NAME: 'Full name of the recipient: `name`.',
  LINE1: 'Street and house number: `line1`.',
  LINE2: 'Additional information: `line2`.',
  CITY: 'City or town: `city`.',
  REGION: 'State, province or county: `region`.',
  POSTAL_CODE: 'Postal code: `postalCode`.',
};

AddressRef.implement({
  extensions: OWNED,
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
    formatted: t.stringList({
      nullable: false,
      description: 'Lines of the address in the way of its country, without the country.',
      resolve: (address) => addressLines(address),
    }),
  }),
});

const AddressFieldRef = builder.enumType('AddressField', {
  description: 'Part of a postal address.',
  values: Object.fromEntries(
    ADDRESS_FIELDS.map((field) => [field, { description: FIELD_DESCRIPTIONS[field] }]),
  ) as Record<(typeof ADDRESS_FIELDS)[number], { description: string }>,
});

const AddressFormatFieldRef = builder.objectRef<AddressFormat['fields'][number]>('AddressFormatField').implement({
  description: 'Field of a form for postal addresses.',
  fields: (t) => ({
    name: t.expose('name', { type: AddressFieldRef, nullable: false, description: 'Part of the address.' }),
    label: t.exposeString('label', {
      nullable: false,
      description: 'Label in English, for example `ZIP code` or `Prefecture`.',
    }),
    isRequired: t.exposeBoolean('isRequired', {
      nullable: false,
      description: 'Whether addresses of the country are refused without it.',
    }),
  }),
});

const AddressRegionRef = builder.objectRef<AddressFormat['regions'][number]>('AddressRegion').implement({
  description: 'State, province or territory of a country.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Code within the country, for example `CA`.' }),
    name: t.exposeString('name', { nullable: false, description: 'Name, for example `California`.' }),
  }),
});

const AddressFormatRef = builder.objectRef<AddressFormat>('AddressFormat').implement({
  description: 'Format of the postal addresses of a country, from the data of libaddressinput.',
  fields: (t) => ({
    countryCode: t.exposeString('countryCode', { nullable: false, description: 'ISO 3166-1 alpha-2 country code.' }),
    fields: t.field({
      type: [AddressFormatFieldRef],
      nullable: false,
      description: 'Fields to ask for, in the order in which the country writes them.',
      resolve: ({ fields }) => fields,
    }),
    postalCodePattern: t.exposeString('postalCodePattern', {
      nullable: true,
      description:
        'Regular expression (ECMAScript) that postal codes match as a whole, regardless of case. Null if the country has no format.',
    }),
    regions: t.field({
      type: [AddressRegionRef],
      nullable: false,
      description: 'The only regions that addresses of the country may have. Empty if any text is accepted.',
      resolve: ({ regions }) => [...regions],
    }),
  }),
});

builder.queryField('addressFormat', (t) =>
  t.field({
    type: AddressFormatRef,
    nullable: true,
    description:
      'Format of the postal addresses of a country, for forms. Null if `countryCode` is not an ISO 3166-1 alpha-2 code.',
    args: { countryCode: t.arg.string({ required: true, description: 'ISO 3166-1 alpha-2 country code.' }) },
    resolve: (_root, args) => {
      const parsed = countryCode.safeParse(args.countryCode);
      return parsed.success ? addressFormat(parsed.data) : null;
    },
  }),
);
