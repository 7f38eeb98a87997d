import { graphql } from '../../shared/graphql.ts';
import type { ShippingZoneCreateInput, StaffZoneFragment } from '../../generated/graphql.ts';
import { listOf } from '../parts/entered.ts';

export const ZONE = graphql(`
  fragment StaffZone on ShippingZone {
    id
    name
    countries
    regions
    postalPrefixes
    isRestOfWorld
    isHome
    updatedAt
  }
`);

/** A zone as the fields of the form have it. */
export interface ZoneDraft {
  name: string;
  countries: string;
  regions: string;
  postalPrefixes: string;
  isRestOfWorld: boolean;
  isHome: boolean;
}

export const EMPTY_ZONE: ZoneDraft = {
  name: '',
  countries: '',
  regions: '',
  postalPrefixes: '',
  isRestOfWorld: false,
  isHome: false,
};

/** A zone as the form edits it. */
export function draftOf({
  name,
  countries,
  regions,
  postalPrefixes,
  isRestOfWorld,
  isHome,
}: StaffZoneFragment): ZoneDraft {
  return {
    name,
    countries: countries.join(', '),
    regions: regions.join(', '),
    postalPrefixes: postalPrefixes.join(', '),
    isRestOfWorld,
    isHome,
  };
}

const ZONE_NAMES: Readonly<Record<keyof ZoneDraft, string>> = {
  name: 'Name',
  countries: 'Countries',
  regions: 'Regions',
  postalPrefixes: 'Beginnings of postal codes',
  isRestOfWorld: 'Rest of the world',
  isHome: 'Home zone',
};

/** Name and value of a field, for people who decide between two versions of a zone. */
export function zoneFieldInWords(field: keyof ZoneDraft, draft: ZoneDraft): [string, string] {
  const value = draft[field];
  return [ZONE_NAMES[field], typeof value === 'string' ? value : value ? 'yes' : 'no'];
}

/** What the API is to be sent. */
export function zoneOf({ name, countries, regions, postalPrefixes, ...flags }: ZoneDraft): ShippingZoneCreateInput {
  return {
    name,
    countries: listOf(countries),
    regions: listOf(regions),
    postalPrefixes: listOf(postalPrefixes),
    ...flags,
  };
}

const names = new Intl.DisplayNames(navigator.languages, { type: 'region' });
const SHOWN = 4;

/** What a zone covers, in a few words. */
export function coverInWords({ countries, regions, postalPrefixes, isRestOfWorld }: StaffZoneFragment): string {
  const places = [...countries.map((code) => names.of(code) ?? code), ...regions, ...postalPrefixes];
  const shown = places.slice(0, SHOWN).join(', ');
  const others = places.length - SHOWN;
  const listed = others > 0 ? `${shown} and ${others} more` : shown;
  if (!isRestOfWorld) return listed;
  return places.length === 0 ? 'All other addresses' : `${listed}, and all other addresses`;
}
