import { iso31662 } from 'iso-3166';
import type { ErrorParameters, InvalidInputReason } from '../invalid-input.ts';
import { countryData } from './country-data.ts';

/** The part of an address that its country has rules for. */
interface Place {
  region: string | null;
  postalCode: string;
  countryCode: string;
}

/** Something that the country of an address does not allow. */
export interface AddressFault {
  field: 'region' | 'postalCode';
  reason: Extract<InvalidInputReason, 'REQUIRED' | 'REGION_INVALID' | 'POSTAL_CODE_INVALID'>;
  /** In words, to follow the name of the field. */
  problem: string;
  parameters: ErrorParameters;
}

/** Countries whose states have codes that everyone knows. Elsewhere names differ in language and spelling, so any is accepted. */
const KNOWN_REGIONS = new Set(['US', 'CA', 'AU']);

/** Shapes that stand in for those of the data, which list the postal areas in use and so refuse new ones. */
const shapes = new Map([['GB', '(?:[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}|BFPO ?\\d{1,4})']]);

const patterns = new Map<string, RegExp>();

function patternOf(countryCode: string, source: string): RegExp {
  let pattern = patterns.get(countryCode);
  if (pattern === undefined) {
    pattern = new RegExp(source, 'i');
    patterns.set(countryCode, pattern);
  }
  return pattern;
}

/** Text as names are compared: without case, accents, and punctuation. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toUpperCase();
}

/**
 * The code of a region within its country, such as `CA` for `California`, `ca` and `US-CA` in the US.
 * @returns the code in upper case; null if the country has no such region
 */
export function regionCodeOf(countryCode: string, region: string): string | null {
  const folded = fold(region);
  const short = folded.startsWith(`${countryCode} `) ? folded.slice(countryCode.length + 1) : folded;
  const found = regionsOf(countryCode).find((names) => names.has(folded) || names.has(short));
  return found === undefined ? null : ([...found][0] ?? null);
}

const regionsByCountry = new Map<string, readonly ReadonlySet<string>[]>();

/** The regions of a country: of each its code and its names, folded. */
function regionsOf(countryCode: string): readonly ReadonlySet<string>[] {
  let regions = regionsByCountry.get(countryCode);
  if (regions === undefined) {
    const known = countryData(countryCode)?.regions ?? [];
    const listed = iso31662
      .filter(({ code }) => code.startsWith(`${countryCode}-`))
      .map(({ code, name }) => [code.slice(countryCode.length + 1), name]);
    regions = [...known, ...listed].map((names) => new Set(names.map(fold)));
    regionsByCountry.set(countryCode, regions);
  }
  return regions;
}

/** A postal code as it is compared: in capitals, without spaces and hyphens. */
export function foldPostalCode(postalCode: string): string {
  return postalCode
    .normalize('NFKC')
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .toUpperCase();
}

function regionFault({ region, countryCode }: Place, isRequired: boolean): AddressFault | null {
  if (region === null) {
    if (!isRequired) return null;
    const problem = `is required in ${countryCode}: the state, province or county`;
    return { field: 'region', reason: 'REQUIRED', problem, parameters: {} };
  }
  if (!KNOWN_REGIONS.has(countryCode) || regionCodeOf(countryCode, region) !== null) return null;
  const problem = `is not a state or province of ${countryCode}, neither by its code nor by its name`;
  return { field: 'region', reason: 'REGION_INVALID', problem, parameters: { countryCode } };
}

function postalCodeFault(
  { postalCode, countryCode }: Place,
  rules: { pattern: string | null; isRequired: boolean },
): AddressFault | null {
  if (postalCode === '') {
    if (!rules.isRequired) return null;
    return { field: 'postalCode', reason: 'REQUIRED', problem: `is required in ${countryCode}`, parameters: {} };
  }
  if (rules.pattern === null) return null;
  const written = postalCode
    .normalize('NFKC')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{Pd}/gu, '-');
  if (patternOf(countryCode, rules.pattern).test(written)) return null;
  const problem = `is not a postal code of ${countryCode}`;
  return { field: 'postalCode', reason: 'POSTAL_CODE_INVALID', problem, parameters: { countryCode } };
}

/** What a country requires of an address. */
export interface AddressRules {
  /** Whether the country is among the data; otherwise it requires nothing. */
  isKnown: boolean;
  isRegionRequired: boolean;
  isPostalCodeRequired: boolean;
  /** A regular expression for the whole postal code, without regard to case; null: the country has no format. */
  postalCodePattern: string | null;
}

/** The rules of a country, with the data of Google's libaddressinput. */
export function rulesOf(countryCode: string): AddressRules {
  const data = countryData(countryCode);
  const required = data?.required ?? '';
  const source = data?.postalCode ?? null;
  return {
    isKnown: data !== null,
    // In some countries (Hong Kong, the Emirates, Japan) the region stands in the place of the city, which every address has here.
    isRegionRequired: required.includes('S') && required.includes('C'),
    isPostalCodeRequired: source !== null && required.includes('Z'),
    postalCodePattern: source === null ? null : `^(?:${shapes.get(countryCode) ?? source})$`,
  };
}

/** A region of a country, such as `CA`, `California`. */
export interface Region {
  code: string;
  name: string;
}

/** The regions of a country where no others are accepted; elsewhere none, and any text is accepted. */
export function listedRegions(countryCode: string): Region[] {
  if (!KNOWN_REGIONS.has(countryCode)) return [];
  return (countryData(countryCode)?.regions ?? []).map(([code, name]) => ({ code, name }));
}

/** What the country of an address requires and the address does not have: the region, the postal code, and its format. */
export function addressFaults(address: Place): AddressFault[] {
  const { isKnown, isRegionRequired, isPostalCodeRequired, postalCodePattern } = rulesOf(address.countryCode);
  if (!isKnown) return [];
  return [
    regionFault(address, isRegionRequired),
    postalCodeFault(address, { pattern: postalCodePattern, isRequired: isPostalCodeRequired }),
  ].filter((fault) => fault !== null);
}
