import type * as Words from '@zxcvbn-ts/language-common';
import { loadLater } from './load-later.ts';

/** Why a password cannot be chosen. */
export type PasswordFault = 'TOO_SHORT' | 'TOO_LONG' | 'PASSWORD_COMMON';

/** Characters that a password must have. */
export const LEAST_PASSWORD = 10;
/** The most characters that a password may have. */
export const MOST_PASSWORD = 200;

/** What is wrong with a password, in words that follow its name. */
export const passwordProblems: Record<PasswordFault, string> = {
  TOO_SHORT: `must have at least ${LEAST_PASSWORD} characters`,
  TOO_LONG: `must have at most ${MOST_PASSWORD} characters`,
  PASSWORD_COMMON: 'is one of the most commonly used passwords',
};

/** Megabytes of words. */
const words = loadLater<typeof Words>('@zxcvbn-ts/language-common');
let common: ReadonlySet<unknown> | undefined;

/** Whether it is among the 49,000 passwords that are tried first, as a library keeps them; shorter ones are refused by their length. */
function isCommon(password: string): boolean {
  common ??= new Set(
    words().dictionary.passwords?.filter((word) => typeof word === 'string' && word.length >= LEAST_PASSWORD),
  );
  return common.has(password.toLowerCase());
}

/**
 * Returns why this password is not allowed; null if it is. Anything may stand in it; what counts is that it is
 * long and not everybody's.
 */
export function passwordFault(password: string): PasswordFault | null {
  // In characters as people count them, not in halves of an emoji.
  const { length } = Array.from(password);
  if (length < LEAST_PASSWORD) return 'TOO_SHORT';
  if (length > MOST_PASSWORD) return 'TOO_LONG';
  return isCommon(password) ? 'PASSWORD_COMMON' : null;
}
