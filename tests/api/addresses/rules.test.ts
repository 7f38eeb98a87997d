import { describe, expect, test } from 'vitest';
import { parseAddress, type Address } from '../../../src/modules/addresses/address.types.ts';
import { regionCodeOf } from '../../../src/modules/addresses/address-rules.ts';
import { InvalidInputError } from '../../../src/modules/invalid-input.ts';
import { Refusal } from '../../../src/modules/user-error.ts';

type Given = Partial<Record<keyof Address, string | null>> & { countryCode: string };

/** The faults of an address, each as `CODE REASON path`; empty if it is accepted. */
function faultsOf(given: Given): string[] {
  try {
    parseAddress({ name: 'Ada', line1: '1 Street', city: 'Town', ...given }, ['shippingAddress']);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.errors.map((fault) => {
      expect(fault).toBeInstanceOf(InvalidInputError);
      return `${fault.code} ${fault instanceof InvalidInputError ? fault.reason : '-'} ${fault.path?.join('.')}`;
    });
  }
}

const NO_CODE = 'ADDRESS_INVALID REQUIRED shippingAddress.postalCode';
const WRONG_CODE = 'ADDRESS_INVALID POSTAL_CODE_INVALID shippingAddress.postalCode';
const NO_REGION = 'ADDRESS_INVALID REQUIRED shippingAddress.region';
const WRONG_REGION = 'ADDRESS_INVALID REGION_INVALID shippingAddress.region';

describe('an address is accepted', () => {
  test.for<Given>([
    { countryCode: 'DE', postalCode: '10115' },
    { countryCode: 'de', postalCode: ' 10115 ' },
    { countryCode: 'GB', postalCode: 'N1 9GU' },
    { countryCode: 'GB', postalCode: 'n19gu' },
    { countryCode: 'GB', postalCode: 'SW1A\u00a01AA' },
    { countryCode: 'US', postalCode: '94103', region: 'CA' },
    { countryCode: 'US', postalCode: '94103-1234', region: 'california' },
    { countryCode: 'US', postalCode: '09001', region: 'AE' },
    { countryCode: 'US', postalCode: '94103', region: 'US-CA' },
    { countryCode: 'CA', postalCode: 'H2Y 1C6', region: 'Québec' },
    { countryCode: 'CA', postalCode: 'k1a 0b1', region: 'Ontario' },
    { countryCode: 'AU', postalCode: '2000', region: 'New South Wales' },
    { countryCode: 'IT', postalCode: '00184', region: 'Provincia di Roma' },
    { countryCode: 'JP', postalCode: '100-0001' },
    { countryCode: 'JP', postalCode: '１００−０００１'.replace('−', '-') },
    { countryCode: 'NL', postalCode: '1012 AB' },
    { countryCode: 'PL', postalCode: '00–950' },
    { countryCode: 'HK', postalCode: '' },
    { countryCode: 'HK', postalCode: '999077' },
    { countryCode: 'AE', postalCode: '  ' },
    { countryCode: 'IE', postalCode: '' },
    { countryCode: 'IE', postalCode: 'D02 AF30' },
    { countryCode: 'AQ', postalCode: '' },
  ])('$countryCode, $region $postalCode', (given) => {
    expect(faultsOf(given)).toEqual([]);
  });
});

describe('an address is refused', () => {
  test.for<[Given, string[]]>([
    [{ countryCode: 'DE', postalCode: '' }, [NO_CODE]],
    [{ countryCode: 'DE', postalCode: '1011' }, [WRONG_CODE]],
    [{ countryCode: 'DE', postalCode: '101155' }, [WRONG_CODE]],
    [{ countryCode: 'GB', postalCode: 'N1' }, [WRONG_CODE]],
    [{ countryCode: 'GB', postalCode: '10115' }, [WRONG_CODE]],
    [{ countryCode: 'IE', postalCode: 'Dublin 2' }, [WRONG_CODE]],
    [{ countryCode: 'US', postalCode: '94103' }, [NO_REGION]],
    [{ countryCode: 'US', postalCode: '94103', region: ' ' }, [NO_REGION]],
    [{ countryCode: 'US', postalCode: '94103', region: 'Calif.' }, [WRONG_REGION]],
    [{ countryCode: 'US', postalCode: '9410', region: 'ON' }, [WRONG_REGION, WRONG_CODE]],
    [{ countryCode: 'US', postalCode: '' }, [NO_REGION, NO_CODE]],
    [{ countryCode: 'BR', postalCode: '01310-100' }, [NO_REGION]],
    [{ countryCode: 'XX', postalCode: 'D' }, ['INVALID_INPUT COUNTRY_INVALID shippingAddress.countryCode']],
    [{ countryCode: 'DE', postalCode: 'x'.repeat(21) }, ['INVALID_INPUT TOO_LONG shippingAddress.postalCode']],
    [{ countryCode: 'US', postalCode: '1', city: '' }, ['INVALID_INPUT REQUIRED shippingAddress.city']],
  ])('%o', ([given, faults]) => {
    expect(faultsOf(given)).toEqual(faults);
  });

  test('with the country as a parameter', () => {
    expect(() => parseAddress({ name: 'A', line1: 'B', city: 'C', postalCode: 'D', countryCode: 'DE' })).toThrow(
      expect.objectContaining({
        errors: [
          expect.objectContaining({
            message: 'postalCode is not a postal code of DE.',
            path: ['postalCode'],
            parameters: { countryCode: 'DE' },
          }),
        ],
      }),
    );
  });
});

test('a region has one code, however it is written', () => {
  for (const region of ['CA', 'ca', 'US-CA', 'California', ' CALIFORNIA '])
    expect(regionCodeOf('US', region)).toBe('CA');
  for (const region of ['QC', 'Quebec', 'Québec']) expect(regionCodeOf('CA', region)).toBe('QC');
  expect(regionCodeOf('US', 'Ontario')).toBeNull();
  for (const region of ['BY', 'de-by', 'Bayern']) expect(regionCodeOf('DE', region)).toBe('BY');
  expect(regionCodeOf('DE', 'Bavaria')).toBeNull();
});
