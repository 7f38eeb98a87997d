import { randomInt } from 'node:crypto';

/*
 * Numbers of orders. An order is found by its number and its e-mail address, so numbers are drawn at random: counted ones would
 * leave nothing but the address to be guessed, and tell competitors how much is sold. Ten digits can be read out over the
 * telephone. Orders of earlier versions have counted numbers of fewer digits, which stay as they are.
 */

const LEAST = 1_000_000_000;
const BEYOND = 10_000_000_000;

/** The constraint that a number which is drawn twice breaks. */
export const NUMBER_KEY = 'orders_number_key';

/** Draws a number. That it is taken is unlikely, and the table's to find out. */
export function drawOrderNumber(): bigint {
  return BigInt(randomInt(LEAST, BEYOND));
}

/** The number that somebody typed, with spaces, dashes or a number sign, as people read numbers; null where it is none. */
export function parseOrderNumber(text: string): bigint | null {
  const digits = text.replace(/^\s*#/, '').replaceAll(/[\s\p{Pd}]/gu, '');
  return /^\d{1,15}$/.test(digits) ? BigInt(digits) : null;
}
