import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whether a secret is the wanted one. Takes as long for a wrong one as for the right one, whatever its length. */
export function isSameSecret(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted));
}

/** Whether a secret is one of several, all of which are compared. */
export function isOneOfSecrets(given: string, wanted: readonly string[]): boolean {
  const compared = wanted.map((secret) => isSameSecret(given, secret));
  return compared.includes(true);
}
