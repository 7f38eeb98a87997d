import { randomInt } from 'node:crypto';

/*
 * Numbers of orders. An order is found by its number and its email address, so numbers are random: with consecutive numbers only the
 * address would have to be guessed, and competitors would know how much is sold. Ten digits can be read out over the telephone.
 * Orders of earlier versions have consecutive numbers of fewer digits, which stay as they are.
 */

const LEAST = 1_000_000_000;
const BEYOND = 10_000_000_000;

/** The constraint that a number which is drawn twice breaks. */
export const NUMBER_KEY = 'orders_number_key';

/** Draws a number. That it is taken is unlikely, and the table's to find out. */
export function drawOrderNumber(): bigint {
  return BigInt(randomInt(LEAST, BEYOND));
}

/** Reads an order number as people type it, with spaces, dashes or a number sign; null if it is not a number. */
export function parseOrderNumber(text: string): bigint | null {
  const digits = text.replace(/^\s*#/, '').replaceAll(/[\s\p{Pd}]/gu, '');
  return /^\d{1,15}$/.test(digits) ? BigInt(digits) : null;
}
