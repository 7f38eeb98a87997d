/** Where something is sent, as far as zones look at it. */
export interface Destination {
  /** ISO 3166-1 alpha-2. */
  countryCode: string;
  /** With or without the country: `CA` or `US-CA`. */
  region: string | null;
  postalCode: string;
}

/** A part of the world. */
export interface Zone {
  id: string;
  countries: readonly string[];
  /** Country and region, such as `US-CA`. */
  regions: readonly string[];
  /** Country and the beginning of a postal code, such as `DE-10`. */
  postalPrefixes: readonly string[];
  /** Every address that is in no other zone. */
  isRest: boolean;
}

function plain(text: string): string {
  return text.toUpperCase().replaceAll(/[\s-]/g, '');
}

/** How well a zone fits: the longer a postal prefix the better, then a region, then a country, then the rest; 0: not at all. */
function fitOf(zone: Zone, { countryCode, region, postalCode }: Destination): number {
  const code = plain(postalCode);
  let longest = 0;
  for (const entry of zone.postalPrefixes) {
    const [country, ...rest] = entry.split('-');
    const prefix = plain(rest.join(''));
    if (country === countryCode && prefix !== '' && code.startsWith(prefix)) longest = Math.max(longest, prefix.length);
  }
  if (longest > 0) return 10 + longest;
  if (region !== null) {
    const name = region.trim().toUpperCase();
    const full = name.startsWith(`${countryCode}-`) ? name : `${countryCode}-${name}`;
    if (zone.regions.includes(full)) return 3;
  }
  if (zone.countries.includes(countryCode)) return 2;
  return zone.isRest ? 1 : 0;
}

/** The zone that an address is in, the most specific first and then the one with the lowest id; null: none. */
export function zoneOf<T extends Zone>(zones: readonly T[], destination: Destination): T | null {
  let found: T | null = null;
  let best = 0;
  for (const zone of zones) {
    const fit = fitOf(zone, destination);
    if (fit > best || (fit === best && fit > 0 && found !== null && zone.id < found.id)) {
      best = fit;
      found = zone;
    }
  }
  return found;
}
