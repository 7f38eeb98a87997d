import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { openCore } from '../app.ts';
import { ConfigError, loadConfig, type Config } from '../config/config.ts';
import { createLogger } from '../infra/logger.ts';
import type { SyncReport } from '../modules/contentful/contentful.service.ts';
import { oneLine } from './one-line.ts';

const USAGE = `Usage: npm run contentful:sync [-- --dry-run | --force]

Compares the published entries of the Contentful space with the catalog, prints the differences, and updates the catalog to
match Contentful. Stock that differs only by sold units is not a difference. With --dry-run, nothing is changed.
If more than a tenth of the linked products would go off sale, nothing is changed, because the configured space is probably
the wrong one; --force changes them nevertheless.

Exit status: 0 if there are no differences, or all were resolved; 1 if differences remain, with --dry-run or because a later
change was already applied; 2 if the command failed or an entry cannot be applied.`;

const MAX_CELL = 40;

try {
  const { values } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(USAGE);
  else process.exitCode = await sync(loadConfig(), { dryRun: values['dry-run'], force: values.force });
} catch (error) {
  console.error(error instanceof ConfigError || error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function sync(config: Config, { dryRun, force }: { dryRun: boolean; force: boolean }): Promise<number> {
  const { spaceId, managementToken } = config.contentful;
  const missing = [
    ...(spaceId === null ? ['CONTENTFUL_SPACE_ID'] : []),
    ...(managementToken === null ? ['CONTENTFUL_MANAGEMENT_TOKEN'] : []),
  ];
  if (missing.length > 0) throw new Error(`Contentful requires ${missing.join(' and ')}.`);
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const core = await openCore(config, logger);
  // On the standard error, and only where somebody watches: the table goes where it is piped.
  const bar = new SingleBar({
    format: '{bar} {value} of {total} entries',
    stream: process.stderr,
    clearOnComplete: true,
  });
  let started = false;
  try {
    const report = await core.services.contentful.sync?.run({
      mend: !dryRun,
      force,
      onProgress(done, total) {
        if (started) bar.update(done);
        else bar.start(total, done);
        started = true;
      },
    });
    if (report === undefined) throw new Error('the Contentful space is not configured');
    bar.stop();
    // Other processes may not be running: the events get their numbers before this one goes.
    await core.relay.flush();
    const left = print(report, dryRun);
    if (report.faults.length > 0) return 2;
    return left > 0 ? 1 : 0;
  } finally {
    bar.stop();
    await core.dispose();
  }
}

/** @returns how many entries differ still */
function print({ entries, drift, mended, faults }: SyncReport, dryRun: boolean): number {
  if (drift.length > 0) {
    const table = new Table({
      head: ['entry', 'product', 'field', 'Contentful', 'shop'],
      style: { head: [], border: [] },
    });
    for (const { entryId, product, field, cms, shop } of drift) {
      table.push([entryId, product, field, cms, shop].map((text) => cell(text)));
    }
    console.log(table.toString());
  }
  for (const { entryId, reason } of faults) console.error(`${entryId} cannot be applied: ${oneLine(reason)}`);
  const differing = new Set(drift.map(({ entryId }) => entryId));
  const outcome = dryRun ? 'nothing was changed' : `${mended} mended`;
  console.log(`${entries} entries compared, ${differing.size} differ; ${outcome}.`);
  if (dryRun) return differing.size;
  for (const { entryId } of faults) differing.delete(entryId);
  const left = differing.size - mended;
  if (left > 0) console.log(`${left} left unchanged, because a later change was already applied.`);
  return left;
}

function cell(text: string | null): string {
  if (text === null) return '-';
  const line = oneLine(text);
  return line.length > MAX_CELL ? `${line.slice(0, MAX_CELL - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}
