import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import cliProgress from 'cli-progress';
import { ConfigError, loadConfig } from '../config/config.ts';
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
import { defineCommand, print, runIfMain, type CommandContext } from './command.ts';
import { withCore } from './with-core.ts';
import { count, oneLine } from './words.ts';

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
const PROGRESS_EVERY_MS = 5_000;
const EXIT = { refused: 1, failed: 2, interrupted: 130 } as const;

export const importProducts = defineCommand({
  usage: USAGE,
  options: { 'dry-run': { type: 'boolean', default: false }, report: { type: 'string' } },
  positionals: [1, 1],
  failure: EXIT.failed,
  isExplained: (error) => error instanceof FileError || error instanceof ConfigError,
  async run({ values: { 'dry-run': dryRun, report: reportPath }, positionals: [path = ''] }, context) {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new FileError(`File not found: ${path}.`);
    if (reportPath !== undefined && isSameFile(reportPath, path)) {
      throw new FileError('The report cannot be written to the file that is being imported.');
    }
    // A report of before stays if the settings are wrong.
    loadConfig(context.env);
    const report = reportPath === undefined ? null : openReport(reportPath);
    const screen = createScreen(report, context);
    const { signal } = context;
    try {
      const counts = await withCore(context, ({ services }) =>
        createImportService(services).run({ path, dryRun, listener: screen.listener, signal }),
      );
      screen.close();
      print(context.stdout, summary(counts, screen, { dryRun, interrupted: signal.aborted }));
      if (signal.aborted) return EXIT.interrupted;
      return counts.refused > 0 ? EXIT.refused : 0;
    } finally {
      screen.close();
      if (report !== null) closeSync(report);
    }
  },
});

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
    throw new FileError(`The report cannot be written: ${(error as Error).message}.`);
  }
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
function createScreen(report: number | null, { stderr }: CommandContext): Screen {
  const shown: Shown = { refused: [], noted: [], total: { refused: 0, noted: 0 } };
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
        if (bar !== null || performance.now() - reportedAt < PROGRESS_EVERY_MS) return;
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

// Ctrl-C stops it after the products in progress, and a second one immediately.
await runIfMain(import.meta.url, importProducts, { stops: true });
