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
