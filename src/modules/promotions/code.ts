/** Most characters of a code. */
export const MAX_CODE_LENGTH = 64;

/** Most characters of a normalized code; compatibility characters can become several characters each. */
const MAX_NORMALIZED_LENGTH = 255;

/** Control characters and halves of surrogate pairs, which no code contains and PostgreSQL does not store. */
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/** Characters that cannot be seen, such as a zero-width space or a soft hyphen, which copying from web pages brings along. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** The code without white space and invisible characters around it. Case and everything else stay as they are. */
export function trimCode(code: string): string {
  return code.replaceAll(INVISIBLE, '').trim();
}

function characters(text: string): number {
  return Array.from(text).length;
}

/**
 * Brings a discount code into the form by which codes are compared: Unicode NFKC (full-width letters become ordinary ones), no
 * white space around the code and single spaces inside it, no invisible characters, and no difference between upper and lower
 * case. The result does not depend on the locale of the process: `ß` equals `ss`, and all four letters i of Turkish are equal.
 * Normalizing a normalized code changes nothing.
 * @returns null if no code can look like this: it is empty, has more than 64 characters, or contains control characters
 */
export function normalizeCode(code: string): string | null {
  const trimmed = trimCode(code);
  if (trimmed === '' || characters(trimmed) > MAX_CODE_LENGTH || UNUSABLE.test(trimmed)) return null;
  const normalized = trimmed
    .normalize('NFKC')
    // First to lower case, so that the capital ẞ, which is upper case already, becomes SS like the small letter.
    .toLowerCase()
    .toUpperCase()
    .normalize('NFKC')
    // A capital I with a dot has no upper case other than itself.
    .replaceAll('\u0130', 'I')
    .replaceAll(INVISIBLE, '')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return normalized === '' || characters(normalized) > MAX_NORMALIZED_LENGTH ? null : normalized;
}
