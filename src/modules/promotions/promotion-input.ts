import { iso31661 } from 'iso-3166';
import { z } from 'zod';
import { because, parseInput, plainText } from '../input.ts';
import { fractionDigits, parseDecimal, toDecimal } from '../money.ts';
import { parsePercent } from '../percent.ts';
import { LimitExceededError, Refusal } from '../user-error.ts';
import { RANDOM_LENGTH } from './code-generator.ts';
import { MAX_CODE_LENGTH, normalizeCode, trimCode } from './code.ts';
import { faultsOfTerms } from './promotion-rules.ts';
import { ID_LISTS, KINDS, SCOPES, TRIGGERS } from './promotion.types.ts';
import type { IdList, NewCode, NewPromotion, PromotionChanges, PromotionTerms } from './promotion.types.ts';

/*
 * What staff enter about promotions, parsed: everything that the database's CHECKs would reject is rejected here, with a path.
 */

/** The most that the shop takes of something in one call. */
export const MAX = { list: 500, codes: 1000, generated: 10_000, prefix: 20 } as const;

/** The largest amount, in minor units. */
const MAX_MINOR = 10n ** 15n;
const MAX_INT = 2 ** 31 - 1;
const MAX_PPM = 1_000_000n;

const countryCodes = new Set(iso31661.map(({ alpha2 }) => alpha2));

/** An amount of the shop's currency, in minor units. */
function amount(currency: string, least: 0n | 1n): z.ZodType<bigint, string> {
  const digits = fractionDigits(currency);
  const inUnits = (minor: bigint) => toDecimal({ minor, currency });
  return z.string().transform((text, ctx) => {
    const minor = parseDecimal(text, currency);
    const refuse = (fault: ReturnType<typeof because>) => {
      ctx.addIssue({ code: 'custom', ...fault });
      return z.NEVER;
    };
    if (minor === null) {
      const parameters = { currencyCode: currency, max: digits };
      return refuse(because('TOO_MANY_DECIMALS', `has more decimal places than ${currency}`, parameters));
    }
    if (minor < least) {
      const message = least === 0n ? 'must not be negative' : 'must be greater than 0';
      return refuse(because('TOO_SMALL', message, { min: inUnits(least) }));
    }
    if (minor > MAX_MINOR) {
      return refuse(because('TOO_LARGE', `must be at most ${inUnits(MAX_MINOR)}`, { max: inUnits(MAX_MINOR) }));
    }
    return minor;
  });
}

/** A percentage above 0 and up to 100, in parts per million. */
const percent: z.ZodType<number, string> = z.string().transform((text, ctx) => {
  const ppm = parsePercent(text);
  const refuse = (fault: ReturnType<typeof because>) => {
    ctx.addIssue({ code: 'custom', ...fault });
    return z.NEVER;
  };
  if (ppm === null) return refuse(because('MALFORMED', 'must have at most 4 decimal places'));
  if (ppm < 1n) return refuse(because('TOO_SMALL', 'must be greater than 0', { min: '0.0001' }));
  if (ppm > MAX_PPM) return refuse(because('TOO_LARGE', 'must be at most 100', { max: '100' }));
  return Number(ppm);
});

const title = plainText(255);
const positive = z.int().min(1, 'must be greater than 0').max(MAX_INT);
const natural = z.int().min(0, 'must not be negative').max(MAX_INT);
const instant = z.date();

/** A list without repetitions; null and a list that is left out are empty. */
function listOf<T>(item: z.ZodType<T>) {
  return z
    .array(item)
    .nullish()
    .transform((list) => [...new Set(list)]);
}

const tag = plainText(100);
/** A country code, in capital letters. */
export const country: z.ZodType<string, string> = z
  .string()
  .transform((code) => code.trim().toUpperCase())
  .refine((code) => countryCodes.has(code), because('COUNTRY_INVALID', 'must be an ISO 3166-1 alpha-2 country code'));

/** In an update: a value that cannot be cleared, and stays if it is left out. */
function kept<T>(schema: z.ZodType<T>) {
  return z
    .unknown()
    .refine((value): boolean => value !== null, { ...because('CANNOT_BE_CLEARED', 'cannot be cleared'), abort: true })
    .pipe(schema)
    .exactOptional();
}

function orNull<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? null);
}

const ids = listOf(z.string());
const idLists = Object.fromEntries(Object.keys(ID_LISTS).map((name) => [name, ids])) as Record<IdList, typeof ids>;

/** Terms that can be left out, and cleared. */
function optionalTerms(currency: string) {
  return {
    ...idLists,
    tags: listOf(tag),
    excludedTags: listOf(tag),
    getTags: listOf(tag),
    countries: listOf(country),
    combinesWith: listOf(z.enum(SCOPES)),
    maxSets: orNull(positive),
    minSubtotal: orNull(amount(currency, 0n)),
    minQuantity: orNull(natural),
    firstOrderOnly: z
      .boolean()
      .nullish()
      .transform((value) => value ?? false),
    endsAt: orNull(instant),
    priority: z
      .int()
      .min(-MAX_INT)
      .max(MAX_INT)
      .nullish()
      .transform((value) => value ?? 0),
    usageLimit: orNull(positive),
    usageLimitPerCustomer: orNull(positive),
    budget: orNull(amount(currency, 1n)),
  };
}

/** How the fields of the input that hold amounts are called inside. */
const RENAMED = {
  percent: 'percentPpm',
  amount: 'amountMinor',
  minSubtotal: 'minSubtotalMinor',
  budget: 'budgetMinor',
} as const;

function renamed(parsed: object): object {
  return Object.fromEntries(
    Object.entries(parsed).map(([field, value]) => [RENAMED[field as keyof typeof RENAMED] ?? field, value as unknown]),
  );
}

