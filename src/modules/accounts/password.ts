import { because } from '../input.ts';
import { createHmac, randomBytes } from 'node:crypto';
import type * as Words from '@zxcvbn-ts/language-common';
import bcrypt from 'bcrypt';
import { z } from 'zod';
import { loadLater } from '../../config/load-later.ts';

/** How passwords are kept and checked. The work is bcrypt's, on threads of its own, off the event loop. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /**
   * Whether it is the password of this hash.
   * @param hash null if there is no account: the result is false, and takes as long as a comparison
   */
  verify(password: string, hash: string | null): Promise<boolean>;
  /** Whether the hash was made when less work was asked for. */
  isStale(hash: string): boolean;
}

const LEAST = 10;
export const MOST = 200;

/** Megabytes of words. */
const words = loadLater<typeof Words>('@zxcvbn-ts/language-common');
let common: ReadonlySet<unknown> | undefined;

/** Whether it is among the 49,000 passwords that are tried first, as a library keeps them; shorter ones are refused by their length. */
function isCommon(password: string): boolean {
  common ??= new Set(words().dictionary.passwords?.filter((word) => typeof word === 'string' && word.length >= LEAST));
  return common.has(password.toLowerCase());
}

/** In characters as people count them, not in halves of an emoji. */
const lengthOf = (password: string) => Array.from(password).length;

/** A password that somebody chooses. Anything may stand in it; what counts is that it is long and not everybody's. */
export const newPassword = z
  .string()
  .refine(
    (password) => lengthOf(password) >= LEAST,
    because('TOO_SHORT', `must have at least ${LEAST} characters`, { min: LEAST }),
  )
  .refine(
    (password) => lengthOf(password) <= MOST,
    because('TOO_LONG', `must have at most ${MOST} characters`, { max: MOST }),
  )
  .refine((password) => !isCommon(password), because('PASSWORD_COMMON', 'is one of the most commonly used passwords'));

const PEPPER = 'vitrine password';

/**
 * What bcrypt is given. It takes 72 bytes and stops at a NUL, in silence; so every password becomes 44 letters first,
 * whatever its length. (A keyed hash and not a bare SHA-256: hashes from other places' leaks are of no use here.)
 * Composed and decomposed letters are the same, as they are to who types them.
 */
function digest(password: string): string {
  return createHmac('sha256', PEPPER).update(password.normalize('NFKC')).digest('base64');
}

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A well-formed hash of this cost that no password has: checking it takes as long as checking one that somebody has. */
function makeDummy(cost: number): string {
  const letters = [...randomBytes(53)].map((byte) => ALPHABET[byte % 64]).join('');
  return `$2b$${String(cost).padStart(2, '0')}$${letters}`;
}

/**
 * Wires the hashing of passwords.
 * @param options.cost the binary logarithm of the work for each; 12 is about a quarter of a second
 */
export function createPasswords({ cost }: { cost: number }): Passwords {
  const dummy = makeDummy(cost);
  return {
    hash: (password) => bcrypt.hash(digest(password), cost),
    async verify(password, hash) {
      const fits = await bcrypt.compare(digest(password), hash ?? dummy);
      return fits && hash !== null;
    },
    isStale: (hash) => bcrypt.getRounds(hash) < cost,
  };
}
