import { open } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { countKnown } from './shopify-columns.ts';

/** What parts the cells of a row. */
export type Delimiter = ',' | ';' | '\t';

/** A header is far shorter than this. */
const LOOK_AT_BYTES = 256 * 1024;
/** Spreadsheets of other languages write semicolons, and copying from one gives tabs. */
const DELIMITERS: readonly Delimiter[] = [',', ';', '\t'];
/** A first line of Excel's that names the delimiter. */
const NAMED = /^"?sep=([,;\t])"?\r?\n/i;

/**
 * Finds what parts the cells of a file: that by which its first row has the most headers of Shopify's.
 * @returns also how many lines stand before the header
 */
export async function findDelimiter(path: string): Promise<{ delimiter: Delimiter; linesBefore: number }> {
  const start = await readStart(path);
  const [, named] = NAMED.exec(start) ?? [];
  if (named !== undefined) return { delimiter: named as Delimiter, linesBefore: 1 };
  const counts = DELIMITERS.map((delimiter) => ({ delimiter, known: countKnown(headerOf(start, delimiter)) }));
  const [best] = counts.toSorted((a, b) => b.known - a.known);
  return { delimiter: best?.delimiter ?? ',', linesBefore: 0 };
}

async function readStart(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOK_AT_BYTES), 0, LOOK_AT_BYTES, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The first row by one delimiter; nothing where it cannot be read so, which the import itself says with its place. */
function headerOf(text: string, delimiter: Delimiter): string[] {
  try {
    const options = { delimiter, to: 1, skip_empty_lines: true, relax_column_count: true, relax_quotes: true };
    const [header = []] = parse(text, { ...options, record_delimiter: ['\r\n', '\n', '\r'] });
    return header;
  } catch {
    return [];
  }
}
