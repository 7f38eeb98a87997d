import { iso31661 } from 'iso-3166';
import { describe, expect, test } from 'vitest';
import { countryData } from '../../../src/modules/addresses/country-data.ts';

describe('the data of countries', () => {
  test('have every country', () => {
    const missing = iso31661.map(({ alpha2 }) => alpha2).filter((code) => countryData(code) === null);
    expect(missing).toEqual([]);
    expect([countryData('XX'), countryData('constructor')]).toEqual([null, null]);
  });

  test('can be used: each postal code is a regular expression, each format and requirement has parts that are known', () => {
    for (const { alpha2 } of iso31661) {
      const data = countryData(alpha2);
      if (data === null) continue;
      expect(() => new RegExp(data.postalCode ?? '', 'i'), alpha2).not.toThrow();
      expect(data.format ?? '%A', alpha2).toMatch(/%A/);
      expect(data.required ?? '', alpha2).toMatch(/^[ACDNOSXZ]*$/);
    }
  });

  test('have the regions on which shipping and tax depend', () => {
    const codes = (country: string) => countryData(country)?.regions.map(([code]) => code) ?? [];
    expect(codes('US')).toEqual(expect.arrayContaining(['CA', 'NY', 'TX', 'DC', 'PR']));
    expect(codes('CA')).toEqual(['AB', 'BC', 'MB', 'NB', 'NL', 'NT', 'NS', 'NU', 'ON', 'PE', 'QC', 'SK', 'YT']);
    expect(codes('AU')).toEqual(expect.arrayContaining(['ACT', 'NSW', 'NT', 'QLD', 'SA', 'TAS', 'VIC', 'WA']));
  });
});
