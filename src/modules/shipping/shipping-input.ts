import { z } from 'zod';
import { countryCode, foldPostalCode, regionCodeOf } from '../addresses/address.types.ts';
import { amountInput, because, kept, lineOrNull, parseInput, plainText } from '../input.ts';
import type { MethodFields, NewShippingRate, ZoneFields } from './shipping.types.ts';

/*
 * What staff enter for zones and methods, parsed: everything that the database's CHECKs would refuse is refused here, with a path.
 */

const MAX_PLACES = 1000;
const MAX_RATES = 100;
const MAX_GRAMS = 10n ** 12n;

/** A list without duplicates; null and absent are an empty list. */
function places(entry: z.ZodType<string, string>) {
  return z
    .array(entry)
    .max(MAX_PLACES, `must have at most ${MAX_PLACES} entries`)
    .nullish()
    .transform((list) => [...new Set(list)].toSorted());
}

/** The country and the rest of a place such as `US-CA`; null if the text has another shape or no such country. */
function splitPlace(text: string): { country: string; rest: string } | null {
  const [, country, rest] = /^\s*([a-z]{2})-(.*\S)\s*$/i.exec(text) ?? [];
  const parsed = country === undefined ? null : countryCode.safeParse(country);
  return parsed?.success === true && rest !== undefined ? { country: parsed.data, rest } : null;
}

const region = plainText(100).transform((text, ctx) => {
  const place = splitPlace(text);
  const code = place === null ? null : regionCodeOf(place.country, place.rest);
  if (place !== null && code !== null) return `${place.country}-${code}`;
  ctx.addIssue({
    code: 'custom',
    input: text,
    ...because('MALFORMED', 'must be a country and a region, such as US-CA'),
  });
  return z.NEVER;
});

const postalPrefix = plainText(30).transform((text, ctx) => {
  const place = splitPlace(text);
  const prefix = place === null ? '' : foldPostalCode(place.rest);
  if (place !== null && prefix !== '') return `${place.country}-${prefix}`;
  const message = 'must be a country and the beginning of a postal code, such as DE-10';
  ctx.addIssue({ code: 'custom', input: text, ...because('MALFORMED', message) });
  return z.NEVER;
});

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value === true);

const zone = z.object({
  name: plainText(100),
  countries: places(countryCode),
  regions: places(region),
  postalPrefixes: places(postalPrefix),
  isRestOfWorld: flag,
  isHome: flag,
});

/** Parses a zone that is to be made. @throws Refusal */
export function parseNewZone(input: unknown): ZoneFields {
  const { isRestOfWorld: isRest, ...rest } = parseInput(zone, input);
  return { ...rest, isRest };
}

const zoneChanges = z.object({
  name: kept(zone.shape.name),
  countries: zone.shape.countries.exactOptional(),
  regions: zone.shape.regions.exactOptional(),
  postalPrefixes: zone.shape.postalPrefixes.exactOptional(),
  isRestOfWorld: flag.exactOptional(),
  isHome: flag.exactOptional(),
});

/** Parses the changes of a zone; null clears what can be cleared. @throws Refusal */
export function parseZoneChanges(input: unknown): Partial<ZoneFields> {
  const { isRestOfWorld: isRest, ...rest } = parseInput(zoneChanges, input);
  return isRest === undefined ? rest : { ...rest, isRest };
}

const grams = z.string().transform((text, ctx) => {
  const [, digits] = /^(\d+)(?:\.0*)?$/.exec(text) ?? [];
  const value = digits === undefined ? null : BigInt(digits);
  if (value !== null && value <= MAX_GRAMS) return value;
  const fault =
    value === null
      ? because('MALFORMED', 'must be a whole number of grams')
      : because('TOO_LARGE', `must be at most ${MAX_GRAMS}`, { max: String(MAX_GRAMS) });
  ctx.addIssue({ code: 'custom', input: text, ...fault });
  return z.NEVER;
});

function rate(currency: string) {
  const band = <Basis extends 'WEIGHT' | 'SUBTOTAL'>(basis: Basis, value: z.ZodType<bigint, string>) =>
    z.object({
      basis: z.literal(basis),
      from: value.nullish().transform((from) => from ?? 0n),
      to: value.nullish().transform((to) => to ?? null),
      price: amountInput(currency),
    });
  return z
    .discriminatedUnion('basis', [band('WEIGHT', grams), band('SUBTOTAL', amountInput(currency))])
    .transform(({ basis, from, to, price }, ctx): NewShippingRate => {
      if (to !== null && to <= from) {
        const fault = because('MALFORMED', 'must be greater than `from`');
        ctx.addIssue({ code: 'custom', input: to, path: ['to'], ...fault });
      }
      return { basis, fromValue: from, toValue: to, priceMinor: price };
    });
}

function methodShape(currency: string) {
  return {
    title: plainText(100),
    description: lineOrNull(500),
    deliveryEstimate: lineOrNull(100),
    freeFrom: amountInput(currency).nullish(),
    position: z.int().min(0, 'must not be negative').nullish(),
    rates: z.array(rate(currency)).min(1, 'must not be empty').max(MAX_RATES, `must have at most ${MAX_RATES} entries`),
  };
}

/** Parses a method that is to be made. @param taxCategoryId decoded by the caller @throws Refusal */
export function parseNewMethod(input: unknown, currency: string, taxCategoryId: string | null): MethodFields {
  const { freeFrom, position, ...rest } = parseInput(z.object(methodShape(currency)), input);
  return { ...rest, freeFromMinor: freeFrom ?? null, position: position ?? 0, taxCategoryId };
}

/** Parses the changes of a method, but for its tax category; null clears what can be cleared. @throws Refusal */
export function parseMethodChanges(input: unknown, currency: string): Partial<MethodFields> {
  const { title, description, deliveryEstimate, freeFrom, position, rates } = methodShape(currency);
  const schema = z.object({
    title: kept(title),
    description: description.exactOptional(),
    deliveryEstimate: deliveryEstimate.exactOptional(),
    freeFrom: freeFrom.exactOptional(),
    position: position.exactOptional(),
    rates: kept(rates),
  });
  const { freeFrom: freeFromMinor, position: place, ...rest } = parseInput(schema, input);
  return {
    ...rest,
    ...(freeFromMinor === undefined ? {} : { freeFromMinor }),
    ...(place === undefined ? {} : { position: place ?? 0 }),
  };
}
