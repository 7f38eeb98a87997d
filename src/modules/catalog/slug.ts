import type * as Transliteration from 'transliteration';
import { loadLater } from '../../config/load-later.ts';

/** Tables of all scripts: Latin letters do not need them. */
const transliteration = loadLater<typeof Transliteration>('transliteration');

/** What decomposing does not turn into plain letters. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
};

/** Shorter than a slug may be: there is room for a number. */
const MAX_BASE = 190;

/** The slug that a text makes, in Latin letters: `Żółty miód №5` is `zolty-miod-no5`. Empty where it has no letter or digit. */
export function slugFrom(text: string): string {
  const latin = text
    .normalize('NFKC')
    .replaceAll(/[\p{L}\p{N}\p{M}]+/gu, (word) => (IS_LATIN.test(word) ? word : inLatin(word)));
  return latinSlug(latin);
}

/** Letters of Latin script, and what goes with every script: digits, marks. */
const IS_LATIN = /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]*$/u;

/** A word of another script in Latin letters. Some of its letters may be written with an apostrophe, which parts no word. */
function inLatin(word: string): string {
  return transliteration().transliterate(word).replaceAll(/['`"]/g, '');
}

/**
 * The slug of the Latin letters and digits of a text alone: what imports made of handles before there were others, and
 * still find their products and SKUs by. It must not change.
 */
export function latinSlug(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/\p{M}|['’‘`]/gu, '')
    .replaceAll(/[ßæœøđðłþı]/g, (letter) => LETTERS[letter] ?? '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, MAX_BASE)
    .replace(/-$/, '');
}

/**
 * A slug made of a text that nothing has yet: `honey`, else `honey-2`, `honey-3` …
 * @param options.fallback where the text makes none
 * @param options.taken finds out which of some slugs are taken
 */
export async function freeSlug(
  text: string,
  { fallback, taken }: { fallback: string; taken: (slugs: readonly string[]) => Promise<ReadonlySet<string>> },
): Promise<string> {
  const base = slugFrom(text) || fallback;
  // The next question asks for ten times as many: a thousand namesakes cost three.
  for (let first = 1, count = 10; ; first += count, count *= 10) {
    const candidates = Array.from({ length: count }, (_, i) => (first + i === 1 ? base : `${base}-${first + i}`));
    const there = await taken(candidates);
    const free = candidates.find((slug) => !there.has(slug));
    if (free !== undefined) return free;
  }
}
