import { iso31661 } from 'iso-3166';
import { z } from 'zod';
import { because, lineOrNull, parseInput, plainText } from '../input.ts';
import type { InputPath } from '../user-error.ts';
import { addressFaults } from './address-rules.ts';

export { foldPostalCode, regionCodeOf } from './address-rules.ts';

/** A postal address, as it is stored with users, carts and orders. */
export interface Address {
  name: string;
  line1: string;
  line2: string | null;
  city: string;
  /** State, province or county, as the customer wrote it: a code such as `CA`, or a name. */
  region: string | null;
  /** Empty in countries without postal codes. */
  postalCode: string;
  /** ISO 3166-1 alpha-2. */
  countryCode: string;
}

/** The columns of an address in a table where it may be missing: all required ones are set, or none, by a CHECK. */
export type AddressColumns = { [Field in keyof Address]: Address[Field] | null };

/** The address in a row, or null if it has none. */
export function toAddress(columns: AddressColumns): Address | null {
  const { name, line1, line2, city, region, postalCode, countryCode: country } = columns;
  if (name === null || line1 === null || city === null || postalCode === null || country === null) return null;
  return { name, line1, line2, city, region, postalCode, countryCode: country };
}

const countries = new Set(iso31661.map((country) => country.alpha2));

const MAX_POSTAL_CODE = 20;

/** The country code of an input: ISO 3166-1 alpha-2, upper or lower case. */
export const countryCode: z.ZodType<string, string> = z
  .string()
  .transform((code) => code.trim().toUpperCase())
  .refine((code) => countries.has(code), because('COUNTRY_INVALID', 'is not an ISO 3166-1 alpha-2 code'));

/**
 * The address of an input. What is wrong in any country (too long, control characters) is INVALID_INPUT; what is wrong in the
 * country of the address is ADDRESS_INVALID.
 */
export const addressInput: z.ZodType<Address> = z
  .object({
    name: plainText(200),
    line1: plainText(200),
    line2: lineOrNull(200),
    city: plainText(100),
    region: lineOrNull(100),
    postalCode: lineOrNull(MAX_POSTAL_CODE).transform((code) => code ?? ''),
    countryCode,
  })
  .transform((address, ctx) => {
    for (const { field, reason, problem, parameters } of addressFaults(address)) {
      const { message, params } = because(reason, problem, parameters);
      ctx.addIssue({
        code: 'custom',
        input: address,
        path: [field],
        message,
        params: { ...params, code: 'ADDRESS_INVALID' },
      });
    }
    return address;
  });

/**
 * Parses a postal address.
 * @param path where the address is in the input of the mutation
 * @throws Refusal with one INVALID_INPUT or ADDRESS_INVALID for each fault, its path that of the field
 */
export function parseAddress(address: unknown, path: InputPath = []): Address {
  return parseInput(addressInput, address, path);
}
