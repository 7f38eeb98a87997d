import { createHash } from 'node:crypto';

/** Characters of a SKU that are for people to read, of 100; the others distinguish SKUs that read the same. */
const MAX_READABLE = 80;

/** The first digits of a text's SHA-256. */
export function fingerprint(text: string, digits = 8): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/**
 * A SKU for a variant that has none: of what the variant is alone, so that every import of whichever file comes to the same.
 * @param slugOf turns a text into plain letters, digits and dashes
 */
export function stableSku(
  handle: string,
  selectedOptions: readonly { name: string; value: string }[],
  slugOf: (text: string) => string,
): string {
  const words = slugOf([handle, ...selectedOptions.map(({ value }) => value)].join(' '));
  // By the choice in full: `Red` and `RED`, or two words in Chinese, read alike in plain letters.
  const own = fingerprint(JSON.stringify([handle, ...selectedOptions.map(({ name, value }) => [name, value])]));
  return `${words.slice(0, MAX_READABLE)}-${own}`.replace(/^-/, '').replaceAll(/-+/g, '-').toUpperCase();
}
