import { createHmac, randomBytes } from 'node:crypto';
import bcrypt from 'bcrypt';
import { z } from 'zod';
import {
  LEAST_PASSWORD,
  MOST_PASSWORD,
  passwordFault,
  passwordProblems,
  type PasswordFault,
} from '../../config/new-password.ts';
import { because } from '../input.ts';

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

const limits: Record<PasswordFault, { min?: number; max?: number }> = {
  TOO_SHORT: { min: LEAST_PASSWORD },
  TOO_LONG: { max: MOST_PASSWORD },
  PASSWORD_COMMON: {},
};

/** A new password. */
export const newPassword = z.string().superRefine((password, ctx) => {
  const fault = passwordFault(password);
  if (fault === null) return;
  ctx.addIssue({ code: 'custom', input: password, ...because(fault, passwordProblems[fault], limits[fault]) });
});

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

/** A well-formed hash of this cost that no password has. Checking it takes as long as checking that of an account. */
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
