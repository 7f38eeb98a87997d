/** Something about a row of the file: why it is refused, or what the merchant should know. */
export interface Finding {
  /** Where it begins in an editor. */
  line: number;
  /** Which row it is in a spreadsheet. */
  row: number;
  handle: string;
  /** The column's header, where it is about one. */
  column: string | null;
  message: string;
}

/** Where a finding is, in words: line and row differ below a cell with line breaks. */
export function placeInWords({ line, row }: Pick<Finding, 'line' | 'row'>): string {
  return line === row ? `line ${line}` : `line ${line} (row ${row})`;
}

// A spreadsheet would run what begins like a formula.
const quoted = (text: string) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

/** The header of a report; spreadsheets know by its first character that it is UTF-8. */
export const REPORT_HEADER = '\uFEFFKind,Line,Row,Handle,Column,Reason\r\n';

/** A finding as a row of a report in CSV. */
export function toReportRow(kind: 'refused' | 'note', { line, row, handle, column, message }: Finding): string {
  return `${kind},${line},${row},${quoted(handle)},${quoted(column ?? '')},${quoted(message)}\r\n`;
}
