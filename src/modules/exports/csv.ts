/** What a spreadsheet would run as a formula, perhaps behind apostrophes that an export put there. */
const FORMULA = /^'*[=+\-@\t\r]/;

/** A plain number, which begins like a formula and is none. */
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * A cell of a CSV file. Text that a spreadsheet would run as a formula gets an apostrophe before it, which the import of products
 * takes off again.
 */
export function csvCell(value: string | number | bigint | null): string {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A row of a CSV file, with its line break. */
export function csvRow(values: readonly (string | number | bigint | null)[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}

/** Spreadsheets know by it that the file is UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';
