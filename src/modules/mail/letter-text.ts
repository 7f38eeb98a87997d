/*
 * Texts of other people, made fit to stand in a letter: in one line, of bounded length, and without the marks by which a
 * text could turn round what stands beside it. (Escaping is React's.)
 */

const BREAKS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu;
const DIRECTIONS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
const MOST = 200;

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** One line of at most so many characters as people count them (and eight times as many as they are stored). */
export function oneLine(text: string, most = MOST): string {
  const line = text.replaceAll(BREAKS, ' ').replaceAll(DIRECTIONS, '').replaceAll(/\s+/g, ' ').trim();
  if (line.length <= most) return line;
  let cut = '';
  let count = 0;
  for (const { segment } of characters.segment(line)) {
    count += 1;
    if (count > most || cut.length + segment.length > 8 * most) return `${cut.trimEnd()}…`;
    cut += segment;
  }
  return line;
}

/** The most of one line that a stranger may have typed. */
const MOST_OF_STRANGERS = 40;
/** Invisible characters by which a text could look like another one, or hide the dot of a domain. */
const INVISIBLE = /[\p{Cf}\p{Co}\p{Cn}\u115F\u1160\u3164\uFFA0]/gu;
/** Letters, digits and what stands between them in names and addresses. A colon, an at sign or a slash alone makes a link. */
const NOT_IN_ADDRESSES = /[^\p{L}\p{M}\p{N} .,'’&#°()/-]/gu;

/**
 * A text typed by somebody whose email address is not confirmed to be that of the letter: one short line with nothing in it that a
 * mail program turns into a link, be it a URL, a domain, an e-mail address or a telephone number.
 * @param digits how many digits it may have; with more of them it has none
 */
export function strangersLine(text: string, { digits }: { digits: number }): string {
  // Composed first: there are other dots, slashes and at signs (U+FF0E, U+2024, U+FF20) that programs take for the usual ones.
  const plain = oneLine(text.normalize('NFKC'), 1000)
    .replaceAll(INVISIBLE, '')
    .replaceAll(NOT_IN_ADDRESSES, ' ')
    // A dot ends an abbreviation, a slash stands between the parts of a number (`12/3`, `c/o`); anywhere else they make links.
    .replaceAll(/\.(?! |$)|(?<=^| |\.)\./g, ' ')
    .replaceAll(/\/(?![\p{L}\p{N}])|(?<![\p{L}\p{N}])\//gu, ' ')
    .replaceAll(/(?<=\p{L}{3})\/|\/(?=\p{L}{3})/gu, ' ');
  const count = plain.match(/\p{N}/gu)?.length ?? 0;
  return oneLine(count > digits ? plain.replaceAll(/\p{N}/gu, '') : plain, MOST_OF_STRANGERS);
}

/** The lines of a text. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n?|\n/).map((line) => oneLine(line, 1000));
}

const instant = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' });

/** A day and an hour in words, in UTC. */
export function instantInWords(at: Date): string {
  return `${instant.format(at)} UTC`;
}

/** A day in words, in UTC. */
export function dayInWords(at: Date): string {
  return day.format(at);
}
