import { z } from 'zod';
import { readEmailAddress, type EmailAddressFault } from '../config/email-address.ts';
import { GenericError, Refusal } from './user-error.ts';

/** Control characters, line breaks among them: never part of a name, an address or a key. Halves of characters neither. */
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** Whether a text can be looked for at all; what has control characters is never found (and PostgreSQL takes no NUL). */
export function isPlain(text: string): boolean {
  return !CONTROL.test(text);
}

/** The same, but for line breaks and tabs. */
const CONTROL_IN_LINES = /[^\P{Cc}\n\r\t]|\p{Cs}/u;

/** Text of any number of lines, which may be none; white space around it does not count. */
export function multilineText(most: number): z.ZodType<string, string> {
  return z
    .string()
    .refine((text) => !CONTROL_IN_LINES.test(text), 'must not contain control characters')
    .transform((text) => text.replaceAll(/\r\n?/g, '\n').trim())
    .pipe(z.string().max(most, `must have at most ${most} characters`));
}

/** One line of text without control characters; white space around it does not count. */
export function plainText(most: number): z.ZodType<string, string> {
  return z
    .string()
    .refine(isPlain, 'must not contain line breaks or control characters')
    .transform((text) => text.trim())
    .pipe(z.string().min(1, 'must not be empty').max(most, `must have at most ${most} characters`));
}

const MAX_NOTE = 1000;

/** What somebody says about what they do, in one or several lines; null where that is nothing. */
export const optionalNote: z.ZodType<string | null, string | null | undefined> = multilineText(MAX_NOTE)
  .nullish()
  .transform((text) => (text == null || text === '' ? null : text));

const emailFaults: Record<EmailAddressFault, string> = {
  EMAIL_INVALID: 'is not an e-mail address',
  EMAIL_NOT_ASCII: 'must have only letters of ASCII before the @',
  TOO_LONG: 'must have at most 254 characters',
};

/** An e-mail address as people give it; parsed, it is as mail goes to it, its domain in ASCII. */
export const emailAddress: z.ZodType<string, string> = z
  .string()
  .refine(isPlain, 'must not contain line breaks or control characters')
  .transform((text, ctx) => {
    const read = readEmailAddress(text.trim());
    if ('address' in read) return read.address;
    ctx.addIssue({ code: 'custom', message: emailFaults[read.fault], input: text });
    return z.NEVER;
  });

/**
 * Parses a mutation's input.
 * @throws Refusal with one INVALID_INPUT for each fault, its path that of the field in the input
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new Refusal(
    ...result.error.issues.map((issue) => {
      const path = issue.path.map(String);
      return new GenericError('INVALID_INPUT', `${path.at(-1) ?? 'input'} ${issue.message}.`, path);
    }),
  );
}
