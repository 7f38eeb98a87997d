import { z } from 'zod';
import { MAX_ADDRESS, readEmailAddress, type EmailAddressFault } from '../config/email-address.ts';
import {
  InvalidInputError,
  type ErrorParameters,
  type InvalidInputCode,
  type InvalidInputReason,
} from './invalid-input.ts';
import { fractionDigits, parseDecimal, toDecimal } from './money.ts';
import { Refusal, type InputPath } from './user-error.ts';

/** Control characters, line breaks among them: never part of a name, an address or a key. Halves of characters neither. */
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** What a check of zod's says of a value that fails it: the message, and for clients why. */
export function because(
  reason: InvalidInputReason,
  message: string,
  parameters: ErrorParameters = {},
): { message: string; params: { reason: InvalidInputReason; parameters: ErrorParameters } } {
  return { message, params: { reason, parameters } };
}

interface Reason {
  reason: InvalidInputReason;
  parameters: ErrorParameters;
  /** INVALID_INPUT unless the check says otherwise. */
  code?: InvalidInputCode;
}

/** Why a value failed: as the check says, else by what zod checked. */
function reasonOf(issue: z.core.$ZodIssue): Reason {
  if (issue.code === 'custom' && issue.params !== undefined) return issue.params as unknown as Reason;
  if (issue.code === 'too_small') {
    const parameters = { min: Number(issue.minimum) };
    if (issue.origin === 'string' || issue.origin === 'array') {
      if (issue.minimum === 1) return { reason: 'REQUIRED', parameters: {} };
      return { reason: issue.origin === 'string' ? 'TOO_SHORT' : 'TOO_FEW', parameters };
    }
    return { reason: 'TOO_SMALL', parameters };
  }
  if (issue.code === 'too_big') {
    const parameters = { max: Number(issue.maximum) };
    if (issue.origin === 'string') return { reason: 'TOO_LONG', parameters };
    return { reason: issue.origin === 'array' ? 'TOO_MANY' : 'TOO_LARGE', parameters };
  }
  return { reason: 'MALFORMED', parameters: {} };
}

/** Whether a text can be looked for at all; what has control characters is never found (and PostgreSQL takes no NUL). */
export function isPlain(text: string): boolean {
  return !CONTROL.test(text);
}

/** Control characters other than line breaks and tabs. */
const CONTROL_IN_LINES = /[^\P{Cc}\n\r\t]|\p{Cs}/u;

/** Text of any number of lines, which may be none; white space around it does not count. */
export function multilineText(most: number): z.ZodType<string, string> {
  return z
    .string()
    .refine(
      (text) => !CONTROL_IN_LINES.test(text),
      because('CONTROL_CHARACTERS', 'must not contain control characters'),
    )
    .transform((text) => text.replaceAll(/\r\n?/g, '\n').trim())
    .pipe(z.string().max(most, `must have at most ${most} characters`));
}

/** One line of text without control characters; white space around it does not count. */
export function plainText(most: number): z.ZodType<string, string> {
  return z
    .string()
    .refine(isPlain, because('CONTROL_CHARACTERS', 'must not contain line breaks or control characters'))
    .transform((text) => text.trim())
    .pipe(z.string().min(1, 'must not be empty').max(most, `must have at most ${most} characters`));
}

/** One line of text; null where it is left out, null or blank, as forms send a field that was not filled in. */
export function lineOrNull(most: number): z.ZodType<string | null> {
  return z.preprocess(
    (value) => (typeof value === 'string' && value.trim() === '' ? null : (value ?? null)),
    plainText(most).nullable(),
  );
}

const MAX_NOTE = 1000;

/** A note, in one or several lines; null if it is empty. */
export const optionalNote: z.ZodType<string | null, string | null | undefined> = multilineText(MAX_NOTE)
  .nullish()
  .transform((text) => (text == null || text === '' ? null : text));

const emailFaults: Record<EmailAddressFault, string> = {
  EMAIL_INVALID: 'is not an email address',
  EMAIL_NOT_ASCII: 'must contain only ASCII characters before the @',
  TOO_LONG: 'must have at most 254 characters',
};

/** An e-mail address as people give it; parsed, it is as mail goes to it, its domain in ASCII. */
export const emailAddress: z.ZodType<string, string> = z
  .string()
  .refine(isPlain, because('CONTROL_CHARACTERS', 'must not contain line breaks or control characters'))
  .transform((text, ctx) => {
    const read = readEmailAddress(text.trim());
    if ('address' in read) return read.address;
    const more = read.fault === 'TOO_LONG' ? { max: MAX_ADDRESS } : {};
    ctx.addIssue({ code: 'custom', input: text, ...because(read.fault, emailFaults[read.fault], more) });
    return z.NEVER;
  });

/** In an update: a field that cannot be cleared, and keeps its value if it is left out. */
export function kept<T>(schema: z.ZodType<T>) {
  return z
    .unknown()
    .refine((value): boolean => value !== null, { ...because('CANNOT_BE_CLEARED', 'cannot be cleared'), abort: true })
    .pipe(schema)
    .exactOptional();
}

/** The largest amount that staff may enter, in minor units. JavaScript counts exactly up to there. */
const MAX_AMOUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** An amount of money that is not negative, as decimal text; parsed, it is in minor units of the currency. */
export function amountInput(currency: string): z.ZodType<bigint, string> {
  return z.string().transform((text, ctx) => {
    const minor = parseDecimal(text, currency);
    const most = toDecimal({ minor: MAX_AMOUNT, currency });
    const fault =
      minor === null
        ? because('TOO_MANY_DECIMALS', `has more decimal places than ${currency}`, {
            currencyCode: currency,
            max: fractionDigits(currency),
          })
        : minor < 0n
          ? because('TOO_SMALL', 'must not be negative', { min: toDecimal({ minor: 0n, currency }) })
          : minor > MAX_AMOUNT
            ? because('TOO_LARGE', `must be at most ${most}`, { max: most })
            : null;
    if (fault !== null) ctx.addIssue({ code: 'custom', input: text, ...fault });
    return minor ?? 0n;
  });
}

/**
 * Parses a mutation's input, or a part of it.
 * @param at path of the part in the input
 * @throws Refusal with one INVALID_INPUT (or the code of the check) for each fault, its path that of the field in the input
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown, at: InputPath = []): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new Refusal(
    ...result.error.issues.map((issue) => {
      const path = [...at, ...issue.path.map(String)];
      const { reason, parameters, code } = reasonOf(issue);
      return new InvalidInputError(reason, `${path.at(-1) ?? 'input'} ${issue.message}.`, path, parameters, code);
    }),
  );
}