const LISTS = [...Object.keys(ID_LISTS), 'tags', 'excludedTags', 'getTags', 'countries'];

// Before each entry is looked at: a list may be as long as a request.
function assertListsFit(input: Readonly<Record<string, unknown>>): void {
  const faults = LISTS.flatMap((field) => {
    const requested = (input[field] as unknown[] | null | undefined)?.length ?? 0;
    if (requested <= MAX.list) return [];
    const message = `A promotion can have at most ${MAX.list} entries in ${field}.`;
    return [new LimitExceededError({ message, path: [field], limit: MAX.list, requested })];
  });
  if (faults.length > 0) throw new Refusal(...faults);
}

/** Codes as staff entered them. Each must differ from all others. */
function codes(most: number) {
  return z
    .array(z.string())
    .max(most, `must have at most ${most} entries`)
    .transform((list, ctx): NewCode[] => {
      const seen = new Set<string>();
      return list.flatMap((text, index) => {
        const normalized = normalizeCode(text);
        const refuse = (fault: ReturnType<typeof because>) => {
          ctx.addIssue({ code: 'custom', path: [index], ...fault });
          return [];
        };
        if (normalized === null) {
          const message = `must be a code of 1 to ${MAX_CODE_LENGTH} characters without control characters`;
          return refuse(because('MALFORMED', message));
        }
        if (seen.has(normalized)) return refuse(because('NAMED_TWICE', 'repeats an earlier code'));
        seen.add(normalized);
        return [{ code: trimCode(text), normalized }];
      });
    });
}

/**
 * Parses a promotion that is to be created. IDs are those of rows.
 * @throws Refusal
 */
export function parseNewPromotion(input: Readonly<Record<string, unknown>>, currency: string): NewPromotion {
  assertListsFit(input);
  const schema = z.object({
    ...optionalTerms(currency),
    title,
    trigger: z.enum(TRIGGERS),
    scope: z.enum(SCOPES),
    kind: z.enum(KINDS),
    percent: orNull(percent),
    amount: orNull(amount(currency, 1n)),
    buyQuantity: orNull(positive),
    getQuantity: orNull(positive),
    startsAt: orNull(instant),
    codes: codes(MAX.codes)
      .nullish()
      .transform((list) => list ?? []),
  });
  const { codes: entered, ...rest } = parseInput(schema, input);
  const terms = renamed(rest) as NewPromotion['terms'];
  // Units that are got for nothing: what most such promotions are about.
  if (terms.kind === 'BUY_X_GET_Y') terms.percentPpm ??= Number(MAX_PPM);
  const faults = faultsOfTerms({ ...terms, codes: entered });
  if (faults.length > 0) throw new Refusal(...faults);
  return { terms, codes: entered };
}

/**
 * Parses changes of a promotion: null clears what can be cleared, and what is left out stays. IDs are those of rows.
 * @throws Refusal
 */
export function parsePromotionChanges(input: Readonly<Record<string, unknown>>, currency: string): PromotionChanges {
  assertListsFit(input);
  const optional = optionalTerms(currency);
  // What is left out must not be filled with its default.
  const present = Object.fromEntries(Object.entries(optional).filter(([field]) => input[field] !== undefined));
  const schema = z.object({
    ...present,
    title: kept(title),
    percent: kept(percent),
    amount: kept(amount(currency, 1n)),
    buyQuantity: kept(positive),
    getQuantity: kept(positive),
    startsAt: kept(instant),
  });
  return renamed(parseInput<object>(schema, input));
}

/** Parses codes that are to be added or removed. @throws Refusal */
export function parseCodes(input: { codes: readonly string[] }): NewCode[] {
  return parseInput(
    z.object({ codes: codes(MAX.codes).refine((list) => list.length > 0, because('REQUIRED', 'must not be empty')) }),
    input,
  ).codes;
}

const generation = z.object({
  count: z
    .int()
    .min(1, 'must be greater than 0')
    .max(MAX.generated, `must be at most ${MAX.generated.toLocaleString('en')}`),
  prefix: z
    .string()
    .nullish()
    .transform((prefix) => trimCode(prefix ?? ''))
    .pipe(z.string().max(MAX.prefix, `must have at most ${MAX.prefix} characters`))
    .refine(
      (prefix) => prefix === '' || normalizeCode(prefix) !== null,
      because('CONTROL_CHARACTERS', 'must not contain control characters'),
    ),
  length: z
    .int()
    .min(RANDOM_LENGTH.min, `must be at least ${RANDOM_LENGTH.min}`)
    .max(RANDOM_LENGTH.max, `must be at most ${RANDOM_LENGTH.max}`)
    .nullish()
    .transform((length) => length ?? RANDOM_LENGTH.usual),
});

/** Codes that are to be generated. */
export type CodeGeneration = z.output<typeof generation>;

/** Parses how codes are to be generated. @throws Refusal */
export function parseGeneration(input: object): CodeGeneration {
  return parseInput(generation, input);
}

/** Terms by the names of the input's fields, for the record of staff. */
export function recordedTerms(terms: PromotionTerms, currency: string, toPercent: (ppm: number) => string): object {
  const decimal = (minor: bigint | null) => (minor === null ? null : toDecimal({ minor, currency }));
  const { percentPpm, amountMinor, minSubtotalMinor, budgetMinor, ...rest } = terms;
  return {
    ...Object.fromEntries(
      Object.entries(rest).map(([field, value]) => [
        field,
        Array.isArray(value) && value.length === 0 ? null : (value as unknown),
      ]),
    ),
    percent: percentPpm === null ? null : toPercent(percentPpm),
    amount: decimal(amountMinor),
    minSubtotal: decimal(minSubtotalMinor),
    budget: decimal(budgetMinor),
  };
}
