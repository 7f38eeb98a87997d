import { readFileSync } from 'node:fs';

/*
 * The address formats of all countries: the data of Google's libaddressinput, in country-data.json beside this file.
 * `npm run address-data` renews that file.
 */

/** How addresses of a country look. The parts are N (name), A (street), C (town), S (region), Z (postal code) and others. */
export interface CountryData {
  /** The parts in the order in which they are written in Latin script, each after a `%`; `%n` ends a line. Null: not known. */
  format: string | null;
  /** The form of a postal code, a regular expression; null: the country has no postal codes, or none is known. */
  postalCode: string | null;
  /** The letters of the parts that must be there; null: not known. */
  required: string | null;
  /** Its regions: of each the code, or the name in Latin script, and its name. */
  regions: readonly (readonly [key: string, name: string])[];
}

let countries: Readonly<Record<string, CountryData>> | null = null;

/** @returns null for a country that is not among the data */
export function countryData(countryCode: string): CountryData | null {
  // Read when it is first needed: most starts never do.
  countries ??= JSON.parse(readFileSync(new URL('country-data.json', import.meta.url), 'utf8')) as Record<
    string,
    CountryData
  >;
  return Object.hasOwn(countries, countryCode) ? (countries[countryCode] ?? null) : null;
}
