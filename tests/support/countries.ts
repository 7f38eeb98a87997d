import { iso31661 } from 'iso-3166';

/** ISO 3166-1 alpha-2 codes of all countries. */
export const countries: readonly string[] = iso31661.map(({ alpha2 }) => alpha2);
