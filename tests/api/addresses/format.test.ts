import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressFormat, addressLines } from '../../../src/modules/addresses/address-format.ts';
import { parseAddress } from '../../../src/modules/addresses/address.types.ts';
import { countries } from '../../support/countries.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

const fieldsOf = (countryCode: string) =>
  addressFormat(countryCode).fields.map(({ name, label, isRequired }) => `${name} ${label}${isRequired ? ' *' : ''}`);

const STREET = ['NAME Full name *', 'LINE1 Street and number *', 'LINE2 Apartment, floor, company'];

describe('the form of an address', () => {
  test.for([
    ['US', ['CITY Town or city *', 'REGION State *', 'POSTAL_CODE ZIP code *']],
    ['DE', ['POSTAL_CODE Postal code *', 'CITY Town or city *']],
    ['GB', ['CITY Town or city *', 'POSTAL_CODE Postcode *']],
    ['IE', ['CITY Town or city *', 'REGION County', 'POSTAL_CODE Eircode']],
    // The region stands in the place of the town, which the shop asks for in every country.
    ['HK', ['CITY Town or city *', 'REGION Area']],
    ['JP', ['CITY Town or city *', 'REGION Prefecture', 'POSTAL_CODE Postal code *']],
    // Nothing is known of its addresses.
    ['AQ', ['CITY Town or city *', 'REGION Province']],
  ] as const)('of %s has the fields of the country in its order', ([countryCode, fields]) => {
    expect(fieldsOf(countryCode)).toEqual([...STREET, ...fields]);
  });

  test('lists regions where no others are accepted', () => {
    expect(addressFormat('US').regions).toContainEqual({ code: 'CA', name: 'California' });
    expect(addressFormat('CA').regions).toHaveLength(13);
    expect(addressFormat('DE').regions).toEqual([]);
  });

  test.for(countries)('of %s asks for all that the country requires, and its regions are accepted', (countryCode) => {
    const { fields, postalCodePattern, regions } = addressFormat(countryCode);
    const asked = new Set(fields.map(({ name }) => name));
    expect(asked.size).toBe(fields.length);
    expect(asked.has('NAME') && asked.has('LINE1') && asked.has('CITY')).toBe(true);
    if (postalCodePattern !== null) expect(asked.has('POSTAL_CODE')).toBe(true);
    const given = { name: 'Ada', line1: '1', city: 'Town', postalCode: '', countryCode };
    const missing = (fault: unknown) => (fault as { errors: { path: string[]; reason: string }[] }).errors;
    try {
      parseAddress(given);
    } catch (refusal) {
      const names = { region: 'REGION', postalCode: 'POSTAL_CODE' } as const;
      for (const { path } of missing(refusal)) {
        const name = names[path[0] as keyof typeof names];
        expect(fields.find((field) => field.name === name)).toMatchObject({ isRequired: true });
      }
    }
    for (const { code } of regions) {
      expect(() => parseAddress({ ...given, region: code })).not.toThrow(/region/);
    }
  });
});

describe('an address in writing', () => {
  const ada = { name: 'Ada', line1: '1 Street', line2: 'Flat 2', region: null };
  test.for([
    [{ city: 'Los Angeles', region: 'CA', postalCode: '90210', countryCode: 'US' }, ['Los Angeles, CA 90210']],
    [{ city: 'Berlin', postalCode: '10115', countryCode: 'DE' }, ['10115 Berlin']],
    [{ city: 'London', postalCode: 'N1 9GU', countryCode: 'GB' }, ['London', 'N1 9GU']],
    [
      { city: 'Berlin', region: 'Land Berlin', postalCode: '10115', countryCode: 'DE' },
      ['10115 Berlin', 'Land Berlin'],
    ],
    [{ city: 'Station', postalCode: '', countryCode: 'AQ' }, ['Station']],
    [{ city: 'Recife', region: 'PE', postalCode: '50000-000', countryCode: 'BR' }, ['Recife-PE', '50000-000']],
  ] as const)('%j', ([place, lines]) => {
    const written = addressLines({ ...ada, ...place });
    expect(written).toEqual(['Ada', '1 Street', 'Flat 2', ...lines]);
  });

  test('has the town on the line of the street where the country has no town of its own', () => {
    const shibuya = { city: 'Shibuya', region: 'Tokyo', postalCode: '150-0001', countryCode: 'JP' };
    expect(addressLines({ ...ada, ...shibuya, line2: null })).toEqual(['Ada', '1 Street, Shibuya, Tokyo', '150-0001']);
  });
});

describe('over the API', () => {
  let shop: QuietShop;
  beforeAll(async () => {
    shop = await openQuietShop();
  });
  afterAll(() => shop.dispose());

  test('anyone can ask for the format of a country, and an unknown country has none', async () => {
    const document = `query ($code: String!) { addressFormat(countryCode: $code) {
      countryCode postalCodePattern fields { name label isRequired } regions { code } } }`;
    const { addressFormat: german } = await shop.client().data<{ addressFormat: object }>(document, { code: 'de' });
    expect(german).toEqual(JSON.parse(JSON.stringify({ ...addressFormat('DE'), regions: [] })));
    expect(await shop.client().data(document, { code: 'XX' })).toEqual({ addressFormat: null });
  });
});
