/** A text of somebody else's as one line that a terminal can show: it may hold what moves the cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\s]+/gu, ' ').trim();
}

/** A number and what it counts: `1 cart`, `2 carts`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
