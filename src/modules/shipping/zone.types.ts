import { foldPostalCode, regionCodeOf, type Address } from '../addresses/address.types.ts';

/** What a zone covers. */
export interface ZoneCover {
  id: string;
  /** ISO 3166-1 alpha-2. */
  countries: readonly string[];
  /** Country and region, such as `US-CA`. */
  regions: readonly string[];
  /** Country and the beginning of a postal code without spaces and hyphens, such as `DE-10`. */
  postalPrefixes: readonly string[];
  /** Whether the zone covers every address that no other zone does. */
  isRest: boolean;
}

/** A part of the world with its own shipping methods and tax rates. */
export interface ShippingZone extends ZoneCover {
  name: string;
  /** Whether the zone is the shop's own, whose taxes count as long as there is no address. */
  isHome: boolean;
  createdAt: Date;
  updatedAt: Date;
}

// Any prefix is more specific than a region, a region than a country, a country than the rest of the world.
const [REST, COUNTRY, REGION, PREFIX] = [1, 2, 3, 4];

/** How closely a zone covers an address; 0: not at all. */
function closeness(zone: ZoneCover, place: { country: string; region: string | null; postalCode: string }): number {
  const { country, region, postalCode } = place;
  let longest = 0;
  for (const prefix of zone.postalPrefixes) {
    const digits = prefix.slice(country.length + 1);
    if (!prefix.startsWith(`${country}-`) || !postalCode.startsWith(digits)) continue;
    longest = Math.max(longest, digits.length);
  }
  if (longest > 0) return PREFIX + longest;
  if (region !== null && zone.regions.includes(`${country}-${region}`)) return REGION;
  if (zone.countries.includes(country)) return COUNTRY;
  return zone.isRest ? REST : 0;
}

/**
 * The zone that an address is in: the one with the longest prefix of the postal code, else with the region, else with the country,
 * else the rest of the world. Among equals the lower ID counts, so that the order of the zones never matters.
 * @returns null if no zone covers the address
 */
export function zoneOf<Zone extends ZoneCover>(
  zones: readonly Zone[],
  address: Pick<Address, 'countryCode' | 'region' | 'postalCode'>,
): Zone | null {
  const country = address.countryCode;
  const asksForRegion = zones.some(({ regions }) => regions.some((region) => region.startsWith(`${country}-`)));
  const region = asksForRegion && address.region !== null ? regionCodeOf(country, address.region) : null;
  const place = { country, region, postalCode: foldPostalCode(address.postalCode) };
  let best: { zone: Zone; close: number } | null = null;
  for (const zone of zones) {
    const close = closeness(zone, place);
    if (close === 0 || (best !== null && close < best.close)) continue;
    if (best === null || close > best.close || zone.id < best.zone.id) best = { zone, close };
  }
  return best?.zone ?? null;
}
