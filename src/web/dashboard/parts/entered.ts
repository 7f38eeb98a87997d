/*
 * What people enter in forms, and what the API takes.
 */

/** An instant as a field for date and time shows it, by the clock of the browser. */
export function toLocal(iso: string | null | undefined): string {
  if (iso == null) return '';
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The instant that a field for date and time shows. */
export const instant = (entered: string): string => new Date(entered).toISOString();

/** Entries that are separated by commas, semicolons or lines, without the white space around them. */
export function listOf(entered: string): string[] {
  return entered
    .split(/[,;\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** A decimal as the API takes it, whichever sign separates its places. */
export const decimal = (entered: string): string => entered.trim().replace(',', '.');

/** Whether a text is a number without a sign; an empty one is none. */
export const isDecimal = (entered: string): boolean => /^\d{1,15}(\.\d{1,6})?$/.test(decimal(entered));

/** What a field means, or null if it is empty. */
export const orNull = <T>(entered: string, read: (entered: string) => T): T | null =>
  entered.trim() === '' ? null : read(entered);
