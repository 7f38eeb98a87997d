import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import type { SyncReport } from '../modules/contentful/contentful.service.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { defineCommand, print, runIfMain, type CommandContext } from './command.ts';
import { oneLine } from './words.ts';
import { withCore } from './with-core.ts';

const USAGE = `Usage: npm run contentful:sync [-- --dry-run | --force]

Compares the published entries of the Contentful space with the catalog, prints the differences, and updates the catalog to
match Contentful. Stock that differs only by sold units is not a difference. With --dry-run, nothing is changed.
If more than a tenth of the linked products would go off sale, nothing is changed, because the configured space is probably
the wrong one; --force changes them nevertheless.

Exit status: 0 if there are no differences, or all were resolved; 1 if differences remain, with --dry-run or because a later
change was already applied; 2 if the command failed or an entry cannot be applied.`;

const MAX_CELL = 40;

export const contentfulSync = defineCommand({
  usage: USAGE,
  options: { 'dry-run': { type: 'boolean', default: false }, force: { type: 'boolean', default: false } },
  failure: 2,
  isExplained: () => true,
  async run({ values: { 'dry-run': dryRun, force } }, context) {
    checkSpace(loadConfig(context.env));
    const report = await compare(context, { dryRun, force });
    const left = show(report, dryRun, context);
    if (report.faults.length > 0) return 2;
    return left > 0 ? 1 : 0;
  },
});

async function compare(context: CommandContext, { dryRun, force }: { dryRun: boolean; force: boolean }) {
  // Written to the standard error, and only to a terminal: the table goes to the standard output, which may be piped.
  const bar = new SingleBar({
    format: '{bar} {value} of {total} entries',
    stream: context.stderr,
    clearOnComplete: true,
  });
  let started = false;
  try {
    return await withCore(context, async ({ services: { contentful } }) => {
      const report = await contentful.sync?.run({
        update: !dryRun,
        force,
        onProgress(done, total) {
          if (started) bar.update(done);
          else bar.start(total, done);
          started = true;
        },
      });
      if (report === undefined) throw new Error('the Contentful space is not configured');
      return report;
    });
  } finally {
    bar.stop();
  }
}

function checkSpace({ contentful: { spaceId, managementToken } }: Config): void {
  const missing = [
    ...(spaceId === null ? ['CONTENTFUL_SPACE_ID'] : []),
    ...(managementToken === null ? ['CONTENTFUL_MANAGEMENT_TOKEN'] : []),
  ];
  if (missing.length > 0) throw new Error(`Contentful requires ${missing.join(' and ')}.`);
}

/** Prints a report. @returns how many entries differ still */
function show(
  { entries, drift, updated, faults }: SyncReport,
  dryRun: boolean,
  { stdout, stderr }: CommandContext,
): number {
  if (drift.length > 0) {
    const table = new Table({
      head: ['entry', 'product', 'field', 'Contentful', 'shop'],
      style: { head: [], border: [] },
    });
    for (const { entryId, product, field, cms, shop } of drift) {
      table.push([entryId, product, field, cms, shop].map((text) => cell(text)));
    }
    print(stdout, table.toString());
  }
  for (const { entryId, reason } of faults) print(stderr, `${entryId} cannot be applied: ${oneLine(reason)}`);
  const differing = new Set(drift.map(({ entryId }) => entryId));
  const outcome = dryRun ? 'nothing was changed' : `${updated} updated`;
  print(stdout, `${entries} entries compared, ${differing.size} differ; ${outcome}.`);
  if (dryRun) return differing.size;
  for (const { entryId } of faults) differing.delete(entryId);
  const left = differing.size - updated;
  if (left > 0) print(stdout, `${left} left unchanged, because a later change was already applied.`);
  return left;
}

function cell(text: string | null): string {
  if (text === null) return '-';
  const line = oneLine(text);
  return line.length > MAX_CELL ? `${line.slice(0, MAX_CELL - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}

await runIfMain(import.meta.url, contentfulSync);
