import type { Address } from './address.types.ts';
import { listedRegions, rulesOf, type Region } from './address-rules.ts';
import { countryData } from './country-data.ts';

/** Parts of an address, by the names that the API gives them. */
export const ADDRESS_FIELDS = ['NAME', 'LINE1', 'LINE2', 'CITY', 'REGION', 'POSTAL_CODE'] as const;
export type AddressField = (typeof ADDRESS_FIELDS)[number];

/** How addresses of a country are entered. */
export interface AddressFormat {
  countryCode: string;
  /** In the order in which the country writes them. */
  fields: { name: AddressField; label: string; isRequired: boolean }[];
  /** A regular expression for the whole postal code, without regard to case; null: any text. */
  postalCodePattern: string | null;
  /** The only regions that are accepted; empty: any text is. */
  regions: readonly Region[];
}

/** Where the order of a country is not known. %D, a part of a town, is written on the line of the street. */
const USUAL = '%N%n%A%n%C%n%S%n%Z';

/** The parts of a format: by the letter that stands for each. What the shop has no field for is left out. */
const PARTS: Readonly<Record<string, readonly AddressField[]>> = {
  N: ['NAME'],
  A: ['LINE1', 'LINE2'],
  C: ['CITY'],
  S: ['REGION'],
  Z: ['POSTAL_CODE'],
};

const list = (codes: string) => codes.split(' ');

/** What countries call their regions; elsewhere they are provinces. */
const REGION_LABELS = new Map<string, string>(
  Object.entries({
    State: list('US AU BR IN MX MY NG VE FM PW MH'),
    Prefecture: list('JP'),
    County: list('IE TW EE'),
    Emirate: list('AE'),
    Area: list('HK'),
    Department: list('CO NI HN'),
    Island: list('BS CV KI KN KY PF TV'),
    Parish: list('AD JM BB'),
    Oblast: list('RU UA KZ'),
  }).flatMap(([label, codes]) => codes.map((code) => [code, label] as const)),
);

const POSTAL_CODE_LABELS = new Map<string, string>([
  ...list('US PR GU VI AS MP').map((code) => [code, 'ZIP code'] as const),
  ['GB', 'Postcode'],
  ['AU', 'Postcode'],
  ['IE', 'Eircode'],
  ['IN', 'PIN code'],
]);

function labelOf(field: AddressField, countryCode: string): string {
  switch (field) {
    case 'NAME':
      return 'Full name';
    case 'LINE1':
      return 'Street and number';
    case 'LINE2':
      return 'Apartment, floor, company';
    case 'CITY':
      return 'Town or city';
    case 'REGION':
      return REGION_LABELS.get(countryCode) ?? 'Province';
    default:
      return POSTAL_CODE_LABELS.get(countryCode) ?? 'Postal code';
  }
}

/** The parts of an address as a country writes them, each line a list of parts and of what stands between them. */
function linesOf(countryCode: string): string[][] {
  const written = countryData(countryCode)?.format ?? USUAL;
  const lines = written.split('%n').map((line) => line.split(/(%[A-Z])/).filter((part) => part !== ''));
  // The shop asks for the town in every country, also where its place is taken by the region.
  if (lines.some((line) => line.includes('%C'))) return lines;
  const street = lines.find((line) => line.includes('%A')) ?? [];
  const region = street.indexOf('%S');
  if (region === -1) lines.splice(lines.indexOf(street) + 1, 0, ['%C']);
  else street.splice(region, 0, '%C', ', ');
  return lines;
}

/** How addresses of a country are entered: which fields, in which order, and what is required. */
export function addressFormat(countryCode: string): AddressFormat {
  const { isRegionRequired, isPostalCodeRequired, postalCodePattern, isKnown } = rulesOf(countryCode);
  const written = linesOf(countryCode)
    .flat()
    .flatMap((part) => PARTS[part.slice(1)] ?? []);
  const order = [...new Set<AddressField>(['NAME', ...written.filter((field) => field !== 'NAME')])];
  const isAsked = (field: AddressField) =>
    field !== 'POSTAL_CODE' || !isKnown || postalCodePattern !== null || isPostalCodeRequired;
  const required: Readonly<Record<AddressField, boolean>> = {
    NAME: true,
    LINE1: true,
    LINE2: false,
    CITY: true,
    REGION: isRegionRequired,
    POSTAL_CODE: isPostalCodeRequired,
  };
  return {
    countryCode,
    fields: order
      .filter(isAsked)
      .map((name) => ({ name, label: labelOf(name, countryCode), isRequired: required[name] })),
    postalCodePattern,
    regions: listedRegions(countryCode),
  };
}

/**
 * An address in the lines in which its country writes it, without the name of the country. Parts that the country does not use but
 * the address has follow on lines of their own.
 */
export function addressLines(address: Address): string[] {
  const values: Readonly<Record<string, readonly string[]>> = {
    N: [address.name],
    A: [address.line1, address.line2 ?? ''],
    C: [address.city],
    S: [address.region ?? ''],
    Z: [address.postalCode],
  };
  const left = new Set(Object.keys(values));
  const lines: string[] = [];
  for (const line of linesOf(address.countryCode)) {
    let text = '';
    let between = '';
    for (const part of line) {
      const letter = part.startsWith('%') ? part.slice(1) : null;
      if (letter === null) {
        between += part;
        continue;
      }
      left.delete(letter);
      const [first = '', ...others] = values[letter] ?? [];
      if (first !== '') text += text === '' ? first : between + first;
      // The second line of the street.
      for (const other of others.filter((value) => value !== '')) {
        lines.push(text);
        text = other;
      }
      between = '';
    }
    if (text !== '') lines.push(text);
  }
  for (const letter of left) lines.push(...(values[letter] ?? []).filter((value) => value !== ''));
  return lines;
}
