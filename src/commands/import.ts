import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { openCore } from '../app.ts';
import { ConfigError, loadConfig } from '../config/config.ts';
import { createLogger } from '../infra/logger.ts';
import {
  createImportService,
  FileError,
  placeInWords,
  REPORT_HEADER,
  toReportRow,
  type Finding,
  type ImportCounts,
  type ImportListener,
} from '../modules/imports/import.service.ts';
import { oneLine } from './one-line.ts';

// `npm run import -- FILE.csv` takes products over from a product CSV of Shopify's.

const USAGE = `Usage: npm run import -- FILE.csv [--dry-run] [--report FILE.csv]

Creates and updates products from a Shopify product CSV while the shop is running. Rejected rows are listed; all other rows
are imported. Importing the same file again changes nothing.

  --dry-run          show what would be imported, without changing anything
  --report FILE.csv  write all rejections and notes to a file

Exit status: 0 if all rows were imported, 1 if some were rejected, 2 if nothing could be imported or the import failed, 130
after Ctrl-C. Run the command again to continue.`;

const SHOWN = { refused: 50, noted: 10 } as const;
/** Without a terminal, prints a progress line now and then instead of a bar. */
const TELL_EVERY_MS = 5_000;
/** npm passes on a Ctrl-C that the terminal has sent us already: two signals so close are one. */
const SAME_SIGNAL_MS = 500;
const EXIT = { refused: 1, failed: 2, interrupted: 130 } as const;

/** A mistake of who called. */
class UsageError extends Error {}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof FileError || error instanceof UsageError || error instanceof ConfigError;
  console.error(known ? error.message : error);
  process.exitCode = EXIT.failed;
}

async function main(): Promise<number> {
  const { values, path } = readArguments();
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`File not found: ${path}.`);
  if (values.report !== undefined && isSameFile(values.report, path)) {
    throw new UsageError('The report cannot be written to the file that is being imported.');
  }
  const config = loadConfig();
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const report = values.report === undefined ? null : openReport(values.report);
  const stop = listenForStop();
  const core = await openCore(config, logger);
  const screen = createScreen(report);
  try {
    const imports = createImportService(core.services);
    const dryRun = values['dry-run'];
    const counts = await imports.run({ path, dryRun, listener: screen.listener, signal: stop.signal });
    // Other processes may not be running: the events get their numbers before this one goes.
    await core.relay.flush();
    screen.close();
    console.log(summary(counts, screen, { dryRun, interrupted: stop.signal.aborted }));
    if (stop.signal.aborted) return EXIT.interrupted;
    return counts.refused > 0 ? EXIT.refused : 0;
  } finally {
    screen.close();
    if (report !== null) closeSync(report);
    await core.dispose();
  }
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        report: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const [path = '', ...rest] = positionals;
    if (!values.help && (path === '' || rest.length > 0)) throw new UsageError(USAGE);
    return { values, path };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** Compares the files, not their names: opening the report for writing would empty the imported file. */
function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}

function openReport(path: string): number {
  try {
    const file = openSync(path, 'w');
    writeSync(file, REPORT_HEADER);
    return file;
  } catch (error) {
    throw new UsageError(`The report cannot be written: ${(error as Error).message}.`);
  }
}

/** Ctrl-C ends it after the products in hand; a second one at once. */
function listenForStop(): AbortController {
  const stop = new AbortController();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > SAME_SIGNAL_MS) process.exit(EXIT.interrupted);
      stop.abort();
    });
  }
  return stop;
}

interface Shown {
  refused: Finding[];
  noted: Finding[];
  total: { refused: number; noted: number };
}

interface Screen extends Shown {
  listener: ImportListener;
  close(): void;
}

/** Shows how far it is, and keeps what is to be shown at the end. */
function createScreen(report: number | null): Screen {
  const shown: Shown = { refused: [], noted: [], total: { refused: 0, noted: 0 } };
  const { stderr } = process;
  const bar = stderr.isTTY
    ? new cliProgress.SingleBar(
        {
          stream: stderr,
          format: '{bar} {percentage} % | {value} of {total} rows | {eta_formatted} left',
          hideCursor: true,
        },
        cliProgress.Presets.shades_classic,
      )
    : null;
  let total = 0;
  let reportedAt = performance.now();
  const keep = (kind: 'refused' | 'noted', finding: Finding) => {
    shown.total[kind] += 1;
    if (shown[kind].length < SHOWN[kind]) shown[kind].push(finding);
    if (report !== null) writeSync(report, toReportRow(kind === 'refused' ? 'refused' : 'note', finding));
  };
  return {
    ...shown,
    listener: {
      began({ rows, unknownColumns }) {
        total = rows;
        if (unknownColumns.length > 0) {
          stderr.write(`Ignored unknown columns: ${unknownColumns.map(oneLine).join(', ')}.\n`);
        }
        bar?.start(rows, 0);
      },
      progressed({ rows }) {
        bar?.update(rows);
        if (bar !== null || performance.now() - reportedAt < TELL_EVERY_MS) return;
        reportedAt = performance.now();
        stderr.write(`${rows} of ${total} rows\n`);
      },
      refused: (finding) => keep('refused', finding),
      noted: (finding) => keep('noted', finding),
    },
    close: () => bar?.stop(),
  };
}

function list(title: string, findings: readonly Finding[], total: number): string[] {
  if (total === 0) return [];
  const lines = findings.map((finding) => {
    const { handle, column, message } = finding;
    const where = [placeInWords(finding), handle === '' ? 'no handle' : handle, ...(column === null ? [] : [column])];
    return `  ${oneLine(`${where.join(', ')}: ${message}`)}`;
  });
  const more = total > findings.length ? [`  and ${total - findings.length} more; --report FILE.csv lists all`] : [];
  return [title, ...lines, ...more, ''];
}

function summary(
  { rows, products, made, changed, unchanged, refused }: ImportCounts,
  { refused: findings, noted, total }: Shown,
  { dryRun, interrupted }: { dryRun: boolean; interrupted: boolean },
): string {
  const would = dryRun ? 'would be ' : '';
  const how = interrupted ? 'Stopped' : dryRun ? 'Dry run' : 'Done';
  return [
    ...list('Refused:', findings, total.refused),
    ...list('Noted:', noted, total.noted),
    `${how} after ${count(rows, 'row')}, ${count(products, 'product')}: ${made} ${would}made, ${changed} ${would}changed, ` +
      `${unchanged} unchanged, ${refused} refused.`,
    ...(interrupted ? ['Everything up to this point has been imported. Run the command again to continue.'] : []),
    ...(dryRun ? ['Nothing was changed.'] : []),
  ].join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
