import { randomBytes } from 'node:crypto';
import { normalizeCode } from './code.ts';
import type { NewCode } from './promotion.types.ts';

/** 32 letters and digits, so that a random byte gives one without bias; those that are mistaken for others are left out. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const GROUP = 4;

/** Lengths of the random part of a code, in characters of 5 bits. The shortest has 40 bits. */
export const RANDOM_LENGTH = { min: 8, max: 32, usual: 12 } as const;

/** Draws the random part of a code: characters in groups of 4, such as `7KQM-2XNR-H9TB`. */
function drawRandomPart(length: number): string {
  const characters = Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length] ?? '');
  const groups: string[] = [];
  for (let at = 0; at < length; at += GROUP) groups.push(characters.slice(at, at + GROUP).join(''));
  return groups.join('-');
}

/**
 * Draws different codes.
 * @param prefix what each code begins with, such as `SUMMER-`
 * @param length number of random characters
 */
export function drawCodes(count: number, { prefix, length }: { prefix: string; length: number }): NewCode[] {
  const codes = new Map<string, NewCode>();
  while (codes.size < count) {
    const code = `${prefix}${drawRandomPart(length)}`;
    const normalized = normalizeCode(code);
    if (normalized === null) throw new Error('a generated code is no code');
    codes.set(normalized, { code, normalized });
  }
  return [...codes.values()];
}
