import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { findDelimiter } from './delimiter.ts';
import { FileError } from './import.errors.ts';
import { readColumns, type Column, type Columns } from './shopify-columns.ts';

/** Where a row begins: its line in an editor, its row in a spreadsheet. */
export interface Place {
  line: number;
  row: number;
}

/** A row of the file; what it has no cell for is empty. */
export interface Row extends Place {
  cell(column: Column): string;
  /** How many cells it has, where that is not as many as the header. */
  wrongWidth: number | null;
}

/** The rows of one product, as they stand together. */
export interface Block {
  handle: string;
  rows: readonly Row[];
  /** Rows beyond those that are kept: no product has so many. */
  surplus: number;
}

/** How a file is to be read. */
export type Parting = Awaited<ReturnType<typeof findDelimiter>>;

/** A row longer than this is no row: somewhere a quote is missing. */
const MAX_ROW_BYTES = 2_000_000;
/** Of one product: 100 variants and 50 pictures could do with fewer. */
const MAX_ROWS = 500;

/** Reads the file's records with their places. Memory does not grow with the file. */
async function* readRecords(
  path: string,
  { delimiter, linesBefore }: Parting,
): AsyncGenerator<Place & { record: string[] }> {
  const input = createReadStream(path, { highWaterMark: 256 * 1024 });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = parse({
    delimiter,
    from_line: linesBefore + 1,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    // Some files have been put together of others.
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_BYTES,
  });
  // What ends early ends the other: the error comes out of the loop below.
  pipeline(
    input,
    async function* decode(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
      yield decoder.decode();
    },
    parser,
    () => {},
  );
  // Counted here: the parser's own count takes a CRLF within quotes for two lines.
  let line = 1 + linesBefore;
  let row = linesBefore;
  let emptyLines = 0;
  try {
    for await (const parsed of parser) {
      const { record, info } = parsed as { record: string[]; info: { empty_lines: number } };
      const skipped = info.empty_lines - emptyLines;
      emptyLines = info.empty_lines;
      line += skipped;
      row += 1 + skipped;
      yield { record, line, row };
      line += 1 + record.reduce((breaks, cell) => breaks + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
    }
  } catch (error) {
    throw explain(error, line);
  }
}

function explain(error: unknown, line: number): unknown {
  if (error instanceof CsvError) {
    return new FileError(
      `The file is not valid CSV: quotes do not match in the row that starts in line ${line} (${error.code}). Nothing was imported.`,
    );
  }
  if ((error as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new FileError('The file is not encoded in UTF-8. Save it as "CSV UTF-8". Nothing was imported.');
  }
  if (typeof (error as NodeJS.ErrnoException).syscall === 'string') {
    return new FileError(`The file cannot be read: ${(error as Error).message}.`);
  }
  return error;
}

const isBlank = (record: readonly string[]) => record.every((cell) => cell.trim() === '');

/**
 * Looks through the whole file before anything is done with it: a quote that is missing at its end would have half of it
 * imported.
 * @throws FileError where it is no Shopify CSV
 */
export async function surveyFile(path: string): Promise<{ columns: Columns; rows: number; parting: Parting }> {
  const parting = await findDelimiter(path);
  let columns: Columns | null = null;
  let rows = 0;
  for await (const { record } of readRecords(path, parting)) {
    if (columns === null) columns = readColumns(record);
    else if (!isBlank(record)) rows += 1;
  }
  if (columns === null) throw new FileError('The file is empty.');
  return { columns, rows, parting };
}

/** Reads the products of a file one after the other, as many rows at a time as one has. */
export async function* readBlocks(path: string, { index, width }: Columns, parting: Parting): AsyncGenerator<Block> {
  let handle: string | null = null;
  let rows: Row[] = [];
  let surplus = 0;
  let isHeader = true;
  for await (const { record, line, row } of readRecords(path, parting)) {
    if (isHeader || isBlank(record)) {
      isHeader = false;
      continue;
    }
    const cell = (column: Column) => record[index.get(column) ?? -1] ?? '';
    const own = cell('handle').trim();
    // Without a handle and with a title it is a product of its own, even right after another such.
    const joins = handle !== null && own === handle && (own !== '' || cell('title').trim() === '');
    if (!joins) {
      if (handle !== null) yield { handle, rows, surplus };
      handle = own;
      rows = [];
      surplus = 0;
    }
    if (rows.length < MAX_ROWS)
      rows.push({ line, row, cell, wrongWidth: record.length === width ? null : record.length });
    else surplus += 1;
  }
  if (handle !== null) yield { handle, rows, surplus };
}
