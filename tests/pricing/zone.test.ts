import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zoneOf, type ZoneCover } from '../../src/modules/shipping/zone.types.ts';
import { ONCE } from '../support/sizes.ts';

const zone = (id: string, cover: Partial<ZoneCover>): ZoneCover => ({
  id,
  countries: [],
  regions: [],
  postalPrefixes: [],
  isRest: false,
  ...cover,
});

const ZONES = [
  zone('germany', { countries: ['DE', 'AT'] }),
  zone('berlin', { postalPrefixes: ['DE-10', 'DE-12'] }),
  zone('mitte', { postalPrefixes: ['DE-101'] }),
  zone('usa', { countries: ['US'] }),
  zone('west', { regions: ['US-CA', 'US-OR'] }),
  zone('bay', { postalPrefixes: ['US-94'] }),
  zone('ulster', { postalPrefixes: ['GB-BT'] }),
  zone('rest', { isRest: true }),
];

describe('the zone of an address', ONCE, () => {
  test.for<[string, string | null, string, string]>([
    ['DE', null, '80331', 'germany'],
    ['DE', null, '10999', 'berlin'],
    ['DE', null, '10115', 'mitte'],
    ['AT', null, '1010', 'germany'],
    ['US', 'NY', '10115', 'usa'],
    ['US', 'CA', '90001', 'west'],
    ['US', 'California', '90001', 'west'],
    ['US', 'oregon', '97001', 'west'],
    ['US', 'CA', '94103', 'bay'],
    ['US', null, '94103', 'bay'],
    ['GB', null, 'bt1 1aa', 'ulster'],
    ['GB', null, 'N1 9GU', 'rest'],
    ['HK', null, '', 'rest'],
    ['CA', 'CA', '10', 'rest'],
  ])('%s, %s, %s: %s', ([countryCode, region, postalCode, id]) => {
    expect(zoneOf(ZONES, { countryCode, region, postalCode })?.id).toBe(id);
  });

  test('is none where no zone covers the address', () => {
    const address = { countryCode: 'FR', region: null, postalCode: '75001' };
    expect(zoneOf([], address)).toBeNull();
    expect(zoneOf(ZONES.slice(0, -1), address)).toBeNull();
  });

  test('does not depend on the order of the zones', () => {
    const same = [...ZONES, zone('a', { countries: ['DE'] }), zone('z', { postalPrefixes: ['DE-10'], isRest: true })];
    const address = fc.record({
      countryCode: fc.constantFrom('DE', 'AT', 'US', 'GB', 'FR'),
      region: fc.constantFrom(null, 'CA', 'NY', 'California'),
      postalCode: fc.constantFrom('', '10115', '10999', '94103', '80331', 'BT1 1AA'),
    });
    fc.assert(
      fc.property(address, fc.shuffledSubarray(same, { minLength: same.length }), (given, shuffled) => {
        expect(zoneOf(shuffled, given)).toBe(zoneOf(same, given));
      }),
      { numRuns: 300 },
    );
  });
});
